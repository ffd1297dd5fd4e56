"""Every key that an OperationOutcome can have stands on the page of keys, with its status."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from fhir_service.fhir.issues import Refusal
from fhir_service.sdc.findings_page import findings_page
from fhir_service.sdc.refusal_keys import REFUSAL_KEYS
from fhir_service.web.errors import status_of

PACKAGE = Path(__file__).parents[2] / "fhir_service"
_KEY = re.compile(r'(?:\bkey\s*[=:]\s*|\bIssue\(\s*(?:key=)?)"([a-z][a-z0-9-]+)"')
NO_KEYS = {"no-staff-session", "is", "refused"}
"""Written like keys, and none: a headline, a word of a template, the family's own name."""


def family(kind: type[Refusal] = Refusal) -> Iterator[type[Refusal]]:
    for one in kind.__subclasses__():
        yield one
        yield from family(one)


def test_every_refusal_is_told_of_with_its_status() -> None:
    kinds = [kind for kind in family() if kind.__module__.startswith("fhir_service.")]
    assert len(kinds) >= 15
    for kind in kinds:
        status = str(status_of(kind("says")))
        assert status in REFUSAL_KEYS[kind.key].status, kind


def test_every_key_in_the_code_stands_on_the_page() -> None:
    page = findings_page()
    found = {
        (match, path.name)
        for path in PACKAGE.rglob("*.py")
        if path.parent.name != "catalogue"  # what is told of mappings to their author
        for match in _KEY.findall(path.read_text(encoding="utf-8"))
    }
    assert len(found) > 10
    missing = {one for one in found if f"`{one[0]}`" not in page and one[0] not in NO_KEYS}
    assert missing == set(), "add them to sdc/refusal_keys.py, and make FINDINGS.md anew"
