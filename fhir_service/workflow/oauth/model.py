"""What the authorization server keeps, and where it keeps it.

https://www.rfc-editor.org/rfc/rfc7591#section-2
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, Protocol

AuthMethod = Literal["private_key_jwt", "client_secret", "none"]


@dataclass(frozen=True, slots=True)
class Client:
    """A registered client: how it shows who it is, and what it may be given at most.

    ``jwks`` are its public keys, or ``jwks_url`` where they are; ``secret_sha256`` (hex) is kept
    of a shared secret, which is random. ``introspects``: it may ask about tokens of others.
    """

    id: str
    name: str
    auth: AuthMethod
    grants: tuple[str, ...]
    scope: str
    created: datetime
    redirect_uris: tuple[str, ...] = ()
    jwks: Mapping[str, Any] | None = None
    jwks_url: str | None = None
    secret_sha256: str | None = None
    launch_url: str | None = None
    introspects: bool = False


@dataclass(frozen=True, slots=True)
class Grant:
    """What a person allowed a client, once; the tokens made of it name it, and end with it.

    ``user`` is who allowed it, as the id_token names them (sub); ``fhir_user`` their resource,
    where there is one. ``refresh_until``: how long it can be renewed, None for not at all.
    """

    id: str
    client: str
    scope: str
    redirect_uri: str
    code_challenge: str
    user: str
    authenticated: datetime
    created: datetime
    patient: str | None = None
    encounter: str | None = None
    fhir_user: str | None = None
    nonce: str | None = None
    refresh_until: datetime | None = None
    revoked: bool = False


@dataclass(frozen=True, slots=True)
class Spendable:
    """A code or a refresh token as kept: its grant, until when it is good, whether it was used."""

    grant: Grant
    expires: datetime
    spent: bool


class Authorizations(Protocol):
    """Where clients, grants and the like lie. All methods raise Unavailable.

    A ``fingerprint`` is the SHA-256 of what the client holds; that itself is never kept.
    """

    def client(self, id_: str) -> Client | None:
        """The client with this id."""

    def clients(self) -> tuple[Client, ...]:
        """Every client, by id."""

    def register(self, client: Client) -> None:
        """Keep a new client. Raises Conflict when there is one with this id."""

    def remove(self, id_: str, until: datetime) -> bool:
        """Forget a client and what it was granted; tokens of it are revoked until then."""

    def first_use(self, fingerprint: bytes, expires: datetime, now: datetime) -> bool:
        """Whether this was never used before; it is used now, and remembered until it expires."""

    def keep_grant(self, grant: Grant, code: bytes, expires: datetime) -> None:
        """Keep a grant under the fingerprint of its code."""

    def grants(self, patient: str | None, client: str | None, most: int) -> tuple[Grant, ...]:
        """The newest grants, ended ones too; of this patient and of this client where named."""

    def grants_to_end(self, id_: str | None, patient: str | None) -> tuple[str, ...]:
        """The ids of what is not ended yet: the grant with this id, or all of a patient."""

    def code(self, fingerprint: bytes) -> Spendable | None:
        """The grant of this code."""

    def spend_code(self, fingerprint: bytes) -> bool:
        """Mark the code as used; False when it was used before, by anybody."""

    def keep_refresh(self, fingerprint: bytes, grant: str, expires: datetime) -> None:
        """Keep a refresh token of this grant."""

    def refresh(self, fingerprint: bytes) -> Spendable | None:
        """The grant of this refresh token."""

    def spend_refresh(self, fingerprint: bytes) -> bool:
        """Mark the refresh token as used; False when it was used before, by anybody."""

    def revoke(self, mark: str, until: datetime) -> None:
        """Let no access token with this jti or grant be good; remembered until then."""

    def revoke_grant(self, grant: str, until: datetime) -> None:
        """End a grant: its refresh tokens and its access tokens."""

    def revoked(self, now: datetime) -> frozenset[str]:
        """Every mark that is revoked at this moment."""


class ClientKeys(Protocol):
    """The public keys of clients, as JWKs."""

    def keys(self, client: Client, kid: str) -> tuple[Mapping[str, Any], ...]:
        """The keys of this client; fetched anew where none has this kid. Empty: none to be had."""
