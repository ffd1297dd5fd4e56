"""The public keys of registered clients: as registered, or from the address that was registered.

https://hl7.org/fhir/smart-app-launch/client-confidential-asymmetric.html
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from threading import Lock

from fhir_service.ehr.jwk_sets import JwkSets, Keys
from fhir_service.workflow.oauth.model import Client
from fhir_service.workflow.oauth.registering import usable_keys

_MOST_CLIENTS = 256


class FetchedKeys:
    """The keys of one process's clients."""

    def __init__(
        self,
        networks: tuple[str, ...] = (),
        ca_file: Path | None = None,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._sets = JwkSets(usable_keys, networks, ca_file, now)
        self._inline: OrderedDict[str, Keys] = OrderedDict()
        self._lock = Lock()

    def keys(self, client: Client, kid: str) -> Keys:
        """The keys of this client; fetched anew where none has this kid. Empty: none to be had."""
        if client.jwks_url is None:
            return self._registered(client)
        return self._sets.keys(client.jwks_url, kid)

    def _registered(self, client: Client) -> Keys:
        """The keys that were registered with the client; read once for each registration."""
        mark = f"{client.id} {client.created.isoformat()}"
        kept = self._inline.get(mark)
        if kept is None:
            kept = usable_keys(client.jwks or {})
            with self._lock:
                self._inline[mark] = kept
                while len(self._inline) > _MOST_CLIENTS:
                    self._inline.popitem(last=False)
        return kept
