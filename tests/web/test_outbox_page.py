"""The integration team sees what waits and why, by session or token, and nothing of a patient."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from fhir_service.workflow import login_codes
from tests.support.delivering import Delivering, delivering
from tests.support.ehr import an_ehr


@pytest.fixture
def at(tmp_path: Path) -> Iterator[Delivering]:
    with an_ehr() as ehr, delivering(tmp_path, ehr, "plain") as made:
        ehr.put({"resourceType": "Patient", "id": "zoe"})  # a word that no hash can hold
        ehr.plan = lambda: "422"
        made.send("zoe")
        made.work()
        ehr.plan = lambda: "none"
        made.send("zoe", authored="2026-03-16T09:30:00+01:00")
        yield made


def test_a_program_gets_counts_entries_and_the_ledger_as_json(at: Delivering) -> None:
    reply = at.running.send("GET", "/outbox")
    told = json.loads(reply.data)
    assert reply.content_type == "application/json"
    assert told["counts"] == {"refused": 1, "due": 1}
    first = told["entries"][0]
    assert (first["number"], first["state"], first["due"]) == (1, "refused", None)
    assert first["reason"] == "refused:422:invalid"
    told = json.loads(at.running.send("GET", "/outbox/1").data)
    (attempt,) = told["attempts"]
    assert (attempt["status"], attempt["result"]) == (422, "refused")
    assert len(attempt["sha256"]) == 64
    only = json.loads(at.running.send("GET", "/outbox?state=due").data)
    assert [one["number"] for one in only["entries"]] == [2]
    later = json.loads(at.running.send("GET", "/outbox?after=1").data)
    assert [one["number"] for one in later["entries"]] == [2]


def test_nothing_of_a_patient_stands_there(at: Delivering) -> None:
    for path in ("/outbox", "/outbox/1", "/outbox/2"):
        for accept in ("application/json", "text/html"):
            reply = at.running.send("GET", path, headers={"Accept": accept})
            assert reply.status_code == 200
            for word in ("zoe", "Example", "comes back", "1951"):
                assert word not in reply.text


def logged_in(at: Delivering, *, acts: bool) -> FlaskClient:
    """A browser of staff, come in by a code that was made so."""
    site = at.running.service.site
    begun = login_codes.redeem(site, login_codes.create(site, "Integration Example", outbox=acts))
    assert begun is not None
    at.running.client.set_cookie("__Host-fhir-staff", begun.secret, domain="localhost")
    return at.running.client


def audited(at: Delivering, interaction: str) -> list[dict[str, Any]]:
    found = json.loads(at.running.send("GET", "/fhir/AuditEvent?_count=100").data)
    made = [one["resource"] for one in found["entry"]]
    return [one for one in made if one["subtype"][0]["code"] == interaction]


def test_a_browser_of_staff_gets_a_page_and_no_script(at: Delivering) -> None:
    assert at.running.client.get("/outbox").status_code == 303
    client = logged_in(at, acts=False)
    reply = client.get("/outbox", headers={"Accept": "text/html"})
    assert reply.status_code == 200
    assert "refused:422:invalid" in reply.text
    assert "<script" not in reply.text
    assert reply.headers["Cache-Control"] == "no-store"
    assert "SHA-256" in client.get("/outbox/1", headers={"Accept": "text/html"}).text


@pytest.mark.parametrize("scope", ["user/*.cruds", "system/Questionnaire.rs", "patient/*.rs"])
def test_a_token_of_another_level_or_for_something_else_is_refused(
    at: Delivering, scope: str
) -> None:
    patient = "ada" if scope.startswith("patient") else None
    token = at.running.token(scope, patient)
    for path in ("/outbox", "/outbox/1"):
        assert at.running.send("GET", path, token=token).status_code == 403


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/outbox?state=lost", 400),
        ("/outbox?after=x", 400),
        ("/outbox/99", 404),
        ("/outbox/99999999999999999999999", 404),
    ],
)
def test_what_is_not_there_or_not_understood_is_told(
    at: Delivering, path: str, status: int
) -> None:
    reply = at.running.send("GET", path)
    assert reply.status_code == status
    assert json.loads(reply.data)["resourceType"] == "OperationOutcome"


def test_without_any_token_or_session_it_is_closed(at: Delivering) -> None:
    client = at.running.client
    assert client.get("/outbox").status_code == 303
    assert client.get("/outbox", headers={"Authorization": "Bearer nonsense"}).status_code == 401


def test_who_may_act_does_it_on_the_page_and_the_audit_names_her(at: Delivering) -> None:
    client = logged_in(at, acts=True)
    shown = client.get("/outbox/1", headers={"Accept": "text/html"}).text
    assert re.findall(r"<button.*?>(.*?)<", shown) == [
        "Try again",
        "It is in the chart",
        "Send it",
    ]
    match = re.search(r'name="csrf" value="(.*?)"', shown)
    assert match
    form = {"csrf": match[1], "do": "retry"}
    assert client.post("/outbox/1", data=form | {"csrf": "x"}).status_code == 403
    reply = client.post("/outbox/1", data=form)
    assert (reply.status_code, reply.headers["Location"]) == (303, "/outbox/1")
    assert at.states()[0] == ("due", "retried-by-a-person")
    (line,) = audited(at, "outbox-retry")
    assert "Integration Example" in json.dumps(line["agent"])
    assert {"reference": "Patient/zoe"} in [one["what"] for one in line["entity"]]
    client.post("/outbox/1", data=form | {"do": "filed", "ehr_id": " note-7 "})
    assert at.states()[0] == ("delivered", "filed-by-a-person")
    assert at.entries()[0].ehr_id == "note-7"
    assert "<button" not in client.get("/outbox/1", headers={"Accept": "text/html"}).text
    assert client.post("/outbox/1", data=form).status_code == 409


def test_who_may_only_look_sees_no_button_and_is_refused(at: Delivering) -> None:
    client = logged_in(at, acts=False)
    assert "<button" not in client.get("/outbox/1", headers={"Accept": "text/html"}).text
    token = at.running.token("system/*.rs")
    assert at.running.send("POST", "/outbox/1", b"do=retry", token=token).status_code == 403
    assert at.states()[0][0] == "refused"


def test_a_program_acts_with_a_token_that_may_update(at: Delivering) -> None:
    token = at.running.token("system/QuestionnaireResponse.rus")
    form = {"Content-Type": "application/x-www-form-urlencoded"}

    def post(body: str) -> TestResponse:
        return at.running.send("POST", "/outbox/1", body.encode(), token=token, headers=form)

    told = json.loads(post("do=release&encounter=e1").data)
    assert (told["entry"]["state"], told["actions"]) == ("released", ["filed"])
    assert at.entries()[0].encounter == "e1"
    assert len(audited(at, "outbox-release")) == 1
    assert [post(body).status_code for body in ("do=nothing", "", "do=filed&ehr_id=a%20b")] == [
        400,
        400,
        400,
    ]
