"""A new client: what of it can be registered, and what is handed out once.

https://www.rfc-editor.org/rfc/rfc7591
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from hashlib import sha256
from typing import Any
from urllib.parse import urlsplit

from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey

from fhir_service.fhir.issues import NotUnderstood
from fhir_service.smart.granting import must_be_registrable
from fhir_service.smart.scopes import names_resource, read_scope, scope_words
from fhir_service.workflow.oauth.authority import new_secret
from fhir_service.workflow.oauth.model import Client

MOST_KEYS = 20
LEAST_RSA_BITS = 2048
MOST_RSA_BITS = 8192
CDS_HOOKS = "cds-hooks"
"""The grant of a client that may call the CDS services; it is given no token."""

GRANTS = ("client_credentials", "authorization_code", CDS_HOOKS)

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._\-]{0,127}")
_LONGEST_ISSUER = 255
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


def must_be_sound(client: Client) -> None:
    """Refuse a client that could not be kept safe. Raises NotUnderstood, saying how to mend it."""
    _must_be_an_id(client)
    must_be_registrable(client.scope)
    if not client.grants or not set(client.grants) <= set(GRANTS):
        raise NotUnderstood(f"Grants are {', '.join(GRANTS)}.")
    _must_fit_grants(client)
    if client.auth == "private_key_jwt" and not (client.jwks or client.jwks_url):
        raise NotUnderstood("A client that signs needs its public keys, or their address.")
    if client.jwks is not None:
        usable = usable_keys(client.jwks)
        if not usable:
            raise NotUnderstood(
                "No key of the JWK Set can be used: each needs a kid, and is EC on P-384 or RSA"
                f" of {LEAST_RSA_BITS} bits or more."
            )
    if client.jwks_url is not None:
        _must_be_https(client.jwks_url, "The address of the keys")
    for uri in client.redirect_uris:
        _must_be_redirect(uri)


def usable_keys(jwks: Mapping[str, Any]) -> tuple[dict[str, Any], ...]:
    """The public keys of a JWK Set that an assertion can be signed with, their public members.

    P-384 and RSA from 2048 bits, each with its kid; at most the first 20. Never raises.
    """
    listed = jwks.get("keys") if isinstance(jwks, Mapping) else None
    found = []
    for key in listed[:MOST_KEYS] if isinstance(listed, list) else ():
        public = _public(key)
        if public is not None:
            found.append(public)
    return tuple(found)


def new_client_secret() -> tuple[str, str]:
    """A shared secret, handed out once, and what is kept of it."""
    secret = new_secret()
    return secret, sha256(secret.encode()).hexdigest()


def _must_be_an_id(client: Client) -> None:
    """A CDS client is known by the issuer (iss) of its JWTs, which is an address as a rule."""
    if _ID.fullmatch(client.id):
        return
    if CDS_HOOKS in client.grants and len(client.id) <= _LONGEST_ISSUER and client.id.isascii():
        _must_be_https(client.id, "The issuer of a CDS client")
        return
    raise NotUnderstood("A client's id has 1 to 128 of A-Z, a-z, 0-9, “.”, “_” and “-”.")


def _must_fit_grants(client: Client) -> None:
    levels = {read_scope(w).level for w in scope_words(client.scope) if names_resource(w)}
    if "client_credentials" in client.grants:
        if client.auth != "private_key_jwt":
            raise NotUnderstood("A backend service signs its assertions: give it keys.")
        if "system" not in levels:
            raise NotUnderstood("A backend service needs a scope of the system level.")
    if CDS_HOOKS in client.grants:
        if client.auth != "private_key_jwt" or client.grants != (CDS_HOOKS,):
            raise NotUnderstood(
                "A CDS client signs its calls, and does nothing else: give it keys."
            )
        if "system" not in levels:
            raise NotUnderstood("A CDS client needs system/QuestionnaireResponse.rs.")
    if "authorization_code" in client.grants:
        if not client.redirect_uris:
            raise NotUnderstood("An app needs at least one redirect URI.")
        if not levels & {"patient", "user"}:
            raise NotUnderstood("An app needs a scope of the patient or the user level.")


def _must_be_https(url: str, what: str) -> None:
    parts = urlsplit(url)
    secure = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)
    if not secure or not parts.hostname or parts.username or parts.fragment:
        raise NotUnderstood(f"{what} must be an https address without user and fragment.")


def _must_be_redirect(uri: str) -> None:
    """https, http on this machine, or an app's own scheme with a dot in it (RFC 8252)."""
    parts = urlsplit(uri)
    if parts.fragment or "*" in uri or not uri.isascii() or not uri.isprintable() or " " in uri:
        raise NotUnderstood("A redirect URI is a whole address, without fragment or wildcard.")
    if parts.scheme in ("http", "https"):
        _must_be_https(uri, "A redirect URI")
    elif "." not in parts.scheme:
        raise NotUnderstood("A redirect URI is https, or a scheme of the app's own with a dot.")


def _public(key: Any) -> dict[str, Any] | None:
    if not isinstance(key, Mapping) or key.get("use", "sig") != "sig":
        return None
    kid = key.get("kid")
    try:
        if key.get("kty") == "EC" and key.get("crv") == "P-384":
            made: ECKey | RSAKey = ECKey.import_key(dict(key))
        elif key.get("kty") == "RSA" and len(str(key.get("n", ""))) * 6 <= MOST_RSA_BITS + 6:
            made = RSAKey.import_key(dict(key))
        else:
            return None
        if isinstance(made, RSAKey) and made.raw_value.key_size < LEAST_RSA_BITS:
            return None
        public = dict(made.as_dict(private=False))
    except (JoseError, ValueError, TypeError, KeyError, AttributeError):
        return None
    if not isinstance(kid, str) or not kid:
        return None
    kept = ("kty", "crv", "x", "y", "n", "e")
    return {name: public[name] for name in kept if name in public} | {"kid": kid, "use": "sig"}
