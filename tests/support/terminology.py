"""A terminology server of our own on a real socket: it fails as it is told."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from typing_extensions import override

Answer = tuple[int, dict[str, str], bytes]


def said(*entries: dict[str, Any], status: int = 200) -> Answer:
    """A Parameters with these parameters."""
    body = {"resourceType": "Parameters", "parameter": list(entries)}
    return status, {"Content-Type": "application/fhir+json"}, json.dumps(body).encode()


def result(value: object, message: str | None = None) -> Answer:
    """What ``$validate-code`` gives."""
    words = [] if message is None else [{"name": "message", "valueString": message}]
    return said({"name": "result", "valueBoolean": value}, *words)


def raw(status: int, body: bytes = b"", **headers: str) -> Answer:
    """Any answer."""
    return status, {"Content-Type": "application/fhir+json", **headers}, body


def issue(code: str, type_: str | None = None) -> dict[str, Any]:
    """A parameter ``issues`` with one issue, of HL7's tx-issue-type where given."""
    system = "http://hl7.org/fhir/tools/CodeSystem/tx-issue-type"
    details = {"details": {"coding": [{"system": system, "code": type_}]}} if type_ else {}
    outcome = {"resourceType": "OperationOutcome", "issue": [{"code": code, **details}]}
    return {"name": "issues", "resource": outcome}


HANG = raw(0)
"""Nothing at all, until the asker hangs up."""

ODD_CODES: tuple[object, ...] = ([], {}, None)

FAULTS: dict[str, Answer] = {
    "time-out": HANG,
    "500": raw(500, b'{"resourceType":"Parameters","parameter":[]}'),
    "503 with a result": (503, *result(True)[1:]),
    "429": (429, *result(True)[1:]),
    "401": (401, *result(True)[1:]),
    "404": (404, *result(True)[1:]),
    "created": (201, *result(True)[1:]),
    "redirect to a yes": raw(307, Location="/yes"),
    "malformed JSON": raw(200, b'{"resourceType":"Parameters","parameter":[{"name":"result",'),
    "not UTF-8": raw(200, b"\xff\xfe\xfa"),
    "HTML": raw(200, b"<html>result: true</html>"),
    "too deep": raw(200, b"[" * 100_000),
    "too large": raw(200, b" " * 300_000 + result(True)[2]),
    "no body": raw(200),
    "a list": raw(200, b"[true]"),
    "another resource": raw(200, b'{"resourceType":"OperationOutcome","issue":[]}'),
    "no parameter": raw(200, b'{"resourceType":"Parameters"}'),
    "a parameter that is no list": raw(
        200, b'{"resourceType":"Parameters","parameter":{"name":1}}'
    ),
    "no result": said({"name": "display", "valueString": "X"}),
    "a result that is a text": result("true"),
    "a result that is a number": result(1),
    "two results": said(*[{"name": "result", "valueBoolean": one} for one in (True, False)]),
    "true, though the value set is unknown": result(
        True, "Unable to check it: unknown ValueSet x"
    ),
    "true, though the system is unknown": said(
        {"name": "result", "valueBoolean": True}, issue("not-found", "not-found")
    ),
    "false, the value set unknown": result(False, "Unknown ValueSet http://example.org/x"),
    "false, no value set found": result(False, "Failed to find the value set"),
    "false, the value set not found": result(
        False, "The value set http://a.b/c could not be found"
    ),
    "false, the system unknown": said(
        {"name": "result", "valueBoolean": False}, issue("not-found", "not-found")
    ),
    "false, too costly": said({"name": "result", "valueBoolean": False}, issue("too-costly")),
    **{
        f"false, an issue with the code {json.dumps(code)}": said(
            {"name": "result", "valueBoolean": False},
            {
                "name": "issues",
                "resource": {"resourceType": "OperationOutcome", "issue": [{"code": code}]},
            },
        )
        for code in ODD_CODES
    },
    "false, as its system is unknown": said(
        {"name": "result", "valueBoolean": False},
        {"name": "x-caused-by-unknown-system", "valueCanonical": "http://example.org/s"},
    ),
}
"""Whatever may go wrong: none of these decides anything."""

NOS: dict[str, Answer] = {
    "false": result(False),
    "false, not in the value set": result(
        False, "The provided code 'http://a.b/s#x' was not found in the value set 'http://a.b/v'"
    ),
    "false, unknown code": result(False, "Unknown code 'x' in the CodeSystem 'http://a.b/s'"),
    "false, with the issue that it is not in it": said(
        {"name": "result", "valueBoolean": False}, issue("code-invalid", "not-in-vs")
    ),
}
"""A no that decides."""


@dataclass
class Terminology:
    """``answer`` gives what is said next; ``asked`` are method, path and body of each request."""

    answer: Callable[[], Answer] = lambda: result(True)
    asked: list[tuple[str, str, bytes]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    ended: threading.Event = field(default_factory=threading.Event)
    base: str = ""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    terminology: Terminology

    @override
    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is no finding."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    @override
    def log_message(self, format: str, *args: Any) -> None:
        """Nothing."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        self._answer(body)

    def do_GET(self) -> None:
        self._answer(b"")

    def _answer(self, body: bytes) -> None:
        told = self.server.terminology
        told.asked.append((self.command, self.path, body))
        told.headers.append(dict(self.headers))
        answer = result(True) if self.path == "/yes" else told.answer()
        if answer == HANG:
            told.ended.wait(10)
            return
        status, headers, content = answer
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


@contextmanager
def a_terminology(answer: Callable[[], Answer] = lambda: result(True)) -> Iterator[Terminology]:
    """The server on a free port of loopback until the end of the block."""
    terminology = Terminology(answer)
    server = _Server(("127.0.0.1", 0), _Handler)
    server.terminology = terminology
    terminology.base = f"http://127.0.0.1:{server.server_address[1]}/fhir"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield terminology
    finally:
        terminology.ended.set()
        server.shutdown()
        server.server_close()
        thread.join(timeout=5)
