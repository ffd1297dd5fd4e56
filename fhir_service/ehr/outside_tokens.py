"""Tokens of another authorization server: verified by its keys, or asked about.

https://www.rfc-editor.org/rfc/rfc9068 and https://www.rfc-editor.org/rfc/rfc7662
"""

from __future__ import annotations

import time
from base64 import b64encode
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from threading import Lock
from typing import Final, Protocol
from urllib.parse import quote

import orjson

from fhir_service.ehr.jwk_sets import JwkSets
from fhir_service.ehr.outbound import Outbound, OutboundFailed, OutboundRefused
from fhir_service.fhir.issues import NotSignedIn, Unavailable
from fhir_service.smart.outside import (
    Issuer,
    kid_of,
    read_claims,
    usable_issuer_keys,
    verified,
)
from fhir_service.smart.tokens import Claims

BELIEVED_SECONDS: Final = 60
"""How long the answer about a token is believed; it may have been revoked since."""

REFUSED_SECONDS: Final = 10.0

_MOST_REFUSED = 4096
_OK = 200


@dataclass(frozen=True, slots=True)
class ByKeys:
    """Signed tokens, verified by the keys at the address that the operator named."""

    issuer: Issuer
    jwks_url: str
    sets: JwkSets

    def claims(self, token: str, now: datetime) -> Claims:
        """What the token says. Raises NotSignedIn and NotAllowed."""
        keys = self.sets.keys(self.jwks_url, kid_of(token))
        return verified(token, keys, self.issuer, now.timestamp())


class ByIntrospection:
    """Tokens of any shape, asked about where the operator said; we show id and secret there."""

    def __init__(
        self,
        outbound: Outbound,
        url: str,
        credentials: str,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._outbound = outbound
        self._url = url
        self._credentials = credentials
        self._clock = clock
        self._refused: OrderedDict[bytes, float] = OrderedDict()
        self._lock = Lock()

    def claims(self, token: str, now: datetime) -> Claims:
        """What the token says, good for a minute at most.

        Raises NotSignedIn, NotAllowed, and Unavailable where nobody answers: without an answer
        nobody is let in.
        """
        mark = sha256(token.encode("utf-8", "surrogateescape")).digest()
        if self._clock() - self._refused.get(mark, -REFUSED_SECONDS) < REFUSED_SECONDS:
            raise NotSignedIn("The access token is not good; ask for a new one.")
        try:
            reply = self._outbound.send(
                "POST",
                self._url,
                data={"token": token, "token_type_hint": "access_token"},
                headers={"Accept": "application/json", "Authorization": self._credentials},
            )
            said = orjson.loads(reply.body) if reply.status == _OK else None
        except (OutboundFailed, OutboundRefused, ValueError):
            said = None
        if not isinstance(said, dict):
            raise Unavailable("The authorization server does not answer; try again in a while.")
        if said.get("active") is not True:
            self._remember(mark)
            raise NotSignedIn("The access token is not good; ask for a new one.")
        until = int(now.timestamp()) + BELIEVED_SECONDS
        claims = read_claims({"exp": until, **said}, now.timestamp())
        return replace(claims, expires=min(claims.expires, until))

    def _remember(self, mark: bytes) -> None:
        with self._lock:
            self._refused[mark] = self._clock()
            while len(self._refused) > _MOST_REFUSED:
                self._refused.popitem(last=False)


class OutsideSettings(Protocol):
    """How another authorization server is reached; by keys or by introspection."""

    @property
    def auth_issuer(self) -> str | None:
        """What it calls itself."""

    @property
    def auth_audience(self) -> str | None:
        """What it calls us, where that is not our FHIR base."""

    @property
    def auth_jwks_url(self) -> str | None:
        """Where its keys are."""

    @property
    def auth_introspection_url(self) -> str | None:
        """Where it is asked."""

    @property
    def auth_client_id(self) -> str | None:
        """Who we are there."""

    @property
    def auth_client_secret(self) -> str | None:
        """How we show it."""

    @property
    def outbound_networks(self) -> tuple[str, ...] | None:
        """Private networks that it may lie in."""

    @property
    def outbound_ca_file(self) -> Path | None:
        """Certificates that it is trusted by."""


def open_outside(how: OutsideSettings, fhir_base: str) -> ByKeys | ByIntrospection | None:
    """The other authorization server, where one is configured; nothing is asked of it yet."""
    if how.auth_issuer is None:
        return None
    networks, url = how.outbound_networks or (), how.auth_introspection_url
    if url is None:
        sets = JwkSets(usable_issuer_keys, networks, how.outbound_ca_file)
        issuer = Issuer(how.auth_issuer, how.auth_audience or fhir_base)
        return ByKeys(issuer, how.auth_jwks_url or "", sets)
    outbound = Outbound(
        [url], networks=networks, timeout_seconds=5.0, ca_file=how.outbound_ca_file
    )
    shown = f"{quote(how.auth_client_id or '')}:{quote(how.auth_client_secret or '')}"
    credentials = f"Basic {b64encode(shown.encode()).decode()}"
    return ByIntrospection(outbound, url, credentials)
