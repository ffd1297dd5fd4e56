"""What is asked about a token: is it good, and end it.

https://www.rfc-editor.org/rfc/rfc7662 and https://www.rfc-editor.org/rfc/rfc7009
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from authlib.oauth2.rfc6749 import InvalidRequestError
from authlib.oauth2.rfc7009 import RevocationEndpoint
from authlib.oauth2.rfc7662 import IntrospectionEndpoint

from fhir_service.fhir.issues import NotSignedIn
from fhir_service.smart.tokens import Claims
from fhir_service.workflow.oauth.authority import Authority, fingerprint
from fhir_service.workflow.oauth.grants import METHODS
from fhir_service.workflow.oauth.model import Spendable
from fhir_service.workflow.oauth.registered import Registered


@dataclass(frozen=True, slots=True)
class Known:
    """A token that is or was ours: an access token by its claims, a refresh token as kept."""

    client: str
    claims: Claims | None = None
    kept: Spendable | None = None
    over: bool = False

    def check_client(self, client: Registered) -> bool:
        """Whether it was given to this client."""
        return self.client == client.get_client_id()

    def is_expired(self) -> bool:
        """Whether it is over; an access token that is over is not known at all."""
        return self.over

    def is_revoked(self) -> bool:
        """Whether its grant has ended, or it was used already."""
        return self.kept is not None and (self.kept.grant.revoked or self.kept.spent)


def look_up(authority: Authority, token: str) -> Known | None:
    """What is known of this token; None for rubbish, and for an access token that is over."""
    try:
        claims = authority.door.claims(token)
    except NotSignedIn:
        kept = authority.store.refresh(fingerprint(token))
        if kept is None:
            return None
        return Known(kept.grant.client, kept=kept, over=kept.expires <= authority.now())
    return Known(claims.client, claims)


class Introspection(IntrospectionEndpoint):
    """A client may ask about its own tokens; one registered for it about all."""

    CLIENT_AUTH_METHODS = METHODS[:3]

    def check_params(self, request: Any, client: Registered) -> None:
        """A token there must be; a hint is one (RFC 7662 section 2.1), and may be wrong."""
        del client
        if not request.form.get("token"):
            raise InvalidRequestError("token is missing.")

    def query_token(self, token_string: str, token_type_hint: str | None) -> Known | None:
        """The token."""
        del token_type_hint
        return look_up(self.server.authority, token_string)

    def check_permission(self, token: Known, client: Registered, request: Any) -> bool:
        """Whether this client may know."""
        del request
        return client.client.introspects or token.check_client(client)

    def introspect_token(self, token: Known) -> dict[str, Any]:
        """What is told of a good token.

        https://hl7.org/fhir/smart-app-launch/token-introspection.html
        """
        authority: Authority = self.server.authority
        if token.claims is not None:
            claims = token.claims
            said: dict[str, Any] = {
                "scope": claims.scope,
                "client_id": claims.client,
                "token_type": "Bearer",
                "exp": claims.expires,
                "iat": claims.issued,
                "iss": authority.site.base_url,
                "sub": claims.client,
                "aud": authority.fhir_base,
                "jti": claims.jti,
            }
            return {"active": True, **said, **claims.context}
        if token.kept is None:
            return {"active": False}
        grant = token.kept.grant
        return {
            "active": True,
            "scope": grant.scope,
            "client_id": grant.client,
            "exp": int(token.kept.expires.timestamp()),
            "iss": authority.site.base_url,
        }


class Revocation(RevocationEndpoint):
    """A client may end its own tokens; a refresh token ends all that was made of its grant."""

    CLIENT_AUTH_METHODS = METHODS

    def check_params(self, request: Any, client: Registered) -> None:
        """A token there must be; a hint may be wrong."""
        del client
        if not request.form.get("token"):
            raise InvalidRequestError("token is missing.")

    def authenticate_token(self, request: Any, client: Registered) -> Known | None:
        """The token, when it is this client's; of another's nothing is told (RFC 7009 2.2)."""
        self.check_params(request, client)
        token = look_up(self.server.authority, request.form["token"])
        return token if token is not None and token.check_client(client) else None

    def revoke_token(self, token: Known, request: Any) -> None:
        """End it."""
        del request
        authority: Authority = self.server.authority
        if token.claims is not None:
            authority.revoke_token(token.claims)
        elif token.kept is not None:
            authority.revoke_grant(token.kept.grant)
