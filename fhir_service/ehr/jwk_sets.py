"""JWK Sets that the operator named by address, fetched and kept for a while.

No address that a request brings is ever called. What was fetched is kept as long as its
Cache-Control allows, five minutes at most; a kid that is not known makes us look again, now and
then. https://www.rfc-editor.org/rfc/rfc7517
"""

from __future__ import annotations

import re
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Any, Final

import orjson

from fhir_service.ehr.outbound import Outbound, OutboundFailed, OutboundRefused

MOST_BYTES: Final = 65_536
TIMEOUT_SECONDS: Final = 5.0
LONGEST_SECONDS: Final = 300.0
SHORTEST_SECONDS: Final = 10.0
"""How soon keys are fetched again at the earliest, also after a failure."""

_MOST_SETS = 256
_OK = 200
_MAX_AGE = re.compile(r"max-age=(\d{1,9})")

Keys = tuple[Mapping[str, Any], ...]


@dataclass(frozen=True, slots=True)
class _Fetched:
    keys: Keys
    at: float
    until: float


class JwkSets:
    """JWK Sets by their address, each fetched when it is first needed; threads may share it.

    ``usable`` picks the keys of a set that something may be verified with.
    """

    def __init__(
        self,
        usable: Callable[[Mapping[str, Any]], Keys],
        networks: tuple[str, ...] = (),
        ca_file: Path | None = None,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._usable = usable
        self._networks = networks
        self._ca_file = ca_file
        self._now = now
        self._fetched: OrderedDict[str, _Fetched] = OrderedDict()
        self._lock = Lock()

    def keys(self, url: str, kid: str) -> Keys:
        """The keys at this address; fetched anew where none has this kid. Empty: none there."""
        kept = self._fetched.get(url)
        now = self._now()
        if kept is not None:
            known = any(key["kid"] == kid for key in kept.keys)
            if now < kept.until and (known or now < kept.at + SHORTEST_SECONDS):
                return kept.keys
        return self._fetch(url, kept).keys

    def _fetch(self, url: str, before: _Fetched | None) -> _Fetched:
        """Fetch and keep; one thread at a time. A failure leaves no keys, and is kept a while."""
        with self._lock:
            kept = self._fetched.get(url)
            if kept is not None and kept is not before:
                return kept
            now = self._now()
            keys, seconds = self._read(url)
            made = _Fetched(keys, now, now + seconds)
            self._fetched[url] = made
            self._fetched.move_to_end(url)
            while len(self._fetched) > _MOST_SETS:
                self._fetched.popitem(last=False)
            return made

    def _read(self, url: str) -> tuple[Keys, float]:
        outbound = Outbound(
            [url],
            networks=self._networks,
            timeout_seconds=TIMEOUT_SECONDS,
            most_bytes=MOST_BYTES,
            ca_file=self._ca_file,
        )
        try:
            reply = outbound.send("GET", url, headers={"Accept": "application/json"})
            said = orjson.loads(reply.body) if reply.status == _OK else {}
        except (OutboundFailed, OutboundRefused, ValueError):
            return (), SHORTEST_SECONDS
        finally:
            outbound.close()
        keys = self._usable(said) if isinstance(said, dict) else ()
        return keys, _seconds(reply.headers) if keys else SHORTEST_SECONDS


def _seconds(headers: Mapping[str, str]) -> float:
    """How long the keys may be kept, between the shortest and the longest of ours."""
    said = headers.get("cache-control", "").lower()
    if "no-store" in said or "no-cache" in said:
        return SHORTEST_SECONDS
    match = _MAX_AGE.search(said)
    given = float(match[1]) if match else LONGEST_SECONDS
    return min(max(given, SHORTEST_SECONDS), LONGEST_SECONDS)
