"""Clients of the authorization server, and the assertions that they sign, good or bad."""

from __future__ import annotations

import base64
import json
import time
from dataclasses import dataclass
from functools import cache
from typing import Any
from uuid import uuid4

from joserfc import jws, jwt
from joserfc.jwk import ECKey, KeySet, OctKey, RSAKey
from werkzeug.test import TestResponse

from fhir_service.smart.assertions import new_client_key, public_client_keys
from fhir_service.workflow.oauth.model import Client
from tests.support.service import BASE_URL, Running

TOKEN_URL = f"{BASE_URL}/auth/token"
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
BACKEND_SCOPE = "system/QuestionnaireResponse.crus system/Questionnaire.rs"


@cache
def key(name: str) -> dict[str, Any]:
    """A private key, the same one for the same name: RSA where the name begins so, else EC."""
    return new_client_key(name, "RS384" if name.startswith("rsa") else "ES384")


def register(running: Running, id_: str, **members: Any) -> Client:
    """A backend service with the keys "ec" and "rsa", but for these members."""
    given: dict[str, Any] = {
        "name": id_,
        "auth": "private_key_jwt",
        "grants": ("client_credentials",),
        "scope": BACKEND_SCOPE,
        "created": running.service.site.clock.now(),
        "jwks": public_client_keys([key("ec"), key("rsa")]),
    } | members
    client = Client(id=id_, **given)
    running.service.authorizations.register(client)
    return client


@dataclass(frozen=True)
class Assertion:
    """An assertion in the making: header and claims, and how it is signed."""

    header: dict[str, Any]
    claims: dict[str, Any]
    signing: str = "ec"

    def signed(self) -> str:
        """The assertion."""
        return _SIGNING.get(self.signing, _by_key)(self)


def assertion(
    client: str = "backend",
    *,
    signing: str = "ec",
    header: dict[str, Any] | None = None,
    claims: dict[str, Any] | None = None,
) -> Assertion:
    """A good assertion, but for these members; None leaves one out.

    ``exp``, ``iat`` and ``nbf`` are seconds from now.
    """
    now = int(time.time())
    said: dict[str, Any] = {"iss": client, "sub": client, "aud": TOKEN_URL, "jti": str(uuid4())}
    said |= {"exp": 240, "iat": 0} | (claims or {})
    for name in ("exp", "iat", "nbf"):
        if isinstance(said.get(name), int) and not isinstance(said[name], bool):
            said[name] += now
    by_rsa = signing in ("rsa", "rs256")
    head: dict[str, Any] = {
        "alg": "RS384" if by_rsa else "ES384",
        "typ": "JWT",
        "kid": "rsa" if by_rsa else "other" if signing == "other" else "ec",
    } | (header or {})
    return Assertion(
        {k: v for k, v in head.items() if v is not None},
        {k: v for k, v in said.items() if v is not None},
        signing,
    )


def ask(running: Running, form: dict[str, Any], **headers: str) -> TestResponse:
    """What the token endpoint answers to this form; None leaves a member out."""
    sent = {k: v for k, v in form.items() if v is not None}
    return running.client.post("/auth/token", data=sent, headers=headers)


def backend_form(signed: str, scope: str | None = None) -> dict[str, Any]:
    """The form of a backend service."""
    return {
        "grant_type": "client_credentials",
        "scope": scope,
        "client_assertion_type": ASSERTION_TYPE,
        "client_assertion": signed,
    }


def _by_key(made: Assertion) -> str:
    named = "rsa" if made.signing == "rs256" else made.signing
    jwk = key("ec-stranger" if named == "stranger" else "ec-other" if named == "other" else named)
    jwk = {k: v for k, v in jwk.items() if k != "alg"}
    signer = (ECKey if jwk["kty"] == "EC" else RSAKey).import_key(jwk)
    algorithm = made.header["alg"] = "RS256" if made.signing == "rs256" else made.header["alg"]
    registry = jws.JWSRegistry(algorithms=[algorithm], strict_check_header=False)
    registry.check_header = lambda header: None  # type: ignore[method-assign]  # bad ones too
    payload = json.dumps(made.claims).encode()
    return jws.serialize_compact(made.header, payload, signer, registry=registry)


def _none(made: Assertion) -> str:
    header = {"alg": "none", **{k: v for k, v in made.header.items() if k != "alg"}}
    if made.header["alg"] != "ES384":
        header["alg"] = made.header["alg"]
    return f"{_part(header)}.{_part(made.claims)}."


def _hmac(made: Assertion) -> str:
    public = ECKey.import_key(key("ec")).as_pem(private=False)
    header = made.header | {"alg": "HS256"}
    with_secret = OctKey.import_key(base64.b64encode(public).decode())
    return jwt.encode(header, made.claims, with_secret, algorithms=["HS256"])


def _tampered(made: Assertion) -> str:
    header, _, signature = _by_key(made).split(".")
    return f"{header}.{_part(made.claims | {'jti': 'another'})}.{signature}"


_SIGNING = {"none": _none, "hmac": _hmac, "tampered": _tampered}


def _part(members: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(members).encode()).rstrip(b"=").decode()


def key_set(jwks: dict[str, Any]) -> KeySet:
    """A published JWK Set, ready to verify with."""
    return KeySet.import_key_set(jwks)  # type: ignore[arg-type]
