"""An EHR of our own on a real socket: it keeps what it is sent, and can be told how to fail.

It keeps resources in memory and answers read, search (identifier, patient, appointment, _id, by
pages), create, conditional create, update and the token endpoint. A fault is asked of ``plan``
for each write, so that a test decides when the line breaks: before or after the write was done.
"""

from __future__ import annotations

import json
import re
import socket
import struct
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from typing_extensions import override

Fault = str
"""One of FAULTS."""

FAULTS = (
    "none",
    "time-out before",
    "time-out after",
    "reset before",
    "reset after",
    "500 before",
    "500 after",
    "503 and retry",
    "429",
    "cut body",
    "slow drip",
    "422",
)

JSON = "application/fhir+json"


@dataclass
class Ehr:
    """What the EHR keeps and what it was asked. ``plan`` gives the fault of each write."""

    plan: Callable[[], Fault] = lambda: "none"
    searchable: bool = True
    conditional: bool = True
    page: int = 50
    hang_seconds: float = 3.0
    statement: dict[str, Any] = field(default_factory=dict)
    smart: dict[str, Any] | None = None
    token: Callable[[dict[str, str]], tuple[int, dict[str, Any]]] | None = None
    needs_token: str | None = None
    answers: list[tuple[int, dict[str, str], bytes]] = field(default_factory=list)
    kept: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    asked: list[tuple[str, str, dict[str, str], bytes]] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    charts: list[tuple[str, str]] = field(default_factory=list)
    """Of each note that names an encounter: its patient, and the encounter's at that moment."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    base: str = ""

    def put(self, resource: dict[str, Any]) -> dict[str, Any]:
        """Keep it under its id, or a new one; what is kept, with its version."""
        with self.lock:
            id_ = resource.get("id") or uuid.uuid4().hex[:16]
            before = self.kept.get((resource["resourceType"], id_))
            version = int(before["meta"]["versionId"]) + 1 if before else 1
            meta = {**resource.get("meta", {}), "versionId": str(version)}
            made = {**resource, "id": id_, "meta": meta}
            self.kept[resource["resourceType"], id_] = made
            return made

    def all(self, resource_type: str) -> list[dict[str, Any]]:
        """Everything of this type, oldest first."""
        with self.lock:
            return [one for (kind, _), one in self.kept.items() if kind == resource_type]

    def find(self, resource_type: str, query: dict[str, str]) -> list[dict[str, Any]]:
        """What matches these parameters; one that it does not know matches nothing."""
        return [
            one
            for one in self.all(resource_type)
            if all(_matches(one, name, value) for name, value in query.items())
        ]

    def took(self) -> Fault:
        """The fault of the write that comes now."""
        with self.lock:
            fault = self.plan()
            self.faults.append(fault)
            return fault


def _matches(one: dict[str, Any], name: str, value: str) -> bool:
    if name in ("patient", "subject"):
        return _patient(one) == value.removeprefix("Patient/")
    if name == "_id":
        return bool(one["id"] == value)
    if name == "identifier":
        system, _, code = value.rpartition("|")
        found = [(i.get("system", ""), i.get("value")) for i in one.get("identifier", ())]
        return (system, code) in found
    if name == "appointment":
        return value in [a["reference"] for a in one.get("appointment", ())]
    return name in ("_count", "_page", "_format", "_sort", "date", "status")


def _patient(one: dict[str, Any]) -> str:
    for actor in one.get("participant", ()):
        reference = str(actor.get("actor", {}).get("reference", ""))
        if reference.startswith("Patient/"):
            return reference.removeprefix("Patient/")
    subject = one.get("subject") or one.get("patient") or {}
    return str(subject.get("reference", "")).removeprefix("Patient/")


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128
    ehr: Ehr

    def __init__(self, *how: Any) -> None:
        self.open: set[socket.socket] = set()
        super().__init__(*how)

    @override
    def process_request(self, request: Any, client_address: Any) -> None:
        """Remember the connection, to cut it at the end."""
        self.open.add(request)
        super().process_request(request, client_address)

    def cut(self) -> None:
        """End every connection: the machine is gone."""
        for one in self.open:
            try:
                one.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue

    @override
    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is no finding."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    @override
    def log_message(self, format: str, *args: Any) -> None:
        """Nothing."""

    @override
    def handle_one_request(self) -> None:
        try:
            super().handle_one_request()
        except OSError:
            self.close_connection = True

    def do_GET(self) -> None:
        ehr, parts = self.server.ehr, urlsplit(self.path)
        ehr.asked.append(("GET", self.path, dict(self.headers), b""))
        if ehr.answers:
            self._raw(*ehr.answers.pop(0))
            return
        place = parts.path.removeprefix("/fhir/").strip("/")
        if place == "metadata":
            self._json(200, ehr.statement)
        elif place == ".well-known/smart-configuration":
            self._json(*((200, ehr.smart) if ehr.smart else (404, _outcome("not-found"))))
        elif not self._signed_in():
            self._json(401, _outcome("login"))
        elif "/" in place:
            kind, id_ = place.split("/")[:2]
            found = ehr.kept.get((kind, id_))
            self._json(*((200, found) if found else (404, _outcome("not-found"))))
        else:
            self._search(place, dict(parse_qsl(parts.query)))

    def do_POST(self) -> None:
        body = self._body()
        ehr = self.server.ehr
        ehr.asked.append(("POST", self.path, dict(self.headers), body))
        if urlsplit(self.path).path == "/token" and ehr.token is not None:
            self._json(*ehr.token(dict(parse_qsl(body.decode()))))
        elif ehr.answers:
            self._raw(*ehr.answers.pop(0))
        elif not self._signed_in():
            self._json(401, _outcome("login"))
        else:
            self._write(json.loads(body))

    def do_PUT(self) -> None:
        self.do_POST()

    def _signed_in(self) -> bool:
        needed = self.server.ehr.needs_token
        return needed is None or self.headers.get("Authorization") == f"Bearer {needed}"

    def _body(self) -> bytes:
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def _search(self, kind: str, query: dict[str, str]) -> None:
        ehr = self.server.ehr
        if not ehr.searchable and "identifier" in query:
            self._json(400, _outcome("not-supported"))
            return
        found, start = ehr.find(kind, query), int(query.get("_page", "0"))
        bundle: dict[str, Any] = {"resourceType": "Bundle", "type": "searchset"}
        bundle["entry"] = [{"resource": one} for one in found[start : start + ehr.page]]
        if start + ehr.page < len(found):
            rest = "&".join(f"{k}={v}" for k, v in query.items() if k != "_page")
            url = f"{ehr.base}/{kind}?{rest}&_page={start + ehr.page}"
            bundle["link"] = [{"relation": "next", "url": url}]
        self._json(200, bundle)

    def _write(self, resource: dict[str, Any]) -> None:
        ehr = self.server.ehr
        fault = ehr.took()
        if fault in ("429", "503 and retry"):
            self._json(int(fault[:3]), _outcome("throttled"), {"Retry-After": "0"})
        elif fault == "422":
            self._json(422, _outcome("invalid"))
        elif fault == "500 before":
            self._json(500, _outcome("exception"))
        elif fault == "reset before":
            self._reset()
        elif fault == "time-out before":
            time.sleep(ehr.hang_seconds)
            self._reset()
        else:
            self._done(resource, fault)

    def _done(self, resource: dict[str, Any], fault: Fault) -> None:
        ehr = self.server.ehr
        status, kept = self._kept(resource)
        headers = {"Location": f"{resource['resourceType']}/{kept['id']}"}
        headers["ETag"] = f'W/"{kept["meta"]["versionId"]}"'
        if fault == "500 after":
            self._json(500, _outcome("exception"))
        elif fault == "reset after":
            self._reset()
        elif fault == "time-out after":
            time.sleep(ehr.hang_seconds)
            self._reset()
        elif fault in ("cut body", "slow drip"):
            self._broken(status, headers, drip=fault == "slow drip")
        else:
            self._json(status, None, headers)

    def _kept(self, resource: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        ehr = self.server.ehr
        query = self.headers.get("If-None-Exist")
        if query and ehr.conditional:
            found = ehr.find(resource["resourceType"], dict(parse_qsl(query)))
            if found:
                return 200, found[0]
        for named in resource.get("context", {}).get("encounter", ()):
            there = ehr.kept.get(("Encounter", named["reference"].removeprefix("Encounter/")), {})
            ehr.charts.append((_patient(resource), _patient(there)))
        return (200 if self.command == "PUT" else 201), ehr.put(resource)

    def _broken(self, status: int, headers: dict[str, str], *, drip: bool) -> None:
        """An answer whose body ends too early, or never seems to end."""
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Type", JSON)
        self.send_header("Content-Length", "4000")
        self.end_headers()
        self.wfile.write(b'{"resourceType":')
        until = time.monotonic() + (self.server.ehr.hang_seconds if drip else 0.0)
        while time.monotonic() < until:
            self.wfile.write(b" ")
            self.wfile.flush()
            time.sleep(0.05)
        self.close_connection = True

    def _reset(self) -> None:
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True
        self.connection.close()

    def _raw(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def _json(self, status: int, said: Any, headers: dict[str, str] | None = None) -> None:
        body = b"" if said is None else json.dumps(said).encode()
        self._raw(status, {"Content-Type": JSON, **(headers or {})}, body)


def _outcome(code: str) -> dict[str, Any]:
    return {
        "resourceType": "OperationOutcome",
        "issue": [{"severity": "error", "code": code, "diagnostics": "Mrs Example, born 1951"}],
    }


@contextmanager
def an_ehr(**how: Any) -> Iterator[Ehr]:
    """An EHR on a free port of loopback until the end of the block; ``how`` sets its fields."""
    ehr = Ehr(**how)
    server = _Server(("127.0.0.1", 0), _Handler)
    server.ehr = ehr
    ehr.base = f"http://127.0.0.1:{server.server_port}/fhir"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield ehr
    finally:
        server.shutdown()
        server.cut()
        server.server_close()
        thread.join(5)


def hidden(text: str) -> bool:
    """Whether the text is free of the name that this EHR puts into its errors."""
    return re.search("Example", text) is None
