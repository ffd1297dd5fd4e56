"""A person at a browser before the authorization server, and the app that she is sent back to."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from html import unescape
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from fhir_service.workflow import sessions as keeping
from fhir_service.workflow.oauth.model import Client
from fhir_service.workflow.session import Kind, Session
from tests.support.service import BASE_URL, Running
from tests.support.smart import register

HOST = urlsplit(BASE_URL).netloc
HERE = "https://app.example.org/callback"
VERIFIER = "a-verifier-that-is-as-long-as-one-has-to-be-0123456789"
APP_SCOPE = (
    "launch launch/patient openid fhirUser offline_access online_access"
    " patient/*.rs patient/QuestionnaireResponse.cruds user/Questionnaire.rs"
)
WANTED = "launch/patient openid fhirUser offline_access patient/QuestionnaireResponse.rs"


def challenge(verifier: str = VERIFIER) -> str:
    """The S256 challenge of a verifier."""
    made = hashlib.sha256(verifier.encode()).digest()
    return base64.urlsafe_b64encode(made).rstrip(b"=").decode()


def app(running: Running, id_: str = "app", **members: Any) -> Client:
    """A public app, but for these members."""
    given: dict[str, Any] = {
        "name": "Diary <b>App</b>",
        "auth": "none",
        "grants": ("authorization_code",),
        "scope": APP_SCOPE,
        "redirect_uris": (HERE,),
        "jwks": None,
    } | members
    return register(running, id_, **given)


def begin(running: Running, browser: FlaskClient, kind: Kind, **members: Any) -> Session:
    """Log somebody in: a patient (ada), or staff who may read everything."""
    moment, late = datetime(2026, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)
    scope = "patient/*.rs patient/QuestionnaireResponse.cruds"
    given: dict[str, Any] = {"patient": "ada"} if kind == "patient" else {"user": "Dr Example"}
    if kind == "staff":
        scope = "user/*.cruds"
    given |= members
    draft = Session("", kind, "tests", given.pop("scope", scope), moment, moment, late, **given)
    begun = keeping.begin(running.service.site, draft)
    browser.set_cookie(f"__Host-fhir-{kind}", begun.secret, domain=HOST, secure=True)
    return begun.session


def asked(**changes: Any) -> dict[str, str]:
    """The parameters of an authorization request, but for these; None leaves one out."""
    said: dict[str, Any] = {
        "response_type": "code",
        "client_id": "app",
        "redirect_uri": HERE,
        "scope": WANTED,
        "state": "a state/with+signs=&",
        "aud": f"{BASE_URL}/fhir",
        "code_challenge": challenge(),
        "code_challenge_method": "S256",
    } | changes
    return {name: value for name, value in said.items() if value is not None}


@dataclass
class Browser:
    """One browser; ``kind`` of person at it."""

    running: Running
    kind: Kind = "patient"
    members: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.client = self.running.client.application.test_client()
        if self.kind:
            begin(self.running, self.client, self.kind, **self.members)

    def opens(self, **changes: Any) -> TestResponse:
        """The authorization request, as the app sends the browser there."""
        given = asked(**changes)
        return self.client.get("/auth/authorize", query_string=given, base_url=BASE_URL)

    def decides(self, page: TestResponse, decision: str = "allow", **more: str) -> TestResponse:
        """The consent page sent back, with all that it holds."""
        sent = fields(page) | {"decision": decision, **more}
        return self.client.post("/auth/consent", data=sent, base_url=BASE_URL)

    def code(self, **changes: Any) -> str:
        """The code that the app gets once the person has allowed it."""
        page = self.opens(**changes)
        assert page.status_code == 200, (page.status_code, page.headers.get("Location"))
        return sent_back(self.decides(page))["code"]


def fields(page: TestResponse) -> dict[str, str]:
    """The hidden fields of a page."""
    found = re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)">', page.text)
    return {unescape(name): unescape(value) for name, value in found}


def sent_back(reply: TestResponse) -> dict[str, str]:
    """What the app is told in its address."""
    assert reply.status_code == 302, reply.text[:500]
    parts = urlsplit(reply.headers["Location"])
    assert f"{parts.scheme}://{parts.netloc}{parts.path}" == HERE
    return dict(parse_qsl(parts.query))


def exchange(running: Running, code: str, /, **changes: Any) -> TestResponse:
    """The code shown to the token endpoint."""
    form: dict[str, Any] = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": HERE,
        "client_id": "app",
        "code_verifier": VERIFIER,
    } | changes
    return running.client.post(
        "/auth/token", data={k: v for k, v in form.items() if v is not None}
    )


def tokens(reply: TestResponse) -> dict[str, Any]:
    """The token response."""
    assert reply.status_code == 200, reply.text
    said: dict[str, Any] = json.loads(reply.data)
    return said
