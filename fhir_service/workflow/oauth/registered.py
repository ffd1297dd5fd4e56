"""A registered client as Authlib sees it.

https://www.rfc-editor.org/rfc/rfc6749#section-2
"""

from __future__ import annotations

import hmac
from hashlib import sha256

from authlib.oauth2.rfc6749 import ClientMixin

from fhir_service.workflow.oauth.model import Client

METHODS = {
    "private_key_jwt": ("private_key_jwt",),
    "client_secret": ("client_secret_basic", "client_secret_post"),
    "none": ("none",),
}
"""The ways of Authlib's to show who one is, by how the client was registered."""


class Registered(ClientMixin):
    """One client, with its answers to what a grant asks of it."""

    def __init__(self, client: Client) -> None:
        self.client = client

    @property
    def client_id(self) -> str:
        """Its id."""
        return self.client.id

    def get_client_id(self) -> str:
        """Its id."""
        return self.client.id

    def get_default_redirect_uri(self) -> str | None:
        """None: SMART asks every app to name it."""
        return None

    def get_allowed_scope(self, scope: str | None) -> str:
        """As asked; what of it is given is settled by smart/granting.py."""
        return scope or ""

    def check_redirect_uri(self, redirect_uri: str) -> bool:
        """Whether it is registered, sign by sign."""
        return redirect_uri in self.client.redirect_uris

    def check_client_secret(self, client_secret: str) -> bool:
        """Whether this is the shared secret."""
        kept = self.client.secret_sha256
        given = sha256(client_secret.encode("utf-8", "surrogateescape")).hexdigest()
        return kept is not None and hmac.compare_digest(kept, given)

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        """Whether it shows who it is this way."""
        del endpoint
        return method in METHODS[self.client.auth]

    def check_response_type(self, response_type: str) -> bool:
        """Whether it may ask for a code."""
        return response_type == "code" and "authorization_code" in self.client.grants

    def check_grant_type(self, grant_type: str) -> bool:
        """Whether it may ask for a token this way."""
        granted = self.client.grants
        return grant_type in granted or (
            grant_type == "refresh_token" and "authorization_code" in granted
        )
