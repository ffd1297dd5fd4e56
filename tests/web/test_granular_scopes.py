"""A scope with a query lets the same be read that it lets be found.

https://hl7.org/fhir/smart-app-launch/scopes-and-launch-context.html
"""

from __future__ import annotations

import json

import pytest

from tests.support.service import FORM_URL, Running, answers

DONE = "http://hl7.org/fhir/questionnaire-answers-status|completed"


@pytest.fixture(scope="module")
def kept(running: Running) -> dict[str, str]:
    """A finished response and one in progress, of one patient."""
    made = {}
    for status in ("completed", "in-progress"):
        reply = running.send("POST", "/fhir/QuestionnaireResponse", answers("narrow", status))
        made[status] = str(json.loads(reply.data)["id"])
    return made


@pytest.mark.parametrize(
    ("query", "seen"),
    [
        ("status=completed", {"completed"}),
        (f"status={DONE}", {"completed"}),
        ("status=http://elsewhere.example.org|completed", set()),
        ("status=completed,in-progress", {"completed", "in-progress"}),
        (f"questionnaire={FORM_URL}", {"completed", "in-progress"}),
        (f"questionnaire={FORM_URL}|9", set()),
        ("status=in-progress&questionnaire=https://elsewhere.example.org/form", set()),
        ("subject=Patient/narrow", {"completed", "in-progress"}),
        ("subject=narrow", {"completed", "in-progress"}),
    ],
)
def test_search_read_vread_and_history_agree(
    running: Running, kept: dict[str, str], query: str, seen: set[str]
) -> None:
    token = running.token(f"patient/QuestionnaireResponse.rs?{query}", "narrow")
    found = running.send("GET", "/fhir/QuestionnaireResponse", token=token)
    entries = json.loads(found.data).get("entry", [])
    assert {entry["resource"]["id"] for entry in entries} == {kept[status] for status in seen}
    for status, id_ in kept.items():
        wanted = 200 if status in seen else 404
        for end in ("", "/_history", "/_history/1"):
            path = f"/fhir/QuestionnaireResponse/{id_}{end}"
            assert running.send("GET", path, token=token).status_code == wanted, path


def test_a_summary_is_of_the_whole_visit_and_needs_a_whole_scope(
    running: Running, kept: dict[str, str]
) -> None:
    path = f"/fhir/QuestionnaireResponse/{kept['completed']}/$summary"
    narrow = running.token("patient/QuestionnaireResponse.rs?status=completed", "narrow")
    assert running.send("GET", path, token=narrow).status_code == 403
    whole = running.token("patient/QuestionnaireResponse.rs", "narrow")
    assert running.send("GET", path, token=whole).status_code == 200
