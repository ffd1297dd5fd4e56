"""A portal with a SMART authorization server, on a real socket, that can be told to answer badly.

Written after the standard: PKCE is checked, a code is good once, the id_token is signed.
https://hl7.org/fhir/smart-app-launch/app-launch.html
"""

from __future__ import annotations

import secrets
import threading
import time
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from hashlib import sha256
from typing import Any
from urllib.parse import unquote_plus, urlencode

from flask import Flask, Response, jsonify, redirect, request
from joserfc import jwt
from joserfc.jwk import RSAKey
from werkzeug.datastructures import Authorization
from werkzeug.serving import make_server

CLIENT = "our-app"


@cache
def _key() -> RSAKey:
    """The portal's key: making one is slow."""
    return RSAKey.generate_key(2048, {"kid": "one"})


@dataclass
class Portal:
    """What the portal says. ``claims`` and ``answer`` change its id_token and token response."""

    base: str = ""
    key: RSAKey = field(default_factory=_key)
    signs_with: RSAKey | None = None
    launches: dict[str, dict[str, Any]] = field(default_factory=dict)
    patients: dict[str, dict[str, Any]] = field(default_factory=dict)
    people: dict[str, dict[str, Any]] = field(default_factory=dict)
    claims: dict[str, Any] = field(default_factory=dict)
    answer: dict[str, Any] = field(default_factory=dict)
    configuration: dict[str, Any] = field(default_factory=dict)
    token_status: int = 200
    secret: str | None = None
    asked: list[str] = field(default_factory=list)
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    tokens: list[str] = field(default_factory=list)

    def issuer(self) -> str:
        return self.base.removesuffix("/fhir")

    def app(self) -> Flask:
        made = Flask("portal")

        @made.before_request
        def note() -> None:
            self.asked.append(request.path)

        @made.get("/fhir/.well-known/smart-configuration")
        def configuration() -> Response:
            said = {
                "issuer": self.issuer(),
                "jwks_uri": f"{self.issuer()}/jwks",
                "authorization_endpoint": f"{self.issuer()}/authorize?tenant=a",
                "token_endpoint": f"{self.issuer()}/token",
                "code_challenge_methods_supported": ["S256"],
            } | self.configuration
            return jsonify({name: value for name, value in said.items() if value is not None})

        @made.get("/jwks")
        def jwks() -> Response:
            return jsonify({"keys": [dict(self.key.as_dict(private=False), use="sig")]})

        @made.get("/authorize")
        def authorize() -> Any:
            given = request.args
            assert given["aud"] == self.base
            assert given["code_challenge_method"] == "S256"
            assert given["tenant"] == "a"
            code = secrets.token_urlsafe(16)
            self.codes[code] = dict(given)
            back = {"code": code, "state": given["state"]}
            return redirect(f"{given['redirect_uri']}?{urlencode(back)}")

        @made.post("/token")
        def token() -> Any:
            return self.token()

        @made.get("/fhir/<kind>/<id_>")
        def read(kind: str, id_: str) -> Any:
            if request.headers.get("Authorization", "").removeprefix("Bearer ") not in self.tokens:
                return {"error": "no"}, 401
            kept = self.patients if kind == "Patient" else self.people
            return (kept[id_], 200) if id_ in kept else ({"error": "no"}, 404)

        return made

    def token(self) -> Any:
        if self.token_status != 200:
            return {"error": "invalid_grant"}, self.token_status
        asked = self.codes.pop(request.form["code"], None)
        if asked is None:
            return {"error": "invalid_grant"}, 400
        made = sha256(request.form["code_verifier"].encode()).digest()
        if urlsafe_b64encode(made).rstrip(b"=").decode() != asked["code_challenge"]:
            return {"error": "invalid_grant"}, 400
        if self.secret is not None:
            given = request.authorization
            if given is None or _pair(given) != (CLIENT, self.secret):
                return {"error": "invalid_client"}, 401
        elif request.form["client_id"] != CLIENT:
            return {"error": "invalid_client"}, 401
        context = self.launches.get(asked.get("launch", ""), {})
        token = secrets.token_urlsafe(16)
        self.tokens.append(token)
        answer = {
            "access_token": token,
            "token_type": "Bearer",
            "expires_in": 300,
            "scope": asked["scope"],
            "id_token": self.id_token(asked, context),
            **{name: value for name, value in context.items() if name != "fhirUser"},
        } | self.answer
        return {name: value for name, value in answer.items() if value is not None}

    def id_token(self, asked: dict[str, str], context: dict[str, Any]) -> str:
        now = int(time.time())
        claims = {
            "iss": self.issuer(),
            "aud": CLIENT,
            "sub": "somebody",
            "iat": now,
            "exp": now + 300,
            "nonce": asked["nonce"],
            "fhirUser": context.get("fhirUser"),
        } | self.claims
        said = {name: value for name, value in claims.items() if value is not None}
        return jwt.encode({"alg": "RS256", "kid": "one"}, said, self.signs_with or self.key)


def _pair(given: Authorization) -> tuple[str, str]:
    """Name and secret as RFC 6749, 2.3.1 has them: each encoded as in a form."""
    return unquote_plus(str(given.username)), unquote_plus(str(given.password))


@contextmanager
def running_portal() -> Iterator[Portal]:
    """A portal on a free port of this machine, until the end."""
    portal = Portal()
    server = make_server("127.0.0.1", 0, portal.app(), threaded=True)
    portal.base = f"http://127.0.0.1:{server.server_port}/fhir"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield portal
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
