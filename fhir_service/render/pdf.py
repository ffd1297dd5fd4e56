"""The summary and the patient's copy as PDF, printed by a process of its own.

They are tagged (PDF/UA-1), with their fonts embedded. https://www.iso.org/standard/64599.html
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from datetime import datetime
from hashlib import sha256
from types import TracebackType
from typing import Any

from msgspec import Struct

from fhir_service.fhir.issues import Unavailable
from fhir_service.render.fonts import shows
from fhir_service.render.pipes import receive, send
from fhir_service.render.sparkline import sparkline, told
from fhir_service.render.text import sheet
from fhir_service.summary.model import Section, Summary
from fhir_service.summary.patient_copy import PatientCopy
from fhir_service.summary.visible import visible

_REMEMBERED = 32
"""How many PDFs are kept at hand, under 100 kB each; a page is opened more than once."""

_LEFT = {"sources", "before_sources", "course", "low", "high"}
_LATER = "The PDF can not be made just now; the same request may be sent again."


class Printer:
    """One print process, started when it is first needed and again when it has died.

    Safe to use from many threads, which wait for each other.
    """

    def __init__(self, timeout_seconds: float = 20.0) -> None:
        self._timeout_seconds = timeout_seconds
        self._one_at_a_time = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._printed: OrderedDict[bytes, bytes] = OrderedDict()

    def pdf(self, summary: Summary) -> bytes:
        """The PDF; the same summary gives the same bytes.

        Raises Unavailable when the process died twice over it, or took too long.
        """
        return self._pdf({"template": "summary", **as_data(summary)})

    def patient_copy(self, copy: PatientCopy) -> bytes:
        """The patient's copy; the same copy gives the same bytes. Raises as ``pdf``."""
        return self._pdf({"template": "patient_copy", **_plain(copy, _drawable)})

    def _pdf(self, data: Mapping[str, Any]) -> bytes:
        asked = json.dumps(data, ensure_ascii=False).encode("utf-8")
        fingerprint = sha256(asked).digest()
        with self._one_at_a_time:
            if fingerprint in self._printed:
                self._printed.move_to_end(fingerprint)
                return self._printed[fingerprint]
            for _ in range(2):
                answer = self._ask(asked)
                if answer is not None:
                    return self._remembered(fingerprint, answer)
        raise Unavailable(_LATER)

    def _remembered(self, fingerprint: bytes, printed: bytes) -> bytes:
        self._printed[fingerprint] = printed
        if len(self._printed) > _REMEMBERED:
            self._printed.popitem(last=False)
        return printed

    def _ask(self, asked: bytes) -> bytes | None:
        process = self._running()
        if process.stdin is None or process.stdout is None:
            raise ValueError("the print process has no pipes")
        watch = threading.Timer(self._timeout_seconds, process.kill)
        watch.start()
        try:
            send(process.stdin, asked)
            answer = receive(process.stdout)
            refused = receive(process.stdout) if answer == b"" else None
        except (BrokenPipeError, ConnectionResetError):
            answer, refused = None, None
        finally:
            watch.cancel()
        if refused is not None:
            raise Unavailable(_LATER)
        if answer is None or answer == b"":
            self._stop()
            return None
        return answer

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is not None and self._process.poll() is not None:
            self._stop()
        if self._process is None:
            self._process = subprocess.Popen(  # our own module, no input in the command
                [sys.executable, "-m", "fhir_service.render.printing"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
            )
        return self._process

    def _stop(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                try:
                    pipe.close()
                except BrokenPipeError:  # what was left to send to the dead process
                    continue

    def close(self) -> None:
        """End the process. A later pdf() starts another one."""
        with self._one_at_a_time:
            self._stop()

    def __enter__(self) -> Printer:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def as_data(summary: Summary) -> dict[str, Any]:
    """The summary as plain data for the template; what the fonts can not draw is spelled out."""
    page = sheet(summary)
    made: dict[str, Any] = _plain(summary, _drawable)
    parts = {"sheet": page.sections, "rest": page.rest}
    del made["sections"]
    return {
        **made,
        **{name: [_section(one) for one in sections] for name, sections in parts.items()},
    }


def _drawable(text: str) -> str:
    return visible(text, shows).replace("\t", "    ")


def _section(section: Section) -> dict[str, Any]:
    """A section with its columns, and each change with its drawing."""
    made: dict[str, Any] = _plain(section, _drawable)
    for fact, plain in zip(section.facts, made["facts"], strict=True):
        if fact.change is not None:
            plain["change"] |= {
                "svg": sparkline(fact.change),
                "told": _drawable(told(fact.change)),
            }
    return {**made, "columns": [_drawable(one) for one in section.columns]}


def _plain(value: Any, words: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return words(value)
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, tuple | list):
        return [_plain(one, words) for one in value]
    if isinstance(value, Struct):
        return {name: _plain(getattr(value, name), words) for name in value.__struct_fields__}
    if is_dataclass(value):
        named = (field.name for field in fields(value) if field.name not in _LEFT)
        return {name: _plain(getattr(value, name), words) for name in named}
    return value
