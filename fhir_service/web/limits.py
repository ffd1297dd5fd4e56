"""How often somebody may ask: a client, a patient, an address. Each process counts for itself.

A key may ask at an even pace, and save up a minute's worth (the generic cell rate algorithm).
https://en.wikipedia.org/wiki/Generic_cell_rate_algorithm and
https://www.rfc-editor.org/rfc/rfc6585#section-4
"""

from __future__ import annotations

import math
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING, Final

from fhir_service.fhir.issues import Refusal, TooMany

if TYPE_CHECKING:
    from fhir_service.settings import Settings
    from fhir_service.workflow.caller import Caller

MOST_KEYS: Final = 10_000
MINUTE: Final = 60.0


class Limit:
    """So many a minute for each key; 0: no limit. Of many keys those seen last are remembered."""

    def __init__(
        self, per_minute: int, says: str, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._interval = MINUTE / per_minute if per_minute else 0.0
        self._says = says
        self._clock = clock
        self._due: OrderedDict[str, float] = OrderedDict()
        self._lock = Lock()

    def must_pass(self, key: str) -> None:
        """Count one request of this key. Raises TooMany, which says when to come back."""
        if not self._interval:
            return
        now = self._clock()
        with self._lock:
            due = max(self._due.pop(key, now), now)
            wait = due + self._interval - now - MINUTE
            self._due[key] = due if wait > 0 else due + self._interval
            if len(self._due) > MOST_KEYS:
                self._due.popitem(last=False)
        if wait > 0:
            raise TooMany(self._says, retry_after_seconds=math.ceil(wait))

    def must_have_room(self, key: str) -> None:
        """Count nothing. Raises TooMany, as ``must_pass`` would now."""
        now = self._clock()
        wait = self._due.get(key, now) + self._interval - now - MINUTE
        if self._interval and wait > 0:
            raise TooMany(self._says, retry_after_seconds=math.ceil(wait))

    @contextmanager
    def only(self, counted: type[Refusal], key: str) -> Iterator[None]:
        """Count what is done within only where it ends so; raises TooMany before, without room."""
        self.must_have_room(key)
        try:
            yield
        except counted:
            with suppress(TooMany):  # another had the last one meanwhile: its own end is told
                self.must_pass(key)
            raise


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of one process."""

    clients: Limit
    patients: Limit
    authorization: Limit
    bad_tokens: Limit

    @classmethod
    def of(cls, settings: Settings) -> Limits:
        """Those of the settings, shared out among the processes."""

        def shared(per_minute: int) -> int:
            return math.ceil(per_minute / settings.workers)

        return cls(
            Limit(
                shared(settings.client_requests_per_minute),
                "This client sends more requests than are allowed.",
            ),
            Limit(
                shared(settings.patient_requests_per_minute),
                "There are more requests for this patient than are allowed.",
            ),
            Limit(
                shared(settings.auth_requests_per_minute),
                "There are more requests from this address than are allowed.",
            ),
            Limit(
                shared(settings.bad_tokens_per_minute),
                "There were too many bad tokens from this address.",
            ),
        )

    def must_let(self, caller: Caller) -> None:
        """Count one request of this caller, or of the patient it is bound to. Raises TooMany."""
        if caller.is_patient():
            self.patients.must_pass(caller.access.patient or "")
        else:
            self.clients.must_pass(caller.client)
