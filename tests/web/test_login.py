"""Staff come in by a code that is good once, for a few minutes and a few tries."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from werkzeug.test import TestResponse

from fhir_service.workflow import login_codes
from tests.support.launching import session_of
from tests.support.portal import Portal
from tests.support.service import Running, start
from tests.support.ways import CANARY, csrf_in


@pytest.fixture
def clinic(tmp_path: Path) -> Iterator[Running]:
    running = start(tmp_path)
    yield running
    running.close()


def enter(running: Running, code: str) -> TestResponse:
    csrf = csrf_in(running.client.get("/login"))
    return running.client.post("/login", data={"code": code, "csrf": csrf})


def other(code: str) -> str:
    """The same code with another last letter."""
    return code[:-1] + ("2" if code[-1] != "2" else "3")


def test_a_code_lets_one_member_of_staff_in_once(clinic: Running) -> None:
    code = login_codes.create(clinic.service.site, "Dr Example")
    assert len(code.replace("-", "")) == 12
    reply = enter(clinic, code.lower().replace("-", " "))
    assert (reply.status_code, reply.headers["Location"]) == (303, "/summary/")
    session = session_of(clinic, "staff")
    assert session is not None
    assert (session.user, session.patient) == ("Dr Example", None)
    access = session.caller().access
    assert access.may("QuestionnaireResponse", "r") is not None
    assert access.may("QuestionnaireResponse", "u") is None
    assert enter(clinic, code).status_code == 403


def test_letters_that_look_alike_are_taken_for_each_other(
    clinic: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    parts = iter(["10AB", "1010ABCD"])
    monkeypatch.setattr(login_codes, "_letters", lambda _: next(parts))
    assert login_codes.create(clinic.service.site, "Dr Example") == "10AB-1010-ABCD"
    assert enter(clinic, "IOAB lolO abcd").status_code == 303


@pytest.mark.parametrize("code", ["", "x", "0000-0000-0000", "A" * 500, "ÄÖÜ", "AAAA-AAAA-AAA\0"])
def test_what_is_no_code_is_refused_in_plain_words(clinic: Running, code: str) -> None:
    reply = enter(clinic, code)
    assert reply.status_code == 403
    assert "can not be used" in reply.text


def test_wrong_tries_lock_a_code_and_no_other(clinic: Running) -> None:
    site = clinic.service.site
    code, second = (login_codes.create(site, "Dr Example") for _ in range(2))
    for _ in range(login_codes.TRIES):
        assert login_codes.redeem(site, other(code)) is None
    assert login_codes.redeem(site, code) is None
    assert login_codes.redeem(site, second) is not None


def test_a_code_ends_after_its_minutes(clinic: Running) -> None:
    class Later:
        def now(self) -> datetime:
            return datetime.now(UTC) + timedelta(minutes=11)

    code = login_codes.create(clinic.service.site, "Dr Example")
    assert login_codes.redeem(replace(clinic.service.site, clock=Later()), code) is None


def test_the_record_and_the_log_hold_no_code_and_no_name(clinic: Running) -> None:
    site = clinic.service.site
    used, unused = (login_codes.create(site, f"Dr Example{CANARY}") for _ in range(2))
    enter(clinic, used)
    enter(clinic, other(unused))
    rows = clinic.service.store.database.rows
    kept = repr([rows(f"SELECT * FROM {table}") for table in ("one_time", "audit")])  # noqa: S608
    logged = clinic.logged.getvalue().decode()
    for code in (used, unused):
        for canary in (code, code.replace("-", ""), CANARY):
            assert canary not in kept
            assert canary not in logged
    told = rows("SELECT outcome FROM audit WHERE interaction = 'login' ORDER BY id")
    assert [row[0] for row in told] == ["0", "4"]


def test_the_page_leads_to_the_ehr_where_one_is_registered(tmp_path: Path, portal: Portal) -> None:
    running = start(tmp_path, EHR_BASE=portal.base, LAUNCH_CLIENT_ID="our-app")
    page = running.client.get("/login")
    assert "/launch?iss=http%3A%2F%2F127.0.0.1" in page.text
    running.close()


@pytest.mark.parametrize(
    ("wanted", "leads"),
    [
        ("/auth/authorize?client_id=a&state=b%2Fc", "/auth/authorize?client_id=a&state=b%2Fc"),
        ("/summary/a-response", "/summary/a-response"),
        ("https://evil.example.org/", "/summary/"),
        ("//evil.example.org/auth/authorize?", "/summary/"),
        ("/auth/authorize?x\r\nSet-Cookie: a=b", "/summary/"),
        ("/\\evil.example.org", "/summary/"),
    ],
)
def test_who_was_asked_to_log_in_goes_on_where_she_was_going_and_nowhere_else(
    clinic: Running, wanted: str, leads: str
) -> None:
    code = login_codes.create(clinic.service.site, "Dr Example")
    page = clinic.client.get("/login", query_string={"next": wanted})
    found = re.search(r'action="([^"]+)"', page.text)
    assert found is not None
    action = html.unescape(found[1])
    reply = clinic.client.post(action, data={"code": code, "csrf": csrf_in(page)})
    assert (reply.status_code, reply.headers["Location"]) == (303, leads)


def test_a_login_needs_the_token_of_its_page(clinic: Running) -> None:
    code = login_codes.create(clinic.service.site, "Dr Example")
    assert clinic.client.post("/login", data={"code": code}).status_code == 403
    assert session_of(clinic, "staff") is None
