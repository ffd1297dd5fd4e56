"""Our access tokens at an EHR: SMART Backend Services, by an assertion signed with our key.

A token is kept until shortly before it ends. An assertion names each time a new jti and is good
for less than five minutes. https://hl7.org/fhir/smart-app-launch/backend-services.html
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from threading import Lock
from typing import Any

import orjson

from fhir_service.ehr.outbound import Outbound, OutboundFailed, OutboundRefused, Reply
from fhir_service.ehr.pace import retry_after_seconds
from fhir_service.smart.assertions import client_assertion
from fhir_service.workflow.ehr import EhrTrouble, TroubleKind

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

_SPARE_SECONDS = 30.0
_SHORTEST_SECONDS = 5.0
_UNKNOWN_LIFETIME_SECONDS = 60.0
_OK = 200
_BUSY = (429, 503)
_FAULT = 500


@dataclass(frozen=True, slots=True)
class ClientId:
    """What the EHR knows us by. ``scope`` None: none is asked for, as Epic wants it."""

    client_id: str
    scope: str | None = None


class BackendServices:
    """The Authorization header of one EHR; threads may share it.

    ``token_url`` finds the token endpoint when it is first needed; ``key`` gives the private JWK
    to sign with; ``now`` is the clock in seconds since 1970.
    """

    def __init__(
        self,
        outbound: Outbound,
        client: ClientId,
        *,
        token_url: Callable[[], str],
        key: Callable[[], Mapping[str, Any]],
        new_id: Callable[[], str],
        now: Callable[[], float] = time.time,
    ) -> None:
        self._outbound = outbound
        self._client = client
        self._token_url = token_url
        self._key = key
        self._new_id = new_id
        self._now = now
        self._lock = Lock()
        self._token: str | None = None
        self._until = 0.0
        self.granted: str | None = None
        """The scopes of the last token, as the EHR spelled them."""

    def header(self) -> str | None:
        """``Bearer …``. Raises EhrTrouble where no token can be had."""
        with self._lock:
            if self._token is None or self._now() >= self._until:
                self._renew()
            return f"Bearer {self._token}"

    def forget(self) -> None:
        """Ask for a new one before the next request."""
        with self._lock:
            self._token = None

    def _renew(self) -> None:
        self._token = None
        url = self._token_url()
        asked = {
            "grant_type": "client_credentials",
            "client_assertion_type": ASSERTION_TYPE,
            "client_assertion": client_assertion(
                self._key(),
                client_id=self._client.client_id,
                audience=url,
                jti=self._new_id(),
                now=int(self._now()),
            ),
        }
        if self._client.scope:
            asked["scope"] = self._client.scope
        began = self._now()
        said = _token(self._post(url, asked))
        self._token = said["access_token"]
        self.granted = said.get("scope")
        lifetime = said.get("expires_in", _UNKNOWN_LIFETIME_SECONDS)
        seconds = float(lifetime) if isinstance(lifetime, int | float) else 0.0
        self._until = began + max(seconds - _SPARE_SECONDS, seconds / 2, _SHORTEST_SECONDS)

    def _post(self, url: str, asked: Mapping[str, str]) -> Reply:
        """Asking for a token leaves nothing behind, so a lost answer counts as not reached."""
        try:
            return self._outbound.send(
                "POST", url, data=dict(asked), headers={"Accept": "application/json"}
            )
        except OutboundRefused:
            raise EhrTrouble("not-configured") from None
        except OutboundFailed:
            raise EhrTrouble("unreachable") from None


def _token(reply: Reply) -> dict[str, Any]:
    """What the token endpoint gave. Raises EhrTrouble; its code is OAuth's, its words are not."""
    try:
        said = orjson.loads(reply.body)
    except ValueError:
        said = None
    if (
        reply.status == _OK
        and isinstance(said, dict)
        and isinstance(said.get("access_token"), str)
    ):
        if str(said.get("token_type", "")).lower() == "bearer":
            return said
        raise EhrTrouble("not-authorized", reply.status, codes=("token-type",))
    if reply.status in _BUSY:
        raise EhrTrouble("busy", reply.status, retry_after_seconds(reply.headers))
    kind: TroubleKind = "unreachable" if reply.status >= _FAULT else "not-authorized"
    error = said.get("error") if isinstance(said, dict) else None
    plain = isinstance(error, str) and error.isascii() and error.replace("_", "").isalnum()
    raise EhrTrouble(kind, reply.status, codes=(str(error)[:40],) if plain else ())
