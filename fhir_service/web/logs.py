"""One JSON line per event, on standard error; no answer, no name, no address as it was asked for.

https://12factor.net/logs
"""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from typing import Protocol

import orjson

LEVELS = ("debug", "info", "warning", "error")

_EVENT_LEVELS = {"fault": "error"}


class Sink(Protocol):
    """Where lines go: a binary stream, say."""

    def write(self, line: bytes, /) -> object:
        """Take one line, its end included."""


class Log:
    """Writes events from a level on, each line in one write: processes can share a file."""

    def __init__(self, sink: Sink, level: str = "info") -> None:
        self._sink = sink
        self._least = LEVELS.index(level)

    def line(self, event: str, **fields: object) -> None:
        """Write one event; fields that are None are left out."""
        level = _EVENT_LEVELS.get(event, "info")
        if LEVELS.index(level) < self._least:
            return
        said = {key: value for key, value in fields.items() if value is not None}
        at = datetime.now(UTC).isoformat(timespec="milliseconds")
        told = {"at": at, "level": level, "event": event, **said}
        self._sink.write(orjson.dumps(told, option=orjson.OPT_APPEND_NEWLINE))


def on_standard_error(level: str = "info") -> Log:
    """A log on standard error, unbuffered: a killed process has said all that it said."""
    return Log(open(sys.stderr.fileno(), "wb", buffering=0, closefd=False), level)
