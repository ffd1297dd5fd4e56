"""The signed assertion that we show a token endpoint, and the keys that it is signed with.

https://hl7.org/fhir/smart-app-launch/client-confidential-asymmetric.html
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Literal, get_args

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, KeySet, RSAKey

Algorithm = Literal["ES384", "RS384"]
ALGORITHMS: tuple[Algorithm, ...] = get_args(Algorithm)

LIFETIME_SECONDS = 240
"""The standard allows five minutes; clocks differ."""

_RSA_BITS = 3072
_LEAST_RSA_BITS = 2048


def new_client_key(kid: str, algorithm: Algorithm) -> dict[str, Any]:
    """A new private key as a JWK: P-384 for ES384, RSA of 3072 bits for RS384."""
    said: Any = {"kid": kid, "use": "sig", "alg": algorithm, "key_ops": ["sign"]}
    key: ECKey | RSAKey
    if algorithm == "ES384":
        key = ECKey.generate_key("P-384", said, private=True)
    else:
        key = RSAKey.generate_key(_RSA_BITS, said, private=True)
    return dict(key.as_dict(private=True))


def read_client_key(text: str) -> dict[str, Any]:
    """A private key as the operator gave it, PEM or JWK, as a JWK with kid and alg.

    Raises ValueError, without quoting the key, where it is no P-384 or RSA key of 2048 bits.
    """
    try:
        made = _imported(text)
        given = dict(made.as_dict(private=True))
        thumbprint = made.thumbprint()
    except (JoseError, ValueError, TypeError, KeyError):
        raise ValueError("must be a private key, P-384 or RSA, as a PEM or a JWK.") from None
    if isinstance(made, ECKey):
        fits, algorithm = given.get("crv") == "P-384", "ES384"
    else:
        bits = made.raw_value.key_size
        fits, algorithm = bits >= _LEAST_RSA_BITS, "RS384"
    if not made.is_private or not fits:
        raise ValueError("must be a private key, P-384 or RSA of at least 2048 bits.")
    return {**given, "kid": given.get("kid") or thumbprint, "use": "sig", "alg": algorithm}


def _imported(text: str) -> ECKey | RSAKey:
    if text.lstrip().startswith("{"):
        import json  # noqa: PLC0415  on this path only

        jwk = json.loads(text)
        return ECKey.import_key(jwk) if jwk["kty"] == "EC" else RSAKey.import_key(jwk)
    try:
        return ECKey.import_key(text)
    except (JoseError, ValueError, TypeError):
        return RSAKey.import_key(text)


def client_assertion(
    key: Mapping[str, Any], *, client_id: str, audience: str, jti: str, now: int
) -> str:
    """The signed assertion; ``audience`` is the token endpoint, ``now`` seconds since 1970."""
    algorithm = key["alg"]
    claims = {
        "iss": client_id,
        "sub": client_id,
        "aud": audience,
        "jti": jti,
        "iat": now,
        "exp": now + LIFETIME_SECONDS,
    }
    header = {"alg": algorithm, "typ": "JWT", "kid": key["kid"]}
    signing = (ECKey if key["kty"] == "EC" else RSAKey).import_key(dict(key))
    return jwt.encode(header, claims, signing, algorithms=[algorithm])


def public_client_keys(keys: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """The public halves of these keys, as a JWK Set (RFC 7517)."""
    public = []
    for key in keys:
        made = (ECKey if key["kty"] == "EC" else RSAKey).import_key(dict(key))
        said = {k: v for k, v in made.as_dict(private=False).items() if k != "key_ops"}
        public.append({**said, "kid": key["kid"], "use": "sig", "alg": key["alg"]})
    return {"keys": public}


def client_key_set(keys: Iterable[Mapping[str, Any]]) -> KeySet:
    """These JWKs as a set that verifies."""
    return KeySet([(ECKey if k["kty"] == "EC" else RSAKey).import_key(dict(k)) for k in keys])
