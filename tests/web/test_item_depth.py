"""How deep items may lie in each other in what is sent is the operator's choice.

http://hl7.org/fhir/R4/questionnaire.html
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from fhir_service.settings import BadSettings, read_settings
from tests.support.service import Running, start

URL = "https://clinic.example.org/fhir/Questionnaire/deep"
KEY = "items-too-deep"
LIMITS = {"3": 3, "32": 32, "100": 100}

Nest = Callable[[int], dict[str, Any]]


@pytest.fixture(params=LIMITS)
def limited(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Running, int]]:
    running = start(tmp_path, MAX_ITEM_DEPTH=request.param)
    yield running, LIMITS[request.param]
    running.close()


def form(levels: int, kind: str) -> dict[str, Any]:
    """A form with a question at this level, in groups or in other questions."""
    item: dict[str, Any] = {"linkId": str(levels), "type": "string", "text": "Last?"}
    for level in range(levels - 1, 0, -1):
        item = {"linkId": str(level), "type": kind, "text": "Around?", "item": [item]}
    return {
        "resourceType": "Questionnaire", "id": f"deep-{kind}", "url": f"{URL}-{kind}",
        "version": "1", "status": "active", "title": "Deep", "subjectType": ["Patient"],
        "item": [item],
    }  # fmt: skip


def response(levels: int, kind: str) -> dict[str, Any]:
    """A response that answers the question at this level."""
    item: dict[str, Any] = {"linkId": str(levels), "answer": [{"valueString": "Yes"}]}
    for level in range(levels - 1, 0, -1):
        if kind == "group":
            item = {"linkId": str(level), "item": [item]}
        else:
            item = {"linkId": str(level), "answer": [{"valueString": "x", "item": [item]}]}
    return {
        "resourceType": "QuestionnaireResponse", "questionnaire": f"{URL}-{kind}|1",
        "status": "completed", "subject": {"reference": "Patient/ada"},
        "authored": "2026-11-20T10:00:00Z", "item": [item],
    }  # fmt: skip


def keys(outcome: dict[str, Any]) -> list[str]:
    details = [issue["details"] for issue in outcome["issue"]]
    return [one["coding"][0]["code"] for one in details if "coding" in one]


@pytest.mark.parametrize("kind", ["group", "string"])
def test_what_lies_as_deep_as_the_setting_is_taken_and_one_level_more_is_not(
    limited: tuple[Running, int], kind: str
) -> None:
    running, limit = limited
    put = f"/fhir/Questionnaire/deep-{kind}"
    refused = running.send("PUT", put, form(limit + 1, kind))
    assert (refused.status_code, keys(refused.json or {})) == (422, [KEY])
    taken = running.send("PUT", put, form(limit, kind))
    assert taken.status_code == 201, taken.text
    responses = "/fhir/QuestionnaireResponse"
    refused = running.send("POST", responses, response(limit + 1, kind))
    assert refused.status_code in (400, 422)
    assert keys(refused.json or {}) == [KEY]
    taken = running.send("POST", responses, response(limit, kind))
    assert taken.status_code == 201, taken.text
    assert running.kept() == 1


@pytest.mark.parametrize("kind", ["group", "string"])
def test_validating_keeps_the_same_limit(limited: tuple[Running, int], kind: str) -> None:
    running, limit = limited
    assert running.send("PUT", f"/fhir/Questionnaire/deep-{kind}", form(limit, kind)).is_json
    for make, type_ in ((form, "Questionnaire"), (response, "QuestionnaireResponse")):
        address = f"/fhir/{type_}/$validate"
        assert KEY not in keys(running.send("POST", address, make(limit, kind)).json or {})
        assert keys(running.send("POST", address, make(limit + 1, kind)).json or {}) == [KEY]


def test_what_was_taken_stays_readable_when_the_limit_is_lowered(tmp_path: Path) -> None:
    before = start(tmp_path, MAX_ITEM_DEPTH="100")
    assert before.send("PUT", "/fhir/Questionnaire/deep-string", form(100, "string")).is_json
    sent = {**response(100, "string"), "id": "first"}
    taken = before.send("PUT", "/fhir/QuestionnaireResponse/first", sent)
    assert taken.status_code == 201, taken.text
    before.close()
    after = start(tmp_path, MAX_ITEM_DEPTH="3")
    address = "/fhir/QuestionnaireResponse/first"
    assert after.send("GET", address).status_code == 200
    mended = {**sent, "status": "entered-in-error", "item": [{"linkId": "1"}]}
    reply = after.send("PUT", address, mended)
    assert reply.status_code == 200, reply.text
    after.close()


def test_no_higher_limit_can_be_set_than_is_read_back() -> None:
    with pytest.raises(BadSettings, match="MAX_ITEM_DEPTH"):
        read_settings({"FHIR_SERVICE_MAX_ITEM_DEPTH": "101"})
