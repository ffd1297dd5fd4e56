"""SMART App Launch from the app's side, the pure part: PKCE, where to send the browser, who it is.

https://hl7.org/fhir/smart-app-launch/app-launch.html
"""

from __future__ import annotations

import hmac
import re
import secrets
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any, Final, Literal
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

Trouble = Literal[
    "unknown-ehr",
    "no-smart",
    "not-reachable",
    "refused-there",
    "state",
    "token",
    "identity",
    "no-patient",
    "no-person",
]
"""Why a launch ended: the page tells each in plain words."""

ALGORITHMS: Final = ("RS256", "RS384", "ES256", "ES384")
LEEWAY_SECONDS: Final = 60

_SECRET_BYTES = 32
_ID = re.compile(r"[A-Za-z0-9\-.]{1,64}")
_PERSON = re.compile(
    r"(Patient|RelatedPerson|Person|Practitioner|PractitionerRole)/([A-Za-z0-9\-.]{1,64})"
)


class LaunchFailed(Exception):
    """A launch that ended without a session. ``kind`` says why; nothing of a token is in it."""

    def __init__(self, kind: Trouble) -> None:
        super().__init__(kind)
        self.kind: Trouble = kind


@dataclass(frozen=True, slots=True)
class Endpoints:
    """What an EHR's smart-configuration names, as far as an app needs it."""

    authorize: str
    token: str
    issuer: str | None
    jwks: str | None


@dataclass(frozen=True, slots=True)
class Fetched:
    """What the token endpoint gave: for whom and where, and who is at the screen.

    ``user`` is fhirUser, an absolute address under the EHR's base, ``user_type`` its type;
    ``name`` what the id_token calls the person.
    """

    access_token: str
    expires_in: int
    patient: str | None
    encounter: str | None
    needs_banner: bool
    user: str | None
    user_type: str | None
    name: str | None


def endpoints(configuration: Mapping[str, Any]) -> Endpoints:
    """The endpoints of a smart-configuration. Raises LaunchFailed where it can not serve us.

    PKCE with S256 must be offered, as the standard asks of every server.
    """
    named = {key: configuration.get(key) for key in ("authorization_endpoint", "token_endpoint")}
    methods = configuration.get("code_challenge_methods_supported", ())
    if not all(isinstance(one, str) for one in named.values()) or "S256" not in methods:
        raise LaunchFailed("no-smart")
    issuer, jwks = configuration.get("issuer"), configuration.get("jwks_uri")
    return Endpoints(
        authorize=str(named["authorization_endpoint"]),
        token=str(named["token_endpoint"]),
        issuer=issuer if isinstance(issuer, str) else None,
        jwks=jwks if isinstance(jwks, str) else None,
    )


def new_verifier() -> str:
    """A code verifier: 256 random bits. https://www.rfc-editor.org/rfc/rfc7636#section-4.1"""
    return secrets.token_urlsafe(_SECRET_BYTES)


def challenge(verifier: str) -> str:
    """The S256 challenge of a verifier."""
    digest = sha256(verifier.encode()).digest()
    return urlsafe_b64encode(digest).rstrip(b"=").decode()


def authorize_url(endpoint: str, parameters: Mapping[str, str]) -> str:
    """The address that the browser is sent to; parameters that the endpoint has already stay."""
    parts = urlsplit(endpoint)
    query = parse_qsl(parts.query, keep_blank_values=True) + list(parameters.items())
    return urlunsplit(parts._replace(query=urlencode(query), fragment=""))


def read_token(answer: Any, base: str, identity: Mapping[str, Any] | None) -> Fetched:
    """The token response, with the claims of a verified id_token. Raises LaunchFailed.

    Patient and encounter come from here alone, never from an address or a form.
    """
    if not isinstance(answer, Mapping):
        raise LaunchFailed("token")
    token, kind = answer.get("access_token"), answer.get("token_type")
    if not isinstance(token, str) or not token or str(kind).lower() != "bearer":
        raise LaunchFailed("token")
    user, user_type = _user((identity or {}).get("fhirUser"), base)
    name = (identity or {}).get("name")
    lifetime = answer.get("expires_in")
    return Fetched(
        access_token=token,
        expires_in=lifetime if isinstance(lifetime, int) and lifetime > 0 else 300,
        patient=_id(answer.get("patient")),
        encounter=_id(answer.get("encounter")),
        needs_banner=answer.get("need_patient_banner") is not False,
        user=user,
        user_type=user_type,
        name=name[:200] if isinstance(name, str) else None,
    )


def verify_identity(
    id_token: str,
    keys: KeySet,
    *,
    issuer: str,
    client_id: str,
    nonce: str,
    now: datetime,
) -> Mapping[str, Any]:
    """The claims of an id_token: signed by the EHR, for us, now, and for this very launch.

    https://openid.net/specs/openid-connect-core-1_0.html#IDTokenValidation
    Raises LaunchFailed("identity") for anything else; nothing of the token is in it.
    """
    try:
        decoded = jwt.decode(id_token, keys, algorithms=list(ALGORITHMS))
        claims: Mapping[str, Any] = decoded.claims
        audience = claims["aud"] if isinstance(claims["aud"], list) else [claims["aud"]]
        at = now.timestamp()
        good = (
            claims["iss"] == issuer
            and client_id in audience
            and (len(audience) == 1 or claims.get("azp") == client_id)
            and at < float(claims["exp"]) + LEEWAY_SECONDS
            and float(claims["iat"]) <= at + LEEWAY_SECONDS
            and hmac.compare_digest(str(claims["nonce"]), nonce)
        )
    except (JoseError, ValueError, KeyError, TypeError):
        raise LaunchFailed("identity") from None
    if not good:
        raise LaunchFailed("identity")
    return claims


def key_set(jwks: Any) -> KeySet:
    """The keys of a JWK Set. Raises LaunchFailed("identity") where it is none."""
    try:
        return KeySet.import_key_set(jwks)
    except (JoseError, ValueError, KeyError, TypeError, AttributeError):
        raise LaunchFailed("identity") from None


def _user(given: Any, base: str) -> tuple[str | None, str | None]:
    """FhirUser where it lies under this EHR's base, and its type; a relative one is made whole."""
    if not isinstance(given, str):
        return None, None
    local = given.removeprefix(f"{base}/")
    match = _PERSON.fullmatch(local)
    return (f"{base}/{local}", match[1]) if match else (None, None)


def _id(given: Any) -> str | None:
    return given if isinstance(given, str) and _ID.fullmatch(given) else None
