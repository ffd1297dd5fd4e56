"""The integration team sees what waits and why, by session or token, and nothing of a patient."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from fhir_service.workflow import sessions
from fhir_service.workflow.session import Session
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


def test_a_browser_of_staff_gets_a_page_and_no_script(at: Delivering) -> None:
    site = at.running.service.site
    now = site.clock.now()
    session = Session(
        reference="s1",
        kind="staff",
        client="login-code",
        scope="user/*.rs",
        created=now,
        idle_until=now + timedelta(minutes=10),
        expires=now + timedelta(hours=1),
        user="Integration Example",
    )
    begun = sessions.begin(site, session)
    client = at.running.client
    assert client.get("/outbox").status_code == 303
    client.set_cookie("__Host-fhir-staff", begun.secret, domain="localhost")
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
