"""A polite rate: requests to one EHR are spread out, and it is left alone as long as it asks.

https://www.rfc-editor.org/rfc/rfc9110#field.retry-after
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from threading import Lock

LONGEST_PAUSE_SECONDS = 24 * 3600.0


class Pace:
    """At most so many requests a second, each in its own slot; 0 means: as fast as they come.

    ``now`` and ``sleep`` are in seconds; tests hand in their own. Threads may share it.
    """

    def __init__(
        self,
        per_second: float = 0.0,
        *,
        now: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._gap = 1.0 / per_second if per_second > 0 else 0.0
        self._now = now
        self._sleep = sleep
        self._lock = Lock()
        self._next = 0.0

    def wait(self) -> None:
        """Return when the next request may be sent."""
        with self._lock:
            now = self._now()
            mine = max(now, self._next)
            self._next = mine + self._gap
        if mine > now:
            self._sleep(mine - now)

    def rest(self, seconds: float) -> None:
        """Send nothing for so long: the EHR asked for it."""
        with self._lock:
            self._next = max(self._next, self._now() + seconds)


def retry_after_seconds(headers: Mapping[str, str], now: datetime | None = None) -> float | None:
    """What Retry-After asks for, seconds or a date; None where it is missing or unreadable.

    At most a day, never negative.
    """
    said = headers.get("retry-after", "").strip()
    if not said:
        return None
    if said.isdigit():
        return min(float(said[:9]), LONGEST_PAUSE_SECONDS)
    try:
        until = parsedate_to_datetime(said)
    except ValueError:
        return None
    if until.tzinfo is None:
        until = until.replace(tzinfo=UTC)
    seconds = (until - (now or datetime.now(UTC))).total_seconds()
    return min(max(seconds, 0.0), LONGEST_PAUSE_SECONDS)
