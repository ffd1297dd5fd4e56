"""What becomes of the answers: the resources of a transaction, and what is told instead."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from fhir_service.sdc import compile_form
from fhir_service.sdc.extraction import Extracted, extract
from tests.support.cases import cases

NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)

Json = Mapping[str, Any]


def extracted(form: Json, items: list[Json], **more: Any) -> Extracted:
    """The transaction of a response with these items."""
    whole = {"resourceType": "Questionnaire", "status": "active", **form}
    response = {
        "resourceType": "QuestionnaireResponse",
        "id": "r1",
        "status": "completed",
        "subject": {"reference": "Patient/ada"},
        "authored": "2026-11-25T10:00:00Z",
        "author": {"reference": "Patient/ada"},
        "item": items,
    }
    return extract(compile_form(whole), response, recorded=NOW, **more)


def _numbers(value: Any) -> Any:
    """The same with numbers as text, so that 1.50 and 1.5 differ."""
    if isinstance(value, dict):
        return {name: _numbers(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_numbers(one) for one in value]
    return (
        str(value) if isinstance(value, int | Decimal) and not isinstance(value, bool) else value
    )


def _sent(value: Any, name: str | None = None) -> Any:
    """What stands in a case, with its decimals as such."""
    if isinstance(value, dict):
        return {key: _sent(one, key) for key, one in value.items()}
    if isinstance(value, list):
        return [_sent(one) for one in value]
    wrapped = name in ("valueDecimal", "value") and isinstance(value, str)
    return Decimal(value) if wrapped else value


def _tied(value: Any, entries: list[Json]) -> Any:
    """A case with ``@1`` made the reference to the second entry."""
    if isinstance(value, dict):
        return {name: _tied(one, entries) for name, one in value.items()}
    if isinstance(value, list):
        return [_tied(one, entries) for one in value]
    if isinstance(value, str) and value[:1] == "@" and value[1:].isdigit():
        return {"reference": entries[int(value[1:])]["fullUrl"]}
    return value


@pytest.mark.parametrize(("document", "case"), cases("extraction"))
def test_answers_become_resources(document: Json, case: Json) -> None:
    made = extracted(document["form"], _sent(case["items"]))
    entries = made.bundle.get("entry", [])
    own = [one for one in entries if one["resource"]["resourceType"] != "Provenance"]
    assert _numbers([one["resource"] for one in own]) == _numbers(_tied(case["expected"], own))
    assert [one.key for one in made.issues] == case["issues"], made.issues
    if "requests" in case:
        assert [one["request"] for one in own] == case["requests"]
    assert len(entries) == len(own) + (1 if own else 0)
    urls = [one["fullUrl"] for one in entries]
    assert len(set(urls)) == len(urls)


def test_the_provenance_names_every_resource_and_the_response() -> None:
    document, case = cases("extraction", "observation_values.json")[0].values
    made = extracted(document["form"], _sent(case["items"]))
    *own, last = made.bundle["entry"]
    provenance = last["resource"]
    assert [one["reference"] for one in provenance["target"]] == [one["fullUrl"] for one in own]
    assert provenance["recorded"] == "2026-11-25T12:00:00.000Z"
    assert provenance["entity"] == [
        {"role": "source", "what": {"reference": "QuestionnaireResponse/r1"}}
    ]
    without = extracted(document["form"], _sent(case["items"]), provenance=False)
    assert without.bundle["entry"] == own


def test_the_same_response_gives_the_same_bundle_and_another_one_other_ids() -> None:
    document, case = cases("extraction", "template_ids.json")[0].values
    first, again = (extracted(document["form"], _sent(case["items"])) for _ in "12")
    assert json.dumps(first.bundle) == json.dumps(again.bundle)
    other = extracted(document["form"], _sent(case["items"][:1]))
    urls = {one["fullUrl"] for one in first.bundle["entry"]}
    assert not urls & {one["fullUrl"] for one in other.bundle["entry"]}


def test_on_request_each_new_resource_is_made_only_once() -> None:
    document, case = cases("extraction", "template_ids.json")[0].values
    made = extracted(document["form"], _sent(case["items"]), conditional=True)
    patient, kin, *_ = made.bundle["entry"]
    own = {"system": "urn:ietf:rfc:3986", "value": patient["fullUrl"]}
    assert patient["resource"]["identifier"] == [own]
    assert patient["request"]["ifNoneExist"] == f"identifier={own['system']}|{own['value']}"
    assert kin["request"]["ifNoneExist"] == "identifier=7"  # the form's own condition stays
