"""Access tokens of the embedded authorization server: signed here, verified here.

JWT access tokens, ES256: https://www.rfc-editor.org/rfc/rfc9068
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, KeySet, RSAKey

from fhir_service.fhir.issues import NotSignedIn, NotUnderstood
from fhir_service.smart.access import Access
from fhir_service.smart.scopes import read_scopes

AUDIENCE = "urn:fhir-service"
"""Whom our tokens are for. Not the address: that may change while a token is good."""

LONGEST_SECONDS = 86_400
"""The longest that a token lives, but for those that the operator makes."""

_ALGORITHM = "ES256"
_TYPE = "at+jwt"
_LEEWAY_SECONDS = 5


@dataclass(frozen=True, slots=True)
class Claims:
    """What a verified token says. ``expires`` and ``issued`` are seconds since 1970.

    ``grant`` is the id of what a person allowed, where the token was made of that.
    """

    client: str
    jti: str
    access: Access
    expires: int
    issued: int = 0
    scope: str = ""
    grant: str | None = None
    context: Mapping[str, str] = field(default_factory=dict)

    def marks(self) -> tuple[str, ...]:
        """By what it can be revoked: itself, its grant, its client."""
        whole = (self.jti, f"client:{self.client}")
        return (*whole, self.grant) if self.grant else whole


CONTEXT = ("patient", "encounter", "fhirUser")
"""What a token is bound to beside its scopes."""

_RSA_BITS = 2048


def new_key(kid: str) -> dict[str, Any]:
    """A new private signing key as a JWK (P-256)."""
    key = ECKey.generate_key("P-256", {"kid": kid, "use": "sig", "alg": _ALGORITHM}, private=True)
    return dict(key.as_dict(private=True))


def new_identity_key(kid: str) -> dict[str, Any]:
    """A new private key for id_tokens as a JWK: RS256, which OpenID Connect asks for."""
    said: Any = {"kid": kid, "use": "sig", "alg": "RS256"}
    return dict(RSAKey.generate_key(_RSA_BITS, said, private=True).as_dict(private=True))


def public_jwks(keys: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """The public halves of these keys, as a JWK Set (RFC 7517)."""
    made = [(ECKey if key["kty"] == "EC" else RSAKey).import_key(dict(key)) for key in keys]
    return {"keys": [{**key.as_dict(private=False), "use": "sig"} for key in made]}


def issue(  # noqa: PLR0913  each is a claim
    key: Mapping[str, Any],
    *,
    issuer: str,
    client: str,
    scope: str,
    patient: str | None,
    now: datetime,
    lifetime_seconds: int,
    jti: str,
    grant: str | None = None,
    context: Mapping[str, str] | None = None,
) -> str:
    """A signed access token. Raises NotUnderstood when ``scope`` can not be granted as written."""
    scopes = read_scopes(scope)
    if patient is None and all(one.level == "patient" for one in scopes):
        raise NotUnderstood("A token of the patient level needs the id of its patient.")
    at = int(now.timestamp())
    claims: dict[str, Any] = {
        **(context or {}),
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
    if grant is not None:
        claims["grant"] = grant
    return jwt.encode(header(str(key["kid"])), claims, _signing(key))


def header(kid: str) -> dict[str, str]:
    """The header of an access token, its members in the order that joserfc writes them in."""
    return {"typ": _TYPE, "alg": _ALGORITHM, "kid": kid}


def identity_token(key: Mapping[str, Any], claims: Mapping[str, Any]) -> str:
    """A signed id_token of these claims. https://openid.net/specs/openid-connect-core-1_0.html"""
    header = {"alg": "RS256", "typ": "JWT", "kid": key["kid"]}
    return jwt.encode(header, dict(claims), RSAKey.import_key(dict(key)), algorithms=["RS256"])


_SIGNING: dict[str, ECKey] = {}


def _signing(key: Mapping[str, Any]) -> ECKey:
    """The key ready to sign with; reading it costs more than the signature."""
    kid = str(key["kid"])
    made = _SIGNING.get(kid)
    if made is None or made.as_dict(private=True)["d"] != key["d"]:
        made = ECKey.import_key(dict(key))
        _SIGNING.clear()
        _SIGNING[kid] = made
    return made


_UNREADABLE = (
    JoseError,
    ValueError,
    KeyError,
    TypeError,
    AttributeError,
    RecursionError,
    NotUnderstood,
)
"""What reading a token that is none can end in; a header of 8 kB can be nested too deep."""


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
            issued=int(claims["iat"]),
            scope=claims["scope"],
            grant=claims.get("grant"),
            context={name: claims[name] for name in CONTEXT if name in claims},
        )
    except _UNREADABLE as wrong:
        raise NotSignedIn("The access token can not be verified; ask for a new one.") from wrong
    if not good:
        raise NotSignedIn("The access token was not made for this server.")
    if said.expires <= now.timestamp():
        raise NotSignedIn("The access token has expired; ask for a new one.")
    return said


def key_set(keys: Iterable[Mapping[str, Any]]) -> KeySet:
    """These JWKs, ready for ``verify``."""
    return KeySet([ECKey.import_key(dict(key)) for key in keys])
