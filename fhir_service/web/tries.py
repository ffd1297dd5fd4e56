"""Counts wrong tries of one address: who guesses is stopped, and a whole ward may log in.

https://cheatsheetseries.owasp.org/cheatsheets/Credential_Stuffing_Prevention_Cheat_Sheet.html
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from threading import Lock
from typing import Final

from fhir_service.fhir.issues import TooMany

WINDOW_SECONDS: Final = 900
_MOST_ADDRESSES: Final = 10_000


class Tries:
    """Wrong tries by address, each process for itself; threads share it.

    ``most`` are let through within WINDOW_SECONDS of the first. The tries of one link or code are
    counted in the record besides, over all processes.
    """

    def __init__(self, most: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._most = most
        self._clock = clock
        self._wrong: OrderedDict[str, tuple[float, int]] = OrderedDict()
        self._lock = Lock()

    def must_may_try(self, address: str) -> None:
        """Raises TooMany where this address was wrong too often."""
        with self._lock:
            began, wrong = self._wrong.get(address, (0.0, 0))
            if wrong >= self._most and self._clock() - began < WINDOW_SECONDS:
                raise TooMany("Too many wrong tries from this address; wait some minutes.")

    def wrong(self, address: str) -> None:
        """Count one."""
        now = self._clock()
        with self._lock:
            began, wrong = self._wrong.pop(address, (now, 0))
            if now - began >= WINDOW_SECONDS:
                began, wrong = now, 0
            self._wrong[address] = (began, wrong + 1)
            while len(self._wrong) > _MOST_ADDRESSES:
                self._wrong.popitem(last=False)
