"""Introspection and revocation: who may ask what of which token, and what ends with it.

https://www.rfc-editor.org/rfc/rfc7662 and https://www.rfc-editor.org/rfc/rfc7009
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from fhir_service.smart.assertions import public_client_keys
from tests.support.browser import Browser, app, exchange, tokens
from tests.support.service import BASE_URL, Running
from tests.support.smart import (
    ASSERTION_TYPE,
    ask,
    assertion,
    backend_form,
    key,
    register,
)


@pytest.fixture(scope="module")
def asked(running: Running) -> Running:
    """The service with an app, and a resource server that may ask about every token."""
    app(running)
    keys = public_client_keys([key("ec")])
    register(running, "gateway", jwks=keys, introspects=True)
    return running


def post(running: Running, place: str, token: str | None, client: str | None, **more: str) -> Any:
    form: dict[str, Any] = dict(more)
    if token is not None:
        form["token"] = token
    if client == "app":
        form["client_id"] = "app"
    elif client is not None:
        signing = "other" if client == "other" else "ec"
        form |= {
            "client_assertion_type": ASSERTION_TYPE,
            "client_assertion": assertion(client, signing=signing).signed(),
        }
    return running.client.post(f"/auth/{place}", data=form)


def introspected(running: Running, token: str, client: str) -> dict[str, Any]:
    reply = post(running, "introspect", token, client)
    assert reply.status_code == 200, reply.text
    said: dict[str, Any] = json.loads(reply.data)
    return said


def backend_token(running: Running) -> str:
    return str(tokens(ask(running, backend_form(assertion().signed())))["access_token"])


def test_a_client_is_told_of_its_own_token_and_a_gateway_of_all(asked: Running) -> None:
    token = backend_token(asked)
    for client in ("backend", "gateway"):
        said = introspected(asked, token, client)
        assert said["active"] is True
        assert said["client_id"] == said["sub"] == "backend"
        assert said["scope"] == "system/QuestionnaireResponse.crus system/Questionnaire.rs"
        assert said["iss"] == BASE_URL
        assert said["exp"] > said["iat"]
    assert introspected(asked, token, "other") == {"active": False}


def test_the_context_of_an_apps_token_is_told(asked: Running) -> None:
    said = tokens(exchange(asked, Browser(asked).code()))
    about = introspected(asked, said["access_token"], "gateway")
    assert about["patient"] == "ada"
    assert about["fhirUser"] == f"{BASE_URL}/fhir/Patient/ada"
    assert introspected(asked, said["refresh_token"], "gateway")["active"] is True


@pytest.mark.parametrize(
    "token", ["rubbish", "a.b.c", "eyJhbGciOiJub25lIn0.e30.", "é", "x" * 9000, "{expired}"]
)
def test_of_what_is_not_good_nothing_is_told(asked: Running, token: str) -> None:
    if token == "{expired}":  # noqa: S105  stands for one
        token = asked.service.door.new_token("system/*.rs", None, -60)
    assert introspected(asked, token, "gateway") == {"active": False}


@pytest.mark.parametrize("client", [None, "app"])
def test_who_shows_no_identity_may_not_ask(asked: Running, client: str | None) -> None:
    reply = post(asked, "introspect", backend_token(asked), client)
    assert reply.status_code == 401
    assert json.loads(reply.data)["error"] == "invalid_client"


def test_a_token_must_be_named(asked: Running) -> None:
    for place in ("introspect", "revoke"):
        reply = post(asked, place, None, "backend")
        assert json.loads(reply.data)["error"] == "invalid_request"


def test_a_revoked_access_token_opens_nothing(asked: Running) -> None:
    token, kept = backend_token(asked), backend_token(asked)
    assert post(asked, "revoke", token, "other").status_code == 200
    assert asked.send("GET", "/fhir/Questionnaire", token=token).status_code == 200
    assert post(asked, "revoke", token, "backend").status_code == 200
    refused = asked.send("GET", "/fhir/Questionnaire", token=token)
    assert refused.status_code == 401
    assert 'error="invalid_token"' in refused.headers["WWW-Authenticate"]
    assert introspected(asked, token, "gateway") == {"active": False}
    assert asked.send("GET", "/fhir/Questionnaire", token=kept).status_code == 200
    assert post(asked, "revoke", token, "backend").status_code == 200
    assert post(asked, "revoke", "rubbish", "backend").status_code == 200


def test_a_revoked_refresh_token_ends_its_access_tokens_too(asked: Running) -> None:
    said = tokens(exchange(asked, Browser(asked).code()))
    assert post(asked, "revoke", said["refresh_token"], "app").status_code == 200
    reply = asked.send("GET", "/fhir/QuestionnaireResponse", token=said["access_token"])
    assert reply.status_code == 401
    assert introspected(asked, said["refresh_token"], "gateway") == {"active": False}
    form = {"grant_type": "refresh_token", "refresh_token": said["refresh_token"]}
    again = asked.client.post("/auth/token", data=form | {"client_id": "app"})
    assert json.loads(again.data)["error"] == "invalid_grant"


def test_a_removed_client_is_shut_out_at_once_in_its_process_and_soon_in_all(
    asked: Running,
) -> None:
    register(asked, "leaving", jwks=public_client_keys([key("ec")]))
    form = backend_form(assertion("leaving").signed())
    token = str(tokens(ask(asked, form))["access_token"])
    now = asked.service.site.clock.now()
    assert asked.service.authorizations.remove("leaving", now.replace(year=now.year + 1))
    asked.service.door.forget_revoked()
    assert asked.send("GET", "/fhir/Questionnaire", token=token).status_code == 401
    assert ask(asked, backend_form(assertion("leaving").signed())).status_code == 401


def test_secrets_of_tokens_are_not_in_the_record(asked: Running) -> None:
    code = Browser(asked).code()
    said = tokens(exchange(asked, code))
    rows = asked.service.store.database.rows
    kept = repr([rows(f"SELECT * FROM {t}") for t in ("oauth_grant", "oauth_refresh", "used_jti")])  # noqa: S608
    for secret in (code, said["refresh_token"], said["access_token"]):
        assert secret not in kept
