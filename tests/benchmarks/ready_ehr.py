"""An EHR that answers at once, as a process of its own: ``python -m tests.benchmarks.ready_ehr``.

It knows every patient, takes every note, and keeps nothing; its first line is its port.
"""

from __future__ import annotations

import re
import socket
import sys
import threading

_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
_PATIENT = re.compile(rb"GET /fhir/Patient/(\S+)")


def main() -> None:
    """Serve until killed."""
    listening = socket.create_server(("127.0.0.1", 0), backlog=512)
    sys.stdout.write(f"{listening.getsockname()[1]}\n")
    sys.stdout.flush()
    while True:
        connection, _ = listening.accept()
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        threading.Thread(target=_serve, args=(connection,), daemon=True).start()


def _serve(connection: socket.socket) -> None:
    waiting = b""
    while True:
        while b"\r\n\r\n" not in waiting:
            more = connection.recv(262144)
            if not more:
                return
            waiting += more
        head, waiting = waiting.split(b"\r\n\r\n", 1)
        found = _LENGTH.search(head)
        length = int(found[1]) if found else 0
        while len(waiting) < length:
            waiting += connection.recv(262144)
        waiting = waiting[length:]
        connection.sendall(_answer(head))


def _answer(head: bytes) -> bytes:
    patient = _PATIENT.match(head)
    if patient:
        body = b'{"resourceType":"Patient","id":"%s"}' % patient[1]
        return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)
    return (
        b"HTTP/1.1 201 Created\r\nLocation: DocumentReference/d1/_history/1\r\n"
        b"Content-Length: 0\r\n\r\n"
    )


if __name__ == "__main__":
    main()
