"""A client shows who it is by an assertion that it signed (private_key_jwt).

https://hl7.org/fhir/smart-app-launch/client-confidential-asymmetric.html
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from functools import lru_cache
from hashlib import sha256
from typing import Any, Final, cast

from authlib.oauth2.rfc6749 import InvalidClientError, OAuth2Request
from authlib.oauth2.rfc7523 import JWTBearerClientAssertion
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, KeySet, RSAKey

from fhir_service.smart.assertions import ALGORITHMS
from fhir_service.workflow.oauth.authority import Authority
from fhir_service.workflow.oauth.registered import Registered

LONGEST_SECONDS: Final = 300
LEEWAY_SECONDS: Final = 10
LONGEST: Final = 8192
LONGEST_JTI: Final = 255

_UNREADABLE = (JoseError, ValueError, TypeError, KeyError, AttributeError, RecursionError)
_FORBIDDEN_HEADERS = ("crit", "jwk", "x5c", "x5u", "b64")


class PrivateKeyJwt(JWTBearerClientAssertion):
    """One assertion while it is checked; a new one for each request."""

    CLIENT_AUTH_METHOD = "private_key_jwt"

    def __init__(self, authority: Authority) -> None:
        super().__init__(leeway=LEEWAY_SECONDS)
        self._authority = authority
        self._header: Mapping[str, Any] = {}

    def get_audiences(self) -> list[str]:
        """The token endpoint alone."""
        return [self._authority.token_url]

    def extract_assertion(self, assertion: str) -> tuple[Mapping[str, Any], dict[str, Any]]:
        """Header and claims, the header's members settled before any key is looked for."""
        if len(assertion) > LONGEST:
            raise InvalidClientError("The assertion is too long.")
        try:
            header, claims = super().extract_assertion(assertion)
        except _UNREADABLE:
            raise InvalidClientError("The assertion is no JWT.") from None
        if header.get("alg") not in ALGORITHMS:
            raise InvalidClientError("The assertion must be signed with ES384 or RS384.")
        if str(header.get("typ", "")).upper() != "JWT":
            raise InvalidClientError("The assertion's header must have typ JWT.")
        kid = header.get("kid")
        if not isinstance(kid, str) or not kid:
            raise InvalidClientError("The assertion's header must name its key (kid).")
        if any(name in header for name in _FORBIDDEN_HEADERS):
            raise InvalidClientError("The assertion's header has members that are not taken.")
        self._header = header
        return header, claims

    def resolve_client_public_key(self, client: Registered) -> KeySet:
        """The client's keys; a jku must be the address that is registered."""
        registered = client.client
        jku = self._header.get("jku")
        if jku is not None and jku != registered.jwks_url:
            raise InvalidClientError("jku is not the registered address of the client's keys.")
        keys = self._authority.client_keys.keys(registered, self._header["kid"])
        named = [key for key in keys if key.get("kid") == self._header["kid"]]
        if not named:
            raise InvalidClientError("The client has no key with this kid.")
        return KeySet([_imported(key) for key in named])

    def process_assertion_claims(self, assertion: str, resolve_key: KeySet) -> dict[str, Any]:
        """The claims, once the signature and every one of them is good."""
        try:
            decoded = jwt.decode(assertion, resolve_key, algorithms=list(ALGORITHMS))
        except _UNREADABLE:
            raise InvalidClientError("The assertion's signature is not good.") from None
        self.verify_claims(decoded.claims)
        return decoded.claims

    def verify_claims(self, claims: dict[str, Any]) -> None:
        """Who, for whom, when and once."""
        if claims.get("iss") != claims.get("sub"):
            raise InvalidClientError("iss and sub must both be the client's id.")
        audience = claims.get("aud")
        heard = audience if isinstance(audience, list) else [audience]
        if self._authority.token_url not in heard:
            raise InvalidClientError("aud must be the address of the token endpoint.")
        self.must_be_fresh(claims)

    def must_be_fresh(self, claims: dict[str, Any]) -> None:
        """When, and once: what every JWT of a client must show."""
        self._must_be_in_time(claims)
        jti = claims.get("jti")
        if not isinstance(jti, str) or not 0 < len(jti) <= LONGEST_JTI:
            raise InvalidClientError("The assertion must have a jti.")
        if not self.validate_jti(claims, jti):
            raise InvalidClientError("The assertion was used before (jti).")

    def validate_jti(self, claims: dict[str, Any], jti: str) -> bool:
        """Whether it comes for the first time; it is remembered until the assertion ends."""
        authority = self._authority
        mark = sha256(f"{claims['iss']}\0{jti}".encode("utf-8", "surrogatepass")).digest()
        until = authority.now() + timedelta(seconds=LONGEST_SECONDS + 2 * LEEWAY_SECONDS)
        return authority.store.first_use(mark, until, authority.now())

    def _must_be_in_time(self, claims: dict[str, Any]) -> None:
        now = self._authority.now().timestamp()
        expires = _moment(claims, "exp")
        if expires is None or expires <= now - LEEWAY_SECONDS:
            raise InvalidClientError("The assertion has expired, or does not say when (exp).")
        if expires > now + LONGEST_SECONDS + LEEWAY_SECONDS:
            raise InvalidClientError("exp must be at most five minutes ahead.")
        for name in ("iat", "nbf"):
            moment = _moment(claims, name)
            if moment is not None and moment > now + LEEWAY_SECONDS:
                raise InvalidClientError(f"{name} lies in the future.")


def authenticate(
    authority: Authority,
) -> Callable[[Callable[[str], Registered | None], OAuth2Request], Registered | None]:
    """How Authlib is told to check an assertion."""

    def check(
        query_client: Callable[[str], Registered | None], request: OAuth2Request
    ) -> Registered | None:
        named = request.form.get("client_id")
        client = PrivateKeyJwt(authority)(query_client, request)
        if client is not None and named not in (None, client.get_client_id()):
            raise InvalidClientError("client_id is not the one of the assertion.")
        return cast("Registered | None", client)

    return check


def _moment(claims: Mapping[str, Any], name: str) -> float | None:
    value = claims.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InvalidClientError(f"{name} must be a number of seconds since 1970.")
    return float(value)


def _imported(key: Mapping[str, Any]) -> ECKey | RSAKey:
    try:
        return _ready(tuple(sorted(key.items())))
    except _UNREADABLE:
        raise InvalidClientError("The client's key can not be read.") from None


@lru_cache(maxsize=512)
def _ready(members: tuple[tuple[str, str], ...]) -> ECKey | RSAKey:
    """The key ready to verify with; reading it costs as much as a quick signature check."""
    key: dict[str, Any] = dict(members)
    return (ECKey if key["kty"] == "EC" else RSAKey).import_key(key)
