"""The delivery workers that `serve` keeps beside it: started, started again when one ends, ended.

Each is a process of its own, so that an EHR that is slow takes nothing from who is asked.
"""

from __future__ import annotations

import os
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from fhir_service.cli.deliver import spawn

LOOK_SECONDS: Final = 0.5
LONGEST_SECONDS: Final = 60.0
STEADY_SECONDS: Final = 30.0
GRACE_SECONDS: Final = 90.0
"""What is being sent is sent to its end; after so long a worker is killed, and it is unknown."""

_NO_FORK: Final = threading.Lock()
"""Held while a worker is started. A server process that is forked meanwhile would keep the pipe
over which the start is told, and the start would never be seen to end."""
os.register_at_fork(
    before=_NO_FORK.acquire,
    after_in_parent=_NO_FORK.release,
    after_in_child=_NO_FORK.release,
)


@contextmanager
def deliverers(count: int) -> Iterator[None]:
    """So many workers until the end of the block."""
    stop = threading.Event()
    threads = [threading.Thread(target=_keep, args=(stop,), daemon=True) for _ in range(count)]
    for one in threads:
        one.start()
    try:
        yield
    finally:
        stop.set()
        for one in threads:
            one.join(GRACE_SECONDS + LOOK_SECONDS)


def _keep(stop: threading.Event) -> None:
    """One worker, always: one that ends soon after its start is started again ever later."""
    pause = LOOK_SECONDS
    while not stop.is_set():
        began = time.monotonic()
        with _NO_FORK:
            worker = subprocess.Popen(spawn(), stdin=subprocess.DEVNULL)  # noqa: S603  our own program
        while worker.poll() is None and not stop.wait(LOOK_SECONDS):
            pass
        if worker.poll() is None:
            _end(worker)
            return
        steady = time.monotonic() - began > STEADY_SECONDS
        pause = LOOK_SECONDS if steady else min(pause * 2, LONGEST_SECONDS)
        stop.wait(pause)


def _end(worker: subprocess.Popen[bytes]) -> None:
    worker.terminate()
    try:
        worker.wait(GRACE_SECONDS)
    except subprocess.TimeoutExpired:
        worker.kill()
        worker.wait()
