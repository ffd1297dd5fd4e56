"""Backend services: an assertion opens the token endpoint once, and only when all is right."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.support.cases import cases
from tests.support.service import BASE_URL, Running
from tests.support.smart import (
    BACKEND_SCOPE,
    TOKEN_URL,
    ask,
    assertion,
    backend_form,
)

PLACES = {
    "{token}": TOKEN_URL,
    "{base}": BASE_URL,
    "{long}": "j" * 300,
    "{huge}": f"{'a' * 9000}.b.c",
    "{deep}": "",
}


def filled(value: Any) -> Any:
    """The case's value with what stands for our addresses put in."""
    if isinstance(value, list):
        return [filled(one) for one in value]
    if isinstance(value, str):
        for mark, text in PLACES.items():
            value = value.replace(mark, text)
    return value


def deep() -> str:
    """A JWT whose header is as many brackets as fit."""
    import base64  # noqa: PLC0415

    part = base64.urlsafe_b64encode(b"[" * 3000 + b"]" * 3000).rstrip(b"=").decode()
    return f"{part[:4000]}.{part[:4000]}.c"


@pytest.mark.parametrize(("document", "case"), cases("assertions"))
def test_an_assertion_is_answered_as_it_deserves(
    running: Running, document: dict[str, Any], case: dict[str, Any]
) -> None:
    claims = {name: filled(value) for name, value in case.get("claims", {}).items()}
    made = assertion(signing=case.get("key", "ec"), header=case.get("header"), claims=claims)
    signed = made.signed()
    PLACES["{deep}"] = deep()
    form = backend_form(signed, "system/Questionnaire.rs")
    form |= {name: filled(value) for name, value in case.get("form", {}).items()}
    if "again" in case:
        assert ask(running, form).status_code == 200
        if case["again"] == "jti":
            again = assertion(claims={"jti": made.claims["jti"], "exp": 200})
            form["client_assertion"] = again.signed()
    reply = ask(running, form)
    said = json.loads(reply.data)
    assert (reply.status_code, said.get("error")) == (case["status"], case.get("error")), said
    assert reply.headers["Content-Type"] == "application/json"
    assert reply.headers["Cache-Control"] == "no-store"
    assert reply.headers["Pragma"] == "no-cache"
    if case["status"] == 200:
        assert said["token_type"].lower() == "bearer"
        assert said["expires_in"] == 300
        assert said["scope"] == case.get("scope", form["scope"])
        opened = running.send("GET", "/fhir/Questionnaire/short-form", token=said["access_token"])
        wanted = 200 if "Questionnaire." in said["scope"] else 403
        assert opened.status_code == wanted
    else:
        assert "access_token" not in said
        assert said["error_description"].isascii()


def test_a_token_opens_what_it_was_given_for_and_nothing_else(running: Running) -> None:
    reply = ask(running, backend_form(assertion().signed(), BACKEND_SCOPE))
    token = json.loads(reply.data)["access_token"]
    assert running.send("GET", "/fhir/QuestionnaireResponse", token=token).status_code == 200
    assert running.send("GET", "/fhir/Patient", token=token).status_code == 403
    deleted = running.send("DELETE", "/fhir/Questionnaire/short-form", token=token)
    assert deleted.status_code == 403


@pytest.mark.parametrize(
    ("content_type", "body", "status"),
    [
        ("application/json", b"{}", 415),
        ("text/plain", b"grant_type=client_credentials", 415),
        ("application/x-www-form-urlencoded", b"grant_type=a&grant_type=b", 400),
        ("application/x-www-form-urlencoded", b"grant_type=%ff", 400),
        ("application/x-www-form-urlencoded", b"a=b&" * 500, 400),
        ("application/x-www-form-urlencoded", b"", 400),
        ("application/x-www-form-urlencoded", b"grant_type=client_credentials&scope=%00", 401),
    ],
)
def test_what_is_no_form_is_told_in_oauths_words(
    running: Running, content_type: str, body: bytes, status: int
) -> None:
    reply = running.client.post("/auth/token", data=body, content_type=content_type)
    assert reply.status_code == status
    assert set(json.loads(reply.data)) <= {"error", "error_description"}


def test_parameters_in_the_address_are_not_read(running: Running) -> None:
    form = backend_form(assertion().signed())
    scope = form.pop("scope")
    assert scope is None
    reply = running.client.post(
        "/auth/token?grant_type=client_credentials",
        data={k: v for k, v in form.items() if k not in ("grant_type", "scope")},
    )
    assert json.loads(reply.data)["error"] == "unsupported_grant_type"
    assert running.client.get("/auth/token").status_code in (401, 405)
