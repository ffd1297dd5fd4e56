"""A CDS client shows who it is, with every call, by a JWT that it signed.

https://cds-hooks.hl7.org/2.0/#trusting-cds-clients
"""

from __future__ import annotations

from typing import Any

from authlib.oauth2.rfc6749 import InvalidClientError

from fhir_service.fhir.issues import NotSignedIn
from fhir_service.smart.access import Access
from fhir_service.smart.scopes import read_scopes
from fhir_service.workflow.caller import Caller
from fhir_service.workflow.oauth.assertion import PrivateKeyJwt
from fhir_service.workflow.oauth.authority import Authority
from fhir_service.workflow.oauth.model import Client
from fhir_service.workflow.oauth.registered import Registered
from fhir_service.workflow.oauth.registering import CDS_HOOKS


class _CdsJwt(PrivateKeyJwt):
    """As an assertion, but for this address, and issued by the client without a subject."""

    def __init__(self, authority: Authority, audience: str) -> None:
        super().__init__(authority)
        self._audience = audience

    def verify_claims(self, claims: dict[str, Any]) -> None:
        """For this address, now, and once."""
        named = claims.get("aud")
        if self._audience not in (named if isinstance(named, list) else [named]):
            raise InvalidClientError(f"aud must be {self._audience}.")
        if claims.get("iat") is None:
            raise InvalidClientError("The JWT must say when it was made (iat).")
        self.must_be_fresh(claims)


def caller_of(authority: Authority, token: str, audience: str, request_id: str) -> Caller:
    """The registered CDS client whose JWT this is, with the rights it is registered with.

    ``audience`` is the whole address that is called. Raises NotSignedIn, Unavailable.
    """
    checked = _CdsJwt(authority, audience)
    try:
        _, claims = checked.extract_assertion(token)
        client = _registered(authority, claims.get("iss"))
        keys = checked.resolve_client_public_key(Registered(client))
        verified = checked.process_assertion_claims(token, keys)
    except InvalidClientError as error:
        raise NotSignedIn(f"The JWT is not taken: {error.description}") from None
    return Caller(client.id, verified["jti"], Access(read_scopes(client.scope)), request_id)


def _registered(authority: Authority, issuer: Any) -> Client:
    client = authority.store.client(issuer) if isinstance(issuer, str) else None
    if client is None or CDS_HOOKS not in client.grants:
        raise InvalidClientError("iss is no registered CDS client.")
    return client
