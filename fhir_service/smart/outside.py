"""What a token of another authorization server says, once that is known to be true.

Fails closed: a patient's scope counts for nothing without a patient, a user's for nothing without
a user. https://hl7.org/fhir/smart-app-launch/token-introspection.html
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, KeySet, RSAKey

from fhir_service.fhir.issues import NotAllowed, NotSignedIn, NotUnderstood
from fhir_service.smart.access import Access
from fhir_service.smart.scopes import Scope, names_resource, read_scope, scope_words
from fhir_service.smart.tokens import CONTEXT, Claims

ALGORITHMS: Final = ("RS256", "RS384", "RS512", "ES256", "ES384", "PS256", "PS384")
"""What a token may be signed with: nothing symmetric, and not nothing."""

TYPES: Final = ("at+jwt", "application/at+jwt", "jwt", "")

_LEEWAY_SECONDS = 10
_LEAST_RSA_BITS = 2048
_MOST_KEYS = 50
_UNREADABLE = (JoseError, ValueError, TypeError, KeyError, AttributeError, RecursionError)


@dataclass(frozen=True, slots=True)
class Issuer:
    """The other authorization server: what it calls itself, and what it calls us."""

    name: str
    audience: str


def kid_of(token: str) -> str:
    """The key that the token says it is signed with; nothing of it is trusted yet.

    Raises NotSignedIn for what is no signed JWT.
    """
    from joserfc import jws  # noqa: PLC0415  on this path only

    try:
        header = jws.extract_compact(token.encode()).headers()
        kid, algorithm = header.get("kid"), header.get("alg")
        good = isinstance(kid, str) and kid and algorithm in ALGORITHMS
        good = good and str(header.get("typ", "")).lower() in TYPES and "crit" not in header
    except _UNREADABLE:
        raise NotSignedIn("The access token can not be read.") from None
    if not good:
        raise NotSignedIn("The access token was not made for this server.")
    return str(kid)


def verified(
    token: str, keys: tuple[Mapping[str, Any], ...], issuer: Issuer, now: float
) -> Claims:
    """What the token says: signature, issuer, audience and times checked.

    Raises NotSignedIn, and NotAllowed where its scopes open nothing.
    """
    kid = kid_of(token)
    named = [key for key in keys if key.get("kid") == kid]
    if not named:
        raise NotSignedIn("The access token is signed with a key that is not known.")
    try:
        made = KeySet([(ECKey if k["kty"] == "EC" else RSAKey).import_key(dict(k)) for k in named])
        claims = jwt.decode(token, made, algorithms=list(ALGORITHMS)).claims
    except _UNREADABLE:
        raise NotSignedIn("The access token can not be verified; ask for a new one.") from None
    audience = claims.get("aud")
    heard = audience if isinstance(audience, list) else [audience]
    if claims.get("iss") != issuer.name or issuer.audience not in heard:
        raise NotSignedIn("The access token was not made for this server.")
    if "nonce" in claims or "at_hash" in claims:
        raise NotSignedIn("This is an id_token, and no access token.")
    return read_claims(claims, now)


def read_claims(claims: Mapping[str, Any], now: float) -> Claims:
    """The claims of a verified token, or the members of an introspection, as ours.

    Raises NotSignedIn for one that is over or names no client, NotAllowed for one that opens
    nothing.
    """
    expires, issued = _number(claims, "exp"), _number(claims, "iat") or 0
    begins = _number(claims, "nbf") or 0
    if expires is None or expires <= now:
        raise NotSignedIn("The access token has expired; ask for a new one.")
    if max(issued, begins) > now + _LEEWAY_SECONDS:
        raise NotSignedIn("The access token is not good yet.")
    client = claims.get("client_id") or claims.get("azp") or claims.get("sub")
    if not isinstance(client, str) or not client:
        raise NotSignedIn("The access token does not say whose it is.")
    scope = claims.get("scope", claims.get("scp", ""))
    text = " ".join(map(str, scope)) if isinstance(scope, list) else str(scope)
    context = {name: claims[name] for name in CONTEXT if isinstance(claims.get(name), str)}
    patient = context.get("patient", "").removeprefix("Patient/") or None
    access = Access(_granted(text, patient, context.get("fhirUser")), patient)
    if not access.scopes:
        raise NotAllowed("The access token has no scope that opens anything here.")
    jti = claims.get("jti")
    return Claims(
        client=client,
        jti=jti if isinstance(jti, str) and jti else "-",
        access=access,
        expires=int(expires),
        issued=int(issued),
        scope=text,
        context=context,
    )


def usable_issuer_keys(jwks: Mapping[str, Any]) -> tuple[dict[str, Any], ...]:
    """The public keys of a JWK Set that tokens may be signed with. Never raises."""
    listed = jwks.get("keys")
    found = []
    for key in listed[:_MOST_KEYS] if isinstance(listed, list) else ():
        if isinstance(key, dict) and isinstance(key.get("kid"), str) and _is_sound(key):
            public = ("kty", "crv", "x", "y", "n", "e", "kid")
            found.append({name: key[name] for name in public if name in key})
    return tuple(found)


def _is_sound(key: dict[str, Any]) -> bool:
    try:
        if key.get("use", "sig") != "sig":
            return False
        if key.get("kty") == "EC":
            ECKey.import_key({name: key[name] for name in ("kty", "crv", "x", "y")})
            return True
        if key.get("kty") != "RSA" or len(str(key.get("n"))) > _LEAST_RSA_BITS:
            return False
        made = RSAKey.import_key({name: key[name] for name in ("kty", "n", "e")})
        return bool(made.raw_value.key_size >= _LEAST_RSA_BITS)
    except _UNREADABLE:
        return False


def _granted(text: str, patient: str | None, user: str | None) -> tuple[Scope, ...]:
    """The scopes that count: what is no scope, or stands on nobody, does not."""
    found = []
    for word in scope_words(" ".join(text.split())):
        if not names_resource(word):
            continue
        try:
            scope = read_scope(word)
        except NotUnderstood:
            continue
        stands = {"patient": patient is not None, "user": user is not None, "system": True}
        if stands[scope.level]:
            found.append(scope)
    return tuple(found)


def _number(claims: Mapping[str, Any], name: str) -> float | None:
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value)
