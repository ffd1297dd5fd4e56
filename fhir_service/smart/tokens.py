"""Access tokens of the embedded authorization server: signed here, verified here.

JWT access tokens, ES256: https://www.rfc-editor.org/rfc/rfc9068
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, KeySet

from fhir_service.fhir.issues import NotSignedIn, NotUnderstood
from fhir_service.smart.access import Access
from fhir_service.smart.scopes import read_scopes

AUDIENCE = "urn:fhir-service"
"""Whom our tokens are for. Not the address: that may change while a token is good."""

_ALGORITHM = "ES256"
_TYPE = "at+jwt"
_LEEWAY_SECONDS = 5


@dataclass(frozen=True, slots=True)
class Claims:
    """What a verified token says. ``expires`` is seconds since 1970."""

    client: str
    jti: str
    access: Access
    expires: int


def new_key(kid: str) -> dict[str, Any]:
    """A new private signing key as a JWK (P-256)."""
    key = ECKey.generate_key("P-256", {"kid": kid, "use": "sig", "alg": _ALGORITHM}, private=True)
    return dict(key.as_dict(private=True))


def public_jwks(keys: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """The public halves of these keys, as a JWK Set (RFC 7517)."""
    return {
        "keys": [dict(ECKey.import_key(dict(key)).as_dict(private=False)) for key in keys],
    }


def issue(
    key: Mapping[str, Any],
    *,
    issuer: str,
    client: str,
    scope: str,
    patient: str | None,
    now: datetime,
    lifetime_seconds: int,
    jti: str,
) -> str:
    """A signed access token. Raises NotUnderstood when ``scope`` can not be granted as written."""
    scopes = read_scopes(scope)
    if patient is None and all(one.level == "patient" for one in scopes):
        raise NotUnderstood("A token of the patient level needs the id of its patient.")
    at = int(now.timestamp())
    claims: dict[str, Any] = {
        "iss": issuer,
        "aud": AUDIENCE,
        "sub": client,
        "client_id": client,
        "scope": scope,
        "iat": at,
        "exp": at + lifetime_seconds,
        "jti": jti,
    }
    if patient is not None:
        claims["patient"] = patient
    header = {"alg": _ALGORITHM, "typ": _TYPE, "kid": key["kid"]}
    return jwt.encode(header, claims, ECKey.import_key(dict(key)))


def verify(token: str, keys: KeySet, *, now: datetime) -> Claims:
    """What the token says, its signature, type, audience and times checked.

    Raises NotSignedIn, with nothing in it of the token.
    """
    try:
        decoded = jwt.decode(token, keys, algorithms=[_ALGORITHM])
        claims = decoded.claims
        good = (
            decoded.header.get("typ") == _TYPE
            and claims["aud"] == AUDIENCE
            and claims["iat"] <= now.timestamp() + _LEEWAY_SECONDS
        )
        said = Claims(
            client=claims["client_id"],
            jti=claims["jti"],
            access=Access(read_scopes(claims["scope"]), claims.get("patient")),
            expires=int(claims["exp"]),
        )
    except (JoseError, ValueError, KeyError, TypeError, AttributeError, NotUnderstood) as wrong:
        raise NotSignedIn("The access token can not be verified; ask for a new one.") from wrong
    if not good:
        raise NotSignedIn("The access token was not made for this server.")
    if said.expires <= now.timestamp():
        raise NotSignedIn("The access token has expired; ask for a new one.")
    return said


def key_set(keys: Iterable[Mapping[str, Any]]) -> KeySet:
    """These JWKs, ready for ``verify``."""
    return KeySet([ECKey.import_key(dict(key)) for key in keys])
