"""Links without login: what opens them, what closes them, and how little they open."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from fhir_service.fhir.issues import NotAllowed, NotHere, NotValid, TooMany
from fhir_service.store.people import erase_patient
from fhir_service.web.guard import CLIENTS, OPEN
from fhir_service.web.page_table import PAGES
from fhir_service.web.tries import Tries
from fhir_service.workflow import links, read, sessions, submit, summarise
from fhir_service.workflow.answering import parties
from fhir_service.workflow.session import Answering, Session
from tests.support.service import Running, answers, start
from tests.support.ways import (
    CANARY,
    CLINIC,
    FORM,
    a_link,
    a_patient,
    born,
    offered_form,
    open_path,
    path_of,
    publish,
)


@pytest.fixture
def clinic(tmp_path: Path) -> Iterator[Running]:
    running = start(tmp_path)
    publish(running, offered_form())
    a_patient(running)
    yield running
    running.close()


def session_of(running: Running) -> Session:
    """The patient's session that the browser has."""
    cookie = running.client.get_cookie("__Host-fhir-patient", domain="localhost")
    assert cookie is not None
    found = sessions.find(running.service.site, cookie.value, "patient")
    assert found is not None
    return found


def outcome(running: Running, link: links.Link, when: str = "1951-03-27") -> bool:
    """Whether this date of birth opens the link."""
    token = link.address.rpartition("/")[2].partition("?")[0]
    return links.open_link(running.service.site, token, when, Answering()) is not None


def expired_link(running: Running) -> links.Link:
    """A link of which the time has come."""
    link = a_link(running)
    past = "UPDATE link SET expires = ? WHERE id = ?"
    running.service.store.database.write(lambda c: c.run(past, (1, link.id)))
    return link


def test_the_right_date_of_birth_opens_one_form_for_one_patient(clinic: Running) -> None:
    link = a_link(clinic, language="es")
    page = clinic.client.get(path_of(link))
    assert "¿Es usted?" in page.text
    reply = open_path(clinic, path_of(link), born())
    assert (reply.status_code, reply.headers["Location"]) == (303, "/forms/")
    session = session_of(clinic)
    assert (session.patient, session.questionnaire) == ("ada", FORM)
    assert (session.response, session.language) == (link.response, "es")
    assert session.answering.is_patient


def test_looking_at_a_link_uses_nothing_up(clinic: Running) -> None:
    link = a_link(clinic, uses=1)
    for _ in range(5):
        assert clinic.client.get(path_of(link)).status_code == 200
        assert clinic.client.head(path_of(link)).status_code == 200
    assert outcome(clinic, link)
    assert not outcome(clinic, link)


def test_a_link_is_gone_on_with_on_another_device_as_often_as_it_has_uses(
    clinic: Running,
) -> None:
    link = a_link(clinic, uses=3)
    assert [outcome(clinic, link) for _ in range(4)] == [True, True, True, False]


def test_wrong_dates_lock_a_link_for_good(clinic: Running) -> None:
    link = a_link(clinic)
    for _ in range(links.TRIES - 1):
        assert not outcome(clinic, link, "1951-03-28")
    assert outcome(clinic, link)  # and all tries are there again
    for _ in range(links.TRIES):
        assert not outcome(clinic, link, "1951-03-28")
    assert not outcome(clinic, link)
    (kept,) = clinic.service.store.reading().links.of_patient("ada")
    assert kept.state(datetime.now(UTC)) == "locked"


def test_an_expired_link_opens_nothing(clinic: Running) -> None:
    link = expired_link(clinic)
    assert not outcome(clinic, link)


def test_a_revoked_link_opens_nothing_and_ends_the_sessions_it_opened(clinic: Running) -> None:
    link = a_link(clinic)
    open_path(clinic, path_of(link), born())
    cookie = clinic.client.get_cookie("__Host-fhir-patient", domain="localhost")
    assert cookie is not None
    assert links.revoke_link(clinic.service.site, CLINIC, link.id)
    assert not links.revoke_link(clinic.service.site, CLINIC, link.id)
    assert sessions.find(clinic.service.site, cookie.value, "patient") is None
    assert not outcome(clinic, link)
    with pytest.raises(NotHere):
        links.revoke_link(clinic.service.site, CLINIC, "never-there")


def test_unknown_expired_revoked_locked_and_wrong_are_answered_alike(clinic: Running) -> None:
    expired = expired_link(clinic)
    revoked, wrong = a_link(clinic), a_link(clinic)
    links.revoke_link(clinic.service.site, CLINIC, revoked.id)
    unknown = "/link/" + "A" * 43
    told = set()
    for path, date in (
        (path_of(expired), "1951-03-27"),
        (path_of(revoked), "1951-03-27"),
        (path_of(wrong), "1951-03-28"),
        (unknown, "1951-03-27"),
    ):
        seen = clinic.client.get(path)
        assert seen.status_code == 200
        reply = open_path(clinic, path, born(date))
        text = re.sub(r'value="[^"]*"', "", reply.text)
        told.add((reply.status_code, text, reply.headers.get("Location")))
        assert "Set-Cookie" not in reply.headers
    assert len(told) == 1


@pytest.mark.parametrize(
    "fields",
    [
        {"day": "31", "month": "2", "year": "1951"},
        {"day": "", "month": "3", "year": "1951"},
        {"day": "27", "month": "March", "year": "1951"},
        {"day": "²7", "month": "3", "year": "1951"},
        {},
    ],
)
def test_what_is_no_date_is_told_and_costs_no_try(clinic: Running, fields: dict[str, str]) -> None:
    link = a_link(clinic)
    reply = open_path(clinic, path_of(link), fields)
    assert reply.status_code == 422
    assert "Enter day, month and year" in reply.text
    (kept,) = clinic.service.store.reading().links.of_patient("ada")
    assert kept.tries_left == links.TRIES


def test_a_helper_says_who_she_is_and_becomes_source_and_author(clinic: Running) -> None:
    link = a_link(clinic)
    helping = born(who="helper", name="Grace <b>Example</b>\u202e", relation="child")
    for missing in ("name", "relation"):
        reply = open_path(clinic, path_of(link), helping | {missing: ""})
        assert reply.status_code == 422
        assert "Enter your name and what you are" in reply.text
    assert open_path(clinic, path_of(link), helping).status_code == 303
    session = session_of(clinic)
    assert session.answering == Answering("Grace <b>Example</b>", "child")
    said = parties(session)
    body = answers(status="in-progress") | {"id": link.response} | said
    caller = session.caller()
    kept = submit.update(clinic.service.site, caller, link.response, json.dumps(body).encode())
    assert kept.created
    (person,) = said["contained"]
    assert said["source"] == said["author"] == {"reference": f"#{person['id']}"}
    assert person["relationship"][0]["coding"][0]["code"] == "CHILD"


def test_the_patient_is_source_and_author_of_her_own_answers(clinic: Running) -> None:
    open_path(clinic, path_of(a_link(clinic)), born())
    said = parties(session_of(clinic))
    assert said == {"author": {"reference": "Patient/ada"}, "source": {"reference": "Patient/ada"}}


def test_a_link_opens_its_own_response_and_nothing_else(clinic: Running) -> None:
    """Every use case is asked: another response of the same patient, another form, the summary."""
    site = clinic.service.site
    other = clinic.send("POST", "/fhir/QuestionnaireResponse", answers("ada"))
    other_id = json.loads(other.data)["id"]
    publish(clinic, offered_form(id="another", url=f"{FORM.partition('|')[0]}-2"))
    link = a_link(clinic)
    open_path(clinic, path_of(link), born())
    caller = session_of(clinic).caller()
    hers = answers(status="in-progress") | {"id": link.response}
    submit.update(site, caller, link.response, json.dumps(hers).encode())
    read.read(site, caller, "QuestionnaireResponse", link.response)
    with pytest.raises(NotHere):
        read.read(site, caller, "QuestionnaireResponse", other_id)
    with pytest.raises(NotHere):
        read.vread(site, caller, "QuestionnaireResponse", other_id, 1)
    with pytest.raises(NotHere):
        read.history(site, caller, "QuestionnaireResponse", other_id)
    with pytest.raises(NotHere):
        submit.update(
            site, caller, other_id, json.dumps(answers("ada") | {"id": other_id}).encode(), 1
        )
    with pytest.raises(NotAllowed):
        submit.create(site, caller, json.dumps(answers("ada")).encode())
    with pytest.raises(NotAllowed):
        submit.delete(site, caller, link.response)
    another = hers | {"questionnaire": f"{FORM.partition('|')[0]}-2|1.0.0"}
    with pytest.raises(NotValid):
        submit.update(site, caller, link.response, json.dumps(another).encode(), 1)
    fresh = a_link(clinic)
    open_path(clinic, path_of(fresh), born())
    another["id"] = fresh.response
    with pytest.raises(NotAllowed):
        submit.update(
            site, session_of(clinic).caller(), fresh.response, json.dumps(another).encode()
        )
    with pytest.raises(NotAllowed):
        summarise.summary(site, caller, other_id, "text")
    with pytest.raises(NotAllowed):
        links.create_link(site, caller, patient="ada", questionnaire=FORM)


def test_the_session_of_a_link_reaches_no_route_but_those_of_patients(clinic: Running) -> None:
    """Over all routes: the cookie is no token, and opens no page of staff."""
    open_path(clinic, path_of(a_link(clinic)), born())
    asked = 0
    for rule in clinic.client.application.url_map.iter_rules():
        page = PAGES.get(rule.endpoint)
        if page is not None and page.who != "staff":
            continue
        path = re.sub(r"<[^>]*>", "1", rule.rule)
        if not path.startswith(("/fhir/", "/auth/", "/summary", "/cds")):
            continue
        if rule.endpoint in OPEN | CLIENTS:
            continue
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}:
            asked += 1
            reply = clinic.client.open(path, method=method)
            assert reply.status_code in (303, 400, 401, 405), (method, path, reply.status_code)
    assert asked > 40


def test_the_record_and_the_log_hold_no_token_no_date_and_no_name(clinic: Running) -> None:
    link = a_link(clinic)
    open_path(clinic, path_of(link), born("1951-03-28"))
    helping = born(who="helper", name=f"Grace {CANARY}", relation="child")
    open_path(clinic, path_of(link), helping)
    token = link.address.rpartition("/")[2]
    rows = clinic.service.store.database.rows
    kept = repr([rows(f"SELECT * FROM {table}") for table in ("link", "audit")])  # noqa: S608
    logged = clinic.logged.getvalue().decode() + clinic.client.get("/metrics").text
    for canary in (token, "1951-", CANARY):  # times are numbers, and may hold any digits
        assert canary not in kept, canary
        assert canary not in logged, canary
    outcomes = [row[0] for row in rows("SELECT outcome FROM audit WHERE interaction = 'login'")]
    assert outcomes == ["4", "0"]


def test_erasing_a_patient_closes_her_links_and_sessions(clinic: Running) -> None:
    link = a_link(clinic)
    open_path(clinic, path_of(link), born())
    erase_patient(clinic.service.store, "ada")
    rows = clinic.service.store.database.rows
    assert rows("SELECT count(*) FROM link") == rows("SELECT count(*) FROM browser_session")
    assert not outcome(clinic, link)


def test_who_guesses_from_one_address_is_stopped(clinic: Running, tmp_path: Path) -> None:
    strict = start(tmp_path / "strict", TRIES_PER_ADDRESS="3", TRUSTED_PROXIES="1")
    path = "/link/" + "A" * 43
    sent = {"headers": {"X-Forwarded-For": "203.0.113.7"}}
    statuses = [open_path(strict, path, born(), **sent).status_code for _ in range(4)]
    assert statuses == [403, 403, 403, 429]
    other = {"headers": {"X-Forwarded-For": "203.0.113.8"}}
    assert open_path(strict, path, born(), **other).status_code == 403
    strict.close()


def test_wrong_tries_are_forgotten_after_their_time() -> None:
    now = [0.0]
    tries = Tries(2, lambda: now[0])
    for _ in range(2):
        tries.must_may_try("a")
        tries.wrong("a")
    with pytest.raises(TooMany):
        tries.must_may_try("a")
    tries.must_may_try("b")
    now[0] = 901.0
    tries.must_may_try("a")
    tries.wrong("a")
    tries.must_may_try("a")


def test_the_session_of_a_link_ends_with_it(clinic: Running) -> None:
    expires = datetime.now(UTC) + timedelta(minutes=5)
    open_path(clinic, path_of(a_link(clinic, expires=expires)), born())
    session = session_of(clinic)
    assert session.expires <= expires
    assert replace(session, idle_until=expires).expires <= expires
