"""The ways to a token: of a backend, with a code, with a refresh token.

https://hl7.org/fhir/smart-app-launch/app-launch.html and
https://hl7.org/fhir/smart-app-launch/backend-services.html
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any, cast

from authlib.oauth2.rfc6749 import InvalidGrantError, InvalidScopeError
from authlib.oauth2.rfc6749.grants import (
    AuthorizationCodeGrant,
    ClientCredentialsGrant,
    RefreshTokenGrant,
)
from authlib.oauth2.rfc7636 import CodeChallenge

from fhir_service.fhir.issues import NotUnderstood
from fhir_service.smart.granting import refreshed_scope
from fhir_service.workflow.oauth.authority import CODE_SECONDS, Authority, fingerprint, new_secret
from fhir_service.workflow.oauth.model import Grant, Spendable
from fhir_service.workflow.oauth.registered import Registered
from fhir_service.workflow.oauth.requests import sayable

METHODS = ["private_key_jwt", "client_secret_basic", "client_secret_post", "none"]

Made = tuple[int, dict[str, Any], list[tuple[str, str]]]


class ForBackends(ClientCredentialsGrant):
    """client_credentials: a backend service, by its assertion or its secret."""

    TOKEN_ENDPOINT_AUTH_METHODS = METHODS[:3]

    def validate_requested_scope(self) -> None:
        """Settled where the token is made."""

    def create_token_response(self) -> Made:
        """The token."""
        authority: Authority = self.server.authority
        client: Registered = self.request.client
        try:
            made = authority.backend_token(client.client, self.request.payload.scope)
        except NotUnderstood as wrong:
            raise InvalidScopeError(sayable(wrong.says)) from None
        return 200, made, self.TOKEN_RESPONSE_HEADER


class Code:
    """A code as Authlib asks for it; every one of ours has an S256 challenge."""

    code_challenge_method = "S256"

    def __init__(self, mark: bytes, kept: Spendable) -> None:
        self.mark = mark
        self.kept = kept
        self.code_challenge = kept.grant.code_challenge

    def get_redirect_uri(self) -> str:
        """Where the code was sent."""
        return self.kept.grant.redirect_uri

    def get_scope(self) -> str:
        """What was granted."""
        return self.kept.grant.scope


class WithCode(AuthorizationCodeGrant):
    """authorization_code: good once and not long; shown twice, all that was made of it ends."""

    TOKEN_ENDPOINT_AUTH_METHODS = METHODS

    def query_authorization_code(self, code: str, client: Registered) -> Code | None:
        """The code, when it is this client's, fresh and unused."""
        authority: Authority = self.server.authority
        mark = fingerprint(code)
        kept = authority.store.code(mark)
        if kept is None or kept.grant.client != client.get_client_id():
            return None
        if kept.spent:
            authority.revoke_grant(kept.grant)
            return None
        if kept.grant.revoked or kept.expires <= authority.now():
            return None
        return Code(mark, kept)

    def generate_authorization_code(self) -> str:
        """A new code."""
        return new_secret()

    def save_authorization_code(self, code: str, request: Any) -> None:
        """Keep what was allowed; ``request.user`` is the grant."""
        authority: Authority = self.server.authority
        until = authority.now() + timedelta(seconds=CODE_SECONDS)
        authority.store.keep_grant(request.user, fingerprint(code), until)

    def create_token_response(self) -> Made:
        """The tokens, once the code could be spent."""
        authority: Authority = self.server.authority
        code: Code = self.request.authorization_code
        grant = code.kept.grant
        if not authority.store.spend_code(code.mark):
            authority.revoke_grant(grant)
            raise InvalidGrantError("The code was used before.")
        return 200, authority.app_token(grant, grant.scope), self.TOKEN_RESPONSE_HEADER


class Refresh:
    """A refresh token as Authlib asks for it."""

    def __init__(self, mark: bytes, kept: Spendable) -> None:
        self.mark = mark
        self.grant: Grant = kept.grant

    def check_client(self, client: Registered) -> bool:
        """Whether it is this client's."""
        return self.grant.client == client.get_client_id()


class WithRefreshToken(RefreshTokenGrant):
    """refresh_token: each is good once; one that comes back ends all made of its grant."""

    TOKEN_ENDPOINT_AUTH_METHODS = METHODS

    def authenticate_token_endpoint_client(self) -> Registered:
        """The client, as it shows itself; a public app may leave that to its refresh token.

        SMART's own client for JavaScript does. https://www.rfc-editor.org/rfc/rfc6749#section-6
        """
        form = self.request.form
        shown = {"client_id", "client_secret", "client_assertion"} & set(form)
        if not shown and "Authorization" not in self.request.headers:
            kept = self.server.authority.store.refresh(fingerprint(form.get("refresh_token", "")))
            client = self.server.query_client(kept.grant.client) if kept else None
            if client is not None and client.client.auth == "none":
                self.request.auth_method = "none"
                return cast("Registered", client)
        return cast("Registered", super().authenticate_token_endpoint_client())

    def authenticate_refresh_token(self, refresh_token: str) -> Refresh | None:
        """The token, when it is good and unused."""
        authority: Authority = self.server.authority
        mark = fingerprint(refresh_token)
        kept = authority.store.refresh(mark)
        if kept is None or kept.grant.client != self.request.client.get_client_id():
            return None
        if kept.spent:
            authority.revoke_grant(kept.grant)
            return None
        if kept.grant.revoked or kept.expires <= authority.now():
            return None
        return Refresh(mark, kept)

    def _validate_token_scope(self, token: Refresh) -> None:
        try:
            self.granted = refreshed_scope(self.request.payload.scope, token.grant.scope)
        except NotUnderstood as wrong:
            raise InvalidScopeError(sayable(wrong.says)) from None

    def create_token_response(self) -> Made:
        """New tokens, once the old one could be spent."""
        authority: Authority = self.server.authority
        old: Refresh = self.request.refresh_token
        if not authority.store.spend_refresh(old.mark):
            authority.revoke_grant(old.grant)
            raise InvalidGrantError("The refresh token was used before.")
        return 200, authority.app_token(old.grant, self.granted), self.TOKEN_RESPONSE_HEADER


class OnlyS256(CodeChallenge):
    """PKCE with S256, of every client. https://www.rfc-editor.org/rfc/rfc7636"""

    DEFAULT_CODE_CHALLENGE_METHOD = "S256"
    SUPPORTED_CODE_CHALLENGE_METHOD = ("S256",)
