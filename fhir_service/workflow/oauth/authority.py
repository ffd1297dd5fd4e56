"""What the authorization server is made of, and the tokens that it makes.

https://hl7.org/fhir/smart-app-launch/app-launch.html#response-5
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

from fhir_service.smart import tokens
from fhir_service.smart.granting import backend_scope
from fhir_service.workflow.oauth.model import (
    Authorizations,
    Client,
    ClientKeys,
    Grant,
)
from fhir_service.workflow.sign_in import Door
from fhir_service.workflow.site import Site

CODE_SECONDS = 60
"""How long an authorization code is good: a browser hands it on at once."""

REVOCATION_SECONDS = tokens.LONGEST_SECONDS
"""How long a revocation is remembered: no token lives longer."""


@dataclass(frozen=True, slots=True)
class Lifetimes:
    """Seconds that tokens are good for: of backends, of apps, and how long an app may renew."""

    backend: int = 300
    app: int = 3600
    refresh: int = 7_776_000


@dataclass(frozen=True, slots=True)
class Authority:
    """The embedded authorization server of one process."""

    site: Site
    door: Door
    store: Authorizations
    client_keys: ClientKeys
    lifetimes: Lifetimes = Lifetimes()

    @property
    def token_url(self) -> str:
        """The address of the token endpoint, which is what an assertion must name as ``aud``."""
        return f"{self.site.base_url}/auth/token"

    @property
    def fhir_base(self) -> str:
        """What an app must name as ``aud``."""
        return f"{self.site.base_url}/fhir"

    def now(self) -> datetime:
        """The moment."""
        return self.site.clock.now()

    def backend_token(self, client: Client, asked: str | None) -> dict[str, Any]:
        """The token response for a backend service. Raises NotUnderstood for its scopes."""
        scope = backend_scope(asked, client.scope)
        return self._response(client.id, scope, None, self.lifetimes.backend)

    def app_token(self, grant: Grant, scope: str) -> dict[str, Any]:
        """The token response for an app: with refresh token and id_token where granted."""
        said = self._response(grant.client, scope, grant, self.lifetimes.app)
        context = {"patient": grant.patient, "encounter": grant.encounter}
        said |= {name: value for name, value in context.items() if value is not None}
        if grant.patient is not None:
            said["need_patient_banner"] = True
        if "openid" in scope.split(" "):
            said["id_token"] = self._identity(grant, scope, said["access_token"])
        if grant.refresh_until is not None:
            said["refresh_token"] = self._refresh_token(grant, grant.refresh_until)
        return said

    def revoke_grant(self, grant: Grant) -> None:
        """End a grant and every token made of it."""
        until = self.now() + timedelta(seconds=REVOCATION_SECONDS)
        self.store.revoke_grant(grant.id, until)
        self.door.forget_revoked()

    def end_grants(self, id_: str | None, patient: str | None) -> int:
        """End the grant with this id, or all that reach a patient; how many were not ended yet."""
        until = self.now() + timedelta(seconds=REVOCATION_SECONDS)
        ids = self.store.grants_to_end(id_, patient)
        for one in ids:
            self.store.revoke_grant(one, until)
        self.door.forget_revoked()
        return len(ids)

    def revoke_token(self, claims: tokens.Claims) -> None:
        """End one access token, or, where it was made of a grant, that alone of its tokens."""
        until = self.now() + timedelta(seconds=max(claims.expires - self.now().timestamp(), 0) + 1)
        self.store.revoke(claims.jti, until)
        self.door.forget_revoked()

    def _response(
        self, client: str, scope: str, grant: Grant | None, seconds: int
    ) -> dict[str, Any]:
        token = tokens.issue(
            self.site.keys.all()[0],
            issuer=self.site.base_url,
            client=client,
            scope=scope,
            patient=grant.patient if grant else None,
            now=self.now(),
            lifetime_seconds=seconds,
            jti=self.site.ids.new(),
            grant=grant.id if grant else None,
            context=_context(grant),
        )
        return {
            "access_token": token,
            "token_type": "Bearer",
            "expires_in": seconds,
            "scope": scope,
        }

    def _refresh_token(self, grant: Grant, until: datetime) -> str:
        token = new_secret()
        self.store.keep_refresh(fingerprint(token), grant.id, until)
        return token

    def _identity(self, grant: Grant, scope: str, access_token: str) -> str:
        at = int(self.now().timestamp())
        claims: dict[str, Any] = {
            "iss": self.site.base_url,
            "sub": grant.user,
            "aud": grant.client,
            "iat": at,
            "exp": at + self.lifetimes.app,
            "auth_time": int(grant.authenticated.timestamp()),
            "at_hash": half_hash(access_token),
        }
        if grant.nonce is not None:
            claims["nonce"] = grant.nonce
        if grant.fhir_user is not None and "fhirUser" in scope.split(" "):
            claims["fhirUser"] = grant.fhir_user
        return tokens.identity_token(self.site.keys.identity(), claims)


def _context(grant: Grant | None) -> dict[str, str]:
    if grant is None:
        return {}
    given = {"encounter": grant.encounter, "fhirUser": grant.fhir_user}
    return {name: value for name, value in given.items() if value is not None}


def half_hash(token: str) -> str:
    """at_hash of an id_token. https://openid.net/specs/openid-connect-core-1_0.html#CodeIDToken"""
    from joserfc.util import urlsafe_b64encode  # noqa: PLC0415  with OpenID only

    return urlsafe_b64encode(sha256(token.encode()).digest()[:16]).decode()


def new_secret() -> str:
    """256 random bits, as letters that may stand in an address."""
    return secrets.token_urlsafe(32)


def fingerprint(secret: str) -> bytes:
    """What is kept of a secret: its SHA-256. The secret is random, so no salt is needed."""
    return sha256(secret.encode("utf-8", "surrogateescape")).digest()
