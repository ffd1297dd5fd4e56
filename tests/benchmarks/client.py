"""A simple HTTP client that keeps its connections: one after another, or many at once."""

from __future__ import annotations

import selectors
import socket
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import repeat


@dataclass(slots=True)
class Sent:
    """What came of a run: how often which status, and how long each answer took in seconds."""

    statuses: Counter[int] = field(default_factory=Counter)
    seconds: list[float] = field(default_factory=list)

    def quantile(self, share: float) -> float:
        """The time under which this share of the answers lies."""
        ordered = sorted(self.seconds)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def a_post(path: str, body: bytes, token: str | None = None) -> bytes:
    """The bytes of one POST request."""
    head = [
        f"POST {path} HTTP/1.1",
        "Host: 127.0.0.1",
        "Content-Type: application/json"
        if token is None
        else "Content-Type: application/fhir+json",
        f"Content-Length: {len(body)}",
        "Prefer: return=minimal",
    ]
    if token is not None:
        head.append(f"Authorization: Bearer {token}")
    return "\r\n".join([*head, "", ""]).encode() + body


def send(port: int, request: bytes | Sequence[bytes], times: int, connections: int = 1) -> Sent:
    """Send ``times`` requests, on so many connections at once, each kept open.

    ``request`` is sent each time, or is as many as are needed, each sent once.
    """
    sent = Sent()
    requests = repeat(request) if isinstance(request, bytes) else iter(request)
    left = times
    selector = selectors.DefaultSelector()
    began: dict[socket.socket, float] = {}
    received: dict[socket.socket, bytes] = {}

    def begin(connection: socket.socket) -> None:
        received[connection] = b""
        began[connection] = time.perf_counter()
        connection.sendall(next(requests))

    for _ in range(min(connections, times)):
        connection = socket.create_connection(("127.0.0.1", port), timeout=30)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        selector.register(connection, selectors.EVENT_READ)
        begin(connection)
        left -= 1
    while selector.get_map():
        ready = selector.select(timeout=30)
        if not ready:
            raise RuntimeError("the server does not answer")
        for key, _ in ready:
            connection = key.fileobj  # type: ignore[assignment]  # only sockets are registered
            chunk = connection.recv(65536)
            received[connection] += chunk
            status = _whole(received[connection])
            if status is None:
                if not chunk:
                    raise RuntimeError("the server closed a connection")
                continue
            sent.seconds.append(time.perf_counter() - began[connection])
            sent.statuses[status] += 1
            if left > 0:
                left -= 1
                begin(connection)
            else:
                selector.unregister(connection)
                connection.close()
    return sent


def _whole(data: bytes) -> int | None:
    """The status when this is a whole answer, else None."""
    head, found, body = data.partition(b"\r\n\r\n")
    if not found:
        return None
    status = int(head[9:12])
    lower = head.lower()
    if b"transfer-encoding: chunked" in lower:
        return status if body.endswith(b"0\r\n\r\n") else None
    _, named, rest = lower.partition(b"content-length:")
    length = int(rest.split(b"\r\n", 1)[0]) if named else 0
    return status if len(body) >= length else None
