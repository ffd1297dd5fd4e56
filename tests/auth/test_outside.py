"""Another authorization server in place of ours: by its keys, or by asking it; closed if in doubt.

https://www.rfc-editor.org/rfc/rfc9068 and https://www.rfc-editor.org/rfc/rfc7662
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey, RSAKey
from typing_extensions import override

from fhir_service.settings import BadSettings, read_settings
from tests.support.service import BASE_URL, Running, answers, start

ISSUER = "https://login.example.org"
RSA = RSAKey.generate_key(2048, {"kid": "rsa"}, private=True)
EC = ECKey.generate_key("P-256", {"kid": "ec"}, private=True)
STRANGER = ECKey.generate_key("P-256", {"kid": "ec"}, private=True)


@dataclass
class Login:
    """The other server: its keys, what it answers about tokens, and what it was asked."""

    url: str = ""
    introspection: dict[str, Any] = field(default_factory=lambda: {"active": False})
    status: int = 200
    asked: list[tuple[str, str | None]] = field(default_factory=list)


@pytest.fixture
def login() -> Iterator[Login]:
    made = Login()
    keys = {"keys": [RSA.as_dict(private=False), EC.as_dict(private=False)]}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            made.asked.append(("keys", None))
            self._answer(keys)

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            made.asked.append(("token", self.headers["Authorization"]))
            self._answer(made.introspection)

        def _answer(self, said: dict[str, Any]) -> None:
            body = json.dumps(said).encode()
            self.send_response(made.status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        @override
        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    made.url = f"http://127.0.0.1:{server.server_port}"
    Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield made
    server.shutdown()
    server.server_close()


Begin = Callable[..., Running]


@pytest.fixture
def begin(tmp_path: Path) -> Iterator[Begin]:
    started: list[Running] = []

    def made(**settings: str) -> Running:
        started.append(start(tmp_path, AUTH_ISSUER=ISSUER, **settings))
        return started[0]

    yield made
    for running in started:
        running.close()


def signed(key: Any = EC, header: dict[str, Any] | None = None, **changes: Any) -> str:
    now = int(time.time())
    claims: dict[str, Any] = {
        "iss": ISSUER,
        "aud": f"{BASE_URL}/fhir",
        "exp": now + 300,
        "iat": now,
        "client_id": "portal",
        "jti": "j",
        "scope": "patient/QuestionnaireResponse.rs patient/Patient.rs",
        "patient": "ada",
    } | changes
    algorithm = "RS256" if isinstance(key, RSAKey) else "ES256"
    head = {"alg": algorithm, "typ": "at+jwt", "kid": key.kid} | (header or {})
    said = {name: value for name, value in claims.items() if value is not None}
    return jwt.encode(head, said, key, algorithms=[str(head["alg"])])


def status(running: Running, token: str) -> int:
    return running.send("GET", "/fhir/Patient", token=token).status_code


def test_its_tokens_open_what_they_say_for_their_patient_alone(login: Login, begin: Begin) -> None:
    running = begin(AUTH_JWKS_URL=f"{login.url}/jwks")
    for id_ in ("ada", "alan"):
        made = running.send("PUT", f"/fhir/Patient/{id_}", {"resourceType": "Patient", "id": id_})
        assert made.status_code == 201
    for key in (EC, RSA):
        found = running.send("GET", "/fhir/Patient", token=signed(key))
        assert [one["resource"]["id"] for one in json.loads(found.data)["entry"]] == ["ada"]
    assert running.send("GET", "/fhir/Questionnaire", token=signed()).status_code == 403
    sent = running.send("POST", "/fhir/QuestionnaireResponse", answers(), token=signed())
    assert sent.status_code == 403
    assert login.asked == [("keys", None)]


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "https://elsewhere.example.org"},
        {"iss": None},
        {"aud": "https://elsewhere.example.org/fhir"},
        {"aud": None},
        {"exp": 1},
        {"exp": None},
        {"exp": "never"},
        {"nbf": 4_000_000_000},
        {"iat": 4_000_000_000},
        {"client_id": None, "sub": None},
        {"nonce": "an id_token"},
        {"key": STRANGER},
        {"header": {"kid": "nobody"}},
        {"header": {"typ": "dpop+jwt"}},
    ],
)
def test_a_token_that_is_not_all_right_opens_nothing(
    login: Login, begin: Begin, changes: dict[str, Any]
) -> None:
    running = begin(AUTH_JWKS_URL=f"{login.url}/jwks")
    assert status(running, signed(**changes)) == 401


def test_neither_none_nor_a_public_key_as_secret_is_taken(login: Login, begin: Begin) -> None:
    running = begin(AUTH_JWKS_URL=f"{login.url}/jwks")
    _, claims, _ = signed().split(".")
    none = "eyJhbGciOiJub25lIiwidHlwIjoiYXQrand0Iiwia2lkIjoiZWMifQ"
    assert status(running, f"{none}.{claims}.") == 401
    secret = OctKey.import_key(EC.as_pem(private=False).decode().encode().hex())
    said = {"iss": ISSUER, "aud": f"{BASE_URL}/fhir", "exp": int(time.time()) + 60}
    head = {"alg": "HS256", "typ": "at+jwt", "kid": "ec"}
    assert status(running, jwt.encode(head, said, secret, algorithms=["HS256"])) == 401


@pytest.mark.parametrize(
    ("scope", "context", "wanted"),
    [
        ("patient/*.rs", {"patient": None}, 403),
        ("patient/*.rs", {"patient": ["ada"]}, 403),
        ("patient/*.rs", {"patient": "Patient/ada"}, 200),
        ("user/*.rs", {"patient": None}, 403),
        ("user/*.rs", {"fhirUser": "https://ehr.example.org/fhir/Practitioner/1"}, 200),
        ("system/*.rs", {"patient": None}, 200),
        (["system/*.rs"], {"patient": None}, 200),
        ("nonsense", {}, 403),
        ("", {}, 403),
        (None, {}, 403),
    ],
)
def test_a_scope_that_stands_on_nobody_counts_for_nothing(
    login: Login, begin: Begin, scope: object, context: dict[str, Any], wanted: int
) -> None:
    running = begin(AUTH_JWKS_URL=f"{login.url}/jwks")
    assert status(running, signed(scope=scope, **context)) == wanted


def test_when_its_keys_can_not_be_had_nobody_gets_in(login: Login, begin: Begin) -> None:
    running = begin(AUTH_JWKS_URL=f"{login.url}/jwks")
    login.status = 500
    assert status(running, signed()) == 401
    assert status(running, running.token()) == 200


def test_introspection_asks_once_a_minute_and_believes_only_active(
    login: Login, begin: Begin
) -> None:
    running = begin(
        AUTH_INTROSPECTION_URL=f"{login.url}/introspect",
        AUTH_CLIENT_ID="us",
        AUTH_CLIENT_SECRET="a secret: ü",  # noqa: S106
    )
    assert status(running, "opaque") == 401
    assert status(running, "opaque") == 401
    assert len(login.asked) == 1
    assert login.asked[0][1] == "Basic dXM6YSUyMHNlY3JldCUzQSUyMCVDMyVCQw=="
    login.introspection = {"active": True, "scope": "system/*.rs", "client_id": "portal"}
    assert status(running, "another") == 200
    assert status(running, "another") == 200
    assert len(login.asked) == 2
    login.introspection = {"active": True, "scope": "patient/*.rs", "client_id": "portal"}
    assert status(running, "a third") == 403
    login.introspection = {"active": "true", "scope": "system/*.rs", "client_id": "portal"}
    assert status(running, "a fourth") == 401
    login.status = 500
    assert status(running, "a fifth") == 503
    assert "AUTH_CLIENT_SECRET" not in running.logged.getvalue().decode()


def test_where_another_server_gives_out_tokens_ours_does_not(login: Login, begin: Begin) -> None:
    running = begin(
        AUTH_JWKS_URL=f"{login.url}/jwks",
        AUTH_TOKEN_URL=f"{ISSUER}/get",
    )
    said = json.loads(running.client.get("/fhir/.well-known/smart-configuration").data)
    assert said["issuer"] == ISSUER
    assert said["token_endpoint"] == f"{ISSUER}/get"
    assert "authorization_endpoint" not in said
    reply = running.client.post("/auth/token", data={"grant_type": "client_credentials"})
    assert reply.status_code in (401, 404)


@pytest.mark.parametrize(
    "environ",
    [
        {"AUTH_ISSUER": ISSUER},
        {"AUTH_JWKS_URL": "https://login.example.org/jwks"},
        {
            "AUTH_ISSUER": ISSUER,
            "AUTH_JWKS_URL": "https://login.example.org/jwks",
            "AUTH_INTROSPECTION_URL": "https://login.example.org/introspect",
        },
    ],
)
def test_half_a_setting_stops_the_start(environ: dict[str, str]) -> None:
    with pytest.raises(BadSettings):
        read_settings({f"FHIR_SERVICE_{name}": value for name, value in environ.items()})
