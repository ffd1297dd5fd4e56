"""A request goes to configured hosts alone, ends in time, and says whether it may have arrived."""

from __future__ import annotations

import gzip
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager

import pytest

from fhir_service.ehr.addresses import Networks, base_of
from fhir_service.ehr.outbound import Outbound, OutboundFailed, OutboundRefused

Answering = Callable[[socket.socket], None]


@contextmanager
def a_server(answer: Answering) -> Iterator[str]:
    """A server of raw sockets on loopback that answers each connection so; its base."""
    listening = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                connection, _ = listening.accept()
            except OSError:
                return
            with closing(connection):
                connection.recv(65536)
                try:
                    answer(connection)
                except OSError:
                    continue

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        listening.shutdown(socket.SHUT_RDWR)
        listening.close()
        thread.join(timeout=5)


def saying(head: str, body: bytes = b"") -> Answering:
    def answer(connection: socket.socket) -> None:
        connection.sendall(f"HTTP/1.1 {head}\r\nContent-Length: {len(body)}\r\n\r\n".encode())
        connection.sendall(body)

    return answer


def kind_of(outbound: Outbound, url: str) -> str:
    with pytest.raises(OutboundFailed) as failed:
        outbound.send("POST", url, json={"name": "Canary"})
    return failed.value.kind


def test_an_answer_comes_with_status_headers_and_body() -> None:
    answer = saying("201 Created\r\nETag: W/1", b'{"ok":true}')
    with a_server(answer) as base, closing(Outbound([base])) as outbound:
        reply = outbound.send("POST", f"{base}/fhir/Patient", json={})
    assert (reply.status, reply.headers["etag"], reply.json()) == (201, "W/1", {"ok": True})


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:9/fhir",
        "http://clinic.example.org.evil.example/fhir",
        "https://clinic.example.org/fhir",
        "http://clinic.example.org:81/fhir",
        "http://clinic.example.org@evil.example/fhir",
        "http://evil.example\\@clinic.example.org/",
        "http://evil.example#@clinic.example.org/",
        "file:///etc/passwd",
        "http://clinic.example.org\n.evil.example/",
        "http://[::ffff:127.0.0.1]/",
        "",
    ],
)
def test_an_address_of_another_host_is_refused_before_anything_is_sent(url: str) -> None:
    outbound = Outbound(["http://clinic.example.org/fhir"])
    with pytest.raises(OutboundRefused):
        outbound.send("GET", url)


def test_the_same_host_in_other_letters_is_the_same() -> None:
    assert base_of("HTTP://Clinic.Example.org:80/fhir") == base_of("http://clinic.example.org")


@pytest.mark.parametrize(
    ("address", "may"),
    [
        ("93.184.216.34", True),
        ("10.0.0.7", False),
        ("127.0.0.1", False),
        ("169.254.169.254", False),
        ("100.64.0.1", False),
        ("0.0.0.0", False),  # noqa: S104  an address that is asked about, not listened on
        ("224.0.0.1", False),
        ("::1", False),
        ("::ffff:10.0.0.7", False),
        ("fe80::1%eth0", False),
        ("fd00::1", False),
        ("2606:4700::1", True),
        ("no address", False),
    ],
)
def test_private_addresses_are_not_called_unless_configured(address: str, may: bool) -> None:
    assert Networks().allows(address) is may
    if address.startswith("10."):
        assert Networks(("10.0.0.0/8",)).allows(address)
        assert not Networks(("10.1.0.0/16",)).allows(address)


def test_a_name_that_resolves_to_loopback_is_not_called(monkeypatch: pytest.MonkeyPatch) -> None:
    port = 0

    def resolve(*_: object, **__: object) -> list[object]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]

    with a_server(saying("200 OK")) as base:
        port = int(base.rpartition(":")[2])
        monkeypatch.setattr(socket, "getaddrinfo", resolve)
        url = f"http://ehr.example.org:{port}"
        assert kind_of(Outbound([url]), url) == "refused"
        assert Outbound([url], networks=["127.0.0.0/8"]).send("GET", url).status == 200


def test_a_redirect_is_given_back_and_not_followed() -> None:
    with a_server(saying("302 Found\r\nLocation: http://127.0.0.1:1/")) as base:
        reply = Outbound([base]).send("GET", base)
    assert reply.status == 302


def test_a_closed_port_was_never_reached() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        base = f"http://127.0.0.1:{taken.getsockname()[1]}"
    assert kind_of(Outbound([base]), base) == "refused"


def reset(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")


def cut_short(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 201 Created\r\nContent-Length: 500\r\n\r\n{")


def drip_head(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nX: ")
    for _ in range(50):
        time.sleep(0.1)
        connection.sendall(b"x")


def drip_body(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n")
    for _ in range(50):
        time.sleep(0.1)
        connection.sendall(b"x")


def silence(connection: socket.socket) -> None:
    connection.recv(1)


@pytest.mark.parametrize(
    "answer", [reset, cut_short, drip_head, drip_body, silence, saying("no status")]
)
def test_what_was_sent_and_not_answered_whole_is_lost(answer: Answering) -> None:
    with a_server(answer) as base:
        started = time.monotonic()
        assert kind_of(Outbound([base], timeout_seconds=0.5), base) == "lost"
        assert time.monotonic() - started < 3


def test_an_answer_that_is_too_large_is_not_read_to_its_end() -> None:
    body = gzip.compress(b"x" * 1_000_000)
    with a_server(saying("200 OK\r\nContent-Encoding: gzip", body)) as base:
        assert kind_of(Outbound([base], most_bytes=100_000), base) == "too-large"


def test_cookies_of_the_other_side_are_not_kept() -> None:
    seen: list[bytes] = []

    def answer(connection: socket.socket) -> None:
        whole = b"HTTP/1.1 200 OK\r\nSet-Cookie: a=b\r\nContent-Length: 0\r\n\r\n"
        connection.sendall(whole)
        seen.append(connection.recv(65536))
        connection.sendall(whole)

    with a_server(answer) as base:
        outbound = Outbound([base])
        outbound.send("GET", base)
        outbound.send("GET", base)
        outbound.close()
    assert b"GET" in b"".join(seen)
    assert b"Cookie" not in b"".join(seen)


def test_what_failed_names_neither_address_nor_content() -> None:
    with a_server(reset) as base, pytest.raises(OutboundFailed) as failed:
        Outbound([base]).send("POST", f"{base}/Patient/canary", json={"name": "Canary"})
    assert "anary" not in repr(failed.value)
    assert failed.value.__suppress_context__
