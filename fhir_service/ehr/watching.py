"""Ends exchanges that take too long as a whole, however steadily they drip: one thread for all.

A timer of its own for each exchange would be a new thread each, a third of what it costs.
"""

from __future__ import annotations

import threading
import time
from heapq import heappop, heappush
from itertools import count
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import socket


class Watchman:
    """Looks after exchanges by their latest moment; its thread is started with the first."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._waiting: list[tuple[float, int, Watch]] = []
        self._numbers = count()
        self._next = float("inf")
        self._thread: threading.Thread | None = None

    def add(self, watch: Watch, until: float) -> None:
        """Look after this one until then (time.monotonic)."""
        with self._changed:
            heappush(self._waiting, (until, next(self._numbers), watch))
            if self._thread is None or not self._thread.is_alive():  # a fork leaves it behind
                self._thread = threading.Thread(target=self._run, name="watchman", daemon=True)
                self._thread.start()
            elif until < self._next:
                self._changed.notify()

    def _run(self) -> None:
        while True:
            for late in self._late():
                late.cut()

    def _late(self) -> list[Watch]:
        """Those whose time is over, once there are some; those that ended are dropped."""
        with self._changed:
            now, late = time.monotonic(), []
            while self._waiting and (self._waiting[0][0] <= now or self._waiting[0][2].over):
                watch = heappop(self._waiting)[2]
                if not watch.over:
                    late.append(watch)
            if not late:
                self._next = self._waiting[0][0] if self._waiting else float("inf")
                self._changed.wait(None if not self._waiting else self._next - now)
            return late


class Watch:
    """One exchange: its connection is cut when it takes longer than it may."""

    def __init__(self, watchman: Watchman, seconds: float) -> None:
        self._watchman = watchman
        self._seconds = seconds
        self._sock: socket.socket | None = None
        self._lock = threading.Lock()
        self.over = False
        self.ended_it = False

    def begin(self, sock: socket.socket | None) -> None:
        """Watch this connection from now on."""
        if sock is None or self._sock is not None:
            return
        self._sock = sock
        self._watchman.add(self, time.monotonic() + self._seconds)

    def cut(self) -> None:
        """It takes too long: end the connection, unless the exchange has just ended."""
        with self._lock:
            if self.over or self._sock is None:
                return
            self.ended_it = True
            try:
                self._sock.shutdown(2)
            except OSError:  # it is closed already
                return

    def end(self) -> None:
        """The exchange is over."""
        with self._lock:
            self.over = True
            self._sock = None
