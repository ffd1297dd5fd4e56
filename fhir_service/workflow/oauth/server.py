"""The authorization server, put together with Authlib.

https://docs.authlib.org/ and https://www.rfc-editor.org/rfc/rfc6749
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from authlib.oauth2.rfc6749 import AuthorizationServer, InvalidRequestError, OAuth2Error

from fhir_service.workflow.oauth.assertion import authenticate
from fhir_service.workflow.oauth.authority import Authority
from fhir_service.workflow.oauth.endpoints import Introspection, Revocation
from fhir_service.workflow.oauth.grants import (
    ForBackends,
    OnlyS256,
    WithCode,
    WithRefreshToken,
)
from fhir_service.workflow.oauth.registered import Registered
from fhir_service.workflow.oauth.requests import Answer, Asked

LONGEST_CLIENT_ID = 200

_UNAUTHORIZED = 401
_SAYS = {
    "unsupported_grant_type": (
        "grant_type is client_credentials, authorization_code or refresh_token."
    ),
    "invalid_grant": "The code or refresh token is not good, or is another client's.",
}


class Server(AuthorizationServer):
    """Authlib's server over our store, tokens and rules."""

    def __init__(self, authority: Authority) -> None:
        super().__init__()
        self.authority = authority
        self.register_client_auth_method("private_key_jwt", authenticate(authority))
        self.register_grant(ForBackends)
        self.register_grant(WithCode, [OnlyS256(required=True)])
        self.register_grant(WithRefreshToken)
        self.register_endpoint(Introspection)
        self.register_endpoint(Revocation)

    def token(self, asked: Asked) -> Answer:
        """The answer of the token endpoint."""
        return self._answered(asked, lambda: self.create_token_response(asked))

    def introspect(self, asked: Asked) -> Answer:
        """The answer of the introspection endpoint."""
        name = Introspection.ENDPOINT_NAME
        return self._answered(asked, lambda: self.create_endpoint_response(name, asked))

    def revoke(self, asked: Asked) -> Answer:
        """The answer of the revocation endpoint."""
        name = Revocation.ENDPOINT_NAME
        return self._answered(asked, lambda: self.create_endpoint_response(name, asked))

    def _answered(self, asked: Asked, answer: Any) -> Answer:
        try:
            asked.must_be_plain()
            made: Answer = answer()
        except OAuth2Error as error:
            return self.handle_error_response(asked, error)
        except ValueError:  # Authlib will not say in an error what is no plain ASCII
            return self.handle_error_response(
                asked, InvalidRequestError("A parameter has signs that are not allowed.")
            )
        return made

    def query_client(self, client_id: str) -> Registered | None:
        """The client with this id; what could not be one is not looked up."""
        if not 0 < len(client_id) <= LONGEST_CLIENT_ID or not client_id.isprintable():
            return None
        found = self.authority.store.client(client_id)
        return Registered(found) if found else None

    def save_token(self, token: Mapping[str, Any], request: Asked) -> None:
        """Nothing: an access token is signed, a refresh token kept where it is made."""

    def create_oauth2_request(self, request: Asked) -> Asked:
        """It is one already."""
        return request

    def send_signal(self, name: str, *args: Any, **kwargs: Any) -> None:
        """Nobody listens."""

    def handle_response(
        self, status: int, body: Mapping[str, Any] | str, headers: Sequence[tuple[str, str]]
    ) -> Answer:
        """The answer, to be put into HTTP by the door."""
        location = dict(headers).get("Location")
        return Answer(status, body if isinstance(body, Mapping) else {}, location)

    def handle_error_response(self, request: Asked, error: OAuth2Error) -> Answer:
        """An error as OAuth has it; a client that is not who it says is a 401."""
        if error.error == "invalid_client":
            error.status_code = _UNAUTHORIZED
        answer: Answer = super().handle_error_response(request, error)
        if answer.location is None and "error_description" not in answer.body:
            says = _SAYS.get(str(error.error), "The request was refused.")
            answer = Answer(answer.status, {**answer.body, "error_description": says})
        return answer
