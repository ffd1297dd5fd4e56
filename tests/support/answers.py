"""Responses as bytes, and callers: what the tests of the use cases hand in."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from fhir_service.smart.access import Access
from fhir_service.smart.scopes import read_scopes
from fhir_service.workflow.caller import Caller
from tests.support.forms import ROOT, read

SYSTEM = Caller("ehr", "t-ehr", Access(read_scopes("system/*.cruds")))


def patient_caller(patient: str, scope: str = "patient/*.cruds") -> Caller:
    """A caller whose token is bound to this patient."""
    return Caller("portal", f"t-{patient}", Access(read_scopes(scope), patient))


def response(form: str = "coping-support", name: str = "minimal", **changes: Any) -> bytes:
    """An example response of a shipped form, with these members changed; None takes one out."""
    resource = {**read(ROOT / form / "responses" / f"{name}.json"), **changes}
    kept = {key: value for key, value in resource.items() if value is not None}
    return json.dumps(kept, ensure_ascii=False).encode()


def about(patient: str) -> dict[str, str]:
    """A reference to a patient."""
    return {"reference": f"Patient/{patient}"}


def walk_answers(element: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """(linkId, answer) of every answer of a response, in order."""
    for item in element.get("item", ()):
        for answer in item.get("answer", ()):
            yield item["linkId"], answer
            yield from walk_answers(answer)
        yield from walk_answers(item)
