"""SMART discovery and the public keys of the embedded authorization server.

https://hl7.org/fhir/smart-app-launch/conformance.html
"""

from __future__ import annotations

from typing import Any

import orjson
from flask import Flask, Response

from fhir_service.settings import Settings
from fhir_service.web.table import OFFERS
from fhir_service.workflow.site import Site

_PUBLIC = ("kty", "crv", "x", "y", "n", "e", "kid", "use", "alg", "key_ops")

_CAPABILITIES = (
    "launch-ehr",
    "launch-standalone",
    "authorize-post",
    "client-public",
    "client-confidential-symmetric",
    "client-confidential-asymmetric",
    "sso-openid-connect",
    "context-ehr-patient",
    "context-ehr-encounter",
    "context-standalone-patient",
    "context-banner",
    "permission-offline",
    "permission-online",
    "permission-patient",
    "permission-user",
    "permission-v1",
    "permission-v2",
)


def configuration(base_url: str) -> dict[str, Any]:
    """The well-known document: only what answers today."""
    return {
        "issuer": base_url,
        "jwks_uri": f"{base_url}/auth/jwks",
        "authorization_endpoint": f"{base_url}/auth/authorize",
        "token_endpoint": f"{base_url}/auth/token",
        "token_endpoint_auth_methods_supported": [
            "private_key_jwt",
            "client_secret_basic",
            "client_secret_post",
            "none",
        ],
        "token_endpoint_auth_signing_alg_values_supported": ["ES384", "RS384"],
        "introspection_endpoint": f"{base_url}/auth/introspect",
        "revocation_endpoint": f"{base_url}/auth/revoke",
        "grant_types_supported": ["authorization_code", "client_credentials", "refresh_token"],
        "response_types_supported": ["code"],
        "code_challenge_methods_supported": ["S256"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "scopes_supported": _scopes(),
        "capabilities": list(_CAPABILITIES),
    }


def _scopes() -> list[str]:
    scopes = ["openid", "fhirUser", "launch", "launch/patient", "launch/encounter"]
    scopes += ["offline_access", "online_access"]
    scopes += ["system/*.cruds", "user/*.cruds", "patient/*.rs"]
    for offer in OFFERS:
        letters = ["c"] if offer.create else []
        letters += (
            ["r"] + (["u"] if offer.update else []) + (["d"] if offer.delete else []) + ["s"]
        )
        scopes.append(f"system/{offer.resource_type}.{''.join(letters)}")
    scopes.append("patient/QuestionnaireResponse.cruds")
    return scopes


def public_keys(site: Site) -> dict[str, Any]:
    """The JWK set of the signing keys, their public members alone."""
    keys = [{k: v for k, v in key.items() if k in _PUBLIC} for key in site.keys.published()]
    return {"keys": [{**key, "use": "sig"} for key in keys]}


def outside_configuration(settings: Settings) -> dict[str, Any]:
    """The well-known document where another authorization server gives out the tokens."""
    said = {
        "issuer": settings.auth_issuer,
        "jwks_uri": settings.auth_jwks_url,
        "authorization_endpoint": settings.auth_authorize_url,
        "token_endpoint": settings.auth_token_url,
        "scopes_supported": _scopes(),
        "code_challenge_methods_supported": ["S256"],
        "capabilities": [one for one in _CAPABILITIES if one.startswith("permission-")],
    }
    return {name: value for name, value in said.items() if value is not None}


def register(app: Flask, site: Site, settings: Settings) -> None:
    """Add the well-known addresses and /auth/jwks."""
    if settings.auth_issuer is None:
        said = orjson.dumps(configuration(site.base_url))
    else:
        said = orjson.dumps(outside_configuration(settings))

    def well_known() -> Response:
        return Response(said, 200, content_type="application/json")

    def jwks() -> Response:
        return Response(orjson.dumps(public_keys(site)), 200, content_type="application/json")

    app.add_url_rule("/.well-known/openid-configuration", "smart-configuration", well_known)
    for place in ("", "/fhir"):
        app.add_url_rule(
            f"{place}/.well-known/smart-configuration", "smart-configuration", well_known
        )
    app.add_url_rule("/auth/jwks", "jwks", jwks)
