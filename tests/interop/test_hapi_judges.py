"""The judge can fail: what is wrong is found, what is right is not, and our forms are valid."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.hapi import Hapi

ROOT = Path(__file__).resolve().parents[2]
RIGHT = {
    "resourceType": "DocumentReference",
    "status": "current",
    "content": [{"attachment": {"contentType": "text/plain", "data": "YQ=="}}],
}


def test_a_right_resource_is_found_right_and_a_wrong_one_wrong(hapi: Hapi) -> None:
    assert hapi.validate(RIGHT) == []
    assert hapi.validate({**RIGHT, "status": "excellent"})
    assert hapi.validate({**RIGHT, "content": []})
    assert hapi.validate({**RIGHT, "colour": "red"})


def test_a_wrong_resource_is_not_taken_by_the_server(hapi: Hapi) -> None:
    with pytest.raises(AssertionError, match="excellent"):
        hapi.post({**RIGHT, "status": "excellent"})


def test_a_search_finds_by_identifier_and_patient(hapi: Hapi) -> None:
    note = {
        **RIGHT,
        "subject": {"reference": "Patient/judged"},
        "identifier": [{"system": "urn:ietf:rfc:3986", "value": "urn:x:1"}],
    }
    id_ = hapi.post(note)
    found = hapi.search("DocumentReference", "identifier=urn:ietf:rfc:3986|urn:x:1")
    assert [one["id"] for one in found] == [id_]
    assert [one["id"] for one in hapi.search("DocumentReference", "patient=judged")] == [id_]
    assert hapi.search("DocumentReference", "patient=nobody") == []


LATER_CODE = "questionnaire-item-control#page"
"""SDC 3 and later use this code; HAPI judges by R4's own code system, which is older."""


def shipped() -> list[Any]:
    found = []
    for path in sorted((ROOT / "questionnaires").rglob("*.json")):
        said = json.loads(path.read_text(encoding="utf-8"))
        if said.get("resourceType") in ("Questionnaire", "ValueSet", "CodeSystem", "ConceptMap"):
            found.append(pytest.param(path, id=path.name))
    return found


@pytest.mark.parametrize("path", shipped())
def test_what_ships_is_valid(hapi: Hapi, path: Path) -> None:
    found = hapi.validate(path.read_bytes())
    assert [issue for issue in found if LATER_CODE not in issue["diagnostics"]] == []
