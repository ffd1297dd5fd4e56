"""The keys of clients: only from where they were registered, and never more than a little.

https://hl7.org/fhir/smart-app-launch/client-confidential-asymmetric.html
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest
from typing_extensions import override

from fhir_service.ehr.client_keys import FetchedKeys
from fhir_service.ehr.jwk_sets import MOST_BYTES
from fhir_service.fhir.issues import NotUnderstood
from fhir_service.smart.assertions import new_client_key, public_client_keys
from fhir_service.workflow.oauth.model import Client
from fhir_service.workflow.oauth.registering import MOST_KEYS, must_be_sound, usable_keys
from tests.support.smart import key

JWKS = public_client_keys([key("ec"), key("rsa")])


@dataclass
class Site:
    """Where a client publishes its keys: what it answers, and how often it was asked."""

    url: str = ""
    body: bytes = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    asked: int = 0


@pytest.fixture
def site() -> Iterator[Site]:
    made = Site(body=json.dumps(JWKS).encode())

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            made.asked += 1
            self.send_response(made.status)
            for name, value in made.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(made.body)))
            self.end_headers()
            self.wfile.write(made.body)

        @override
        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    made.url = f"http://127.0.0.1:{server.server_port}/jwks"
    Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield made
    server.shutdown()
    server.server_close()


def client(**members: Any) -> Client:
    given: dict[str, Any] = {
        "name": "A backend",
        "auth": "private_key_jwt",
        "grants": ("client_credentials",),
        "scope": "system/*.rs",
        "created": datetime(2026, 1, 1, tzinfo=UTC),
    } | members
    return Client(id="backend", **given)


def kids(keys: FetchedKeys, site: Site, kid: str = "ec") -> list[str]:
    return [str(one["kid"]) for one in keys.keys(client(jwks_url=site.url), kid)]


def test_keys_are_fetched_once_and_kept_for_a_while(site: Site) -> None:
    now = [0.0]
    keys = FetchedKeys(now=lambda: now[0])
    assert kids(keys, site) == kids(keys, site) == ["ec", "rsa"]
    assert site.asked == 1
    now[0] = 301
    kids(keys, site)
    assert site.asked == 2


@pytest.mark.parametrize(
    ("cache_control", "kept_seconds"),
    [("max-age=60", 60), ("no-store", 10), ("max-age=0", 10), ("max-age=86400", 300)],
)
def test_they_are_kept_no_longer_than_their_owner_allows(
    site: Site, cache_control: str, kept_seconds: int
) -> None:
    now = [0.0]
    keys = FetchedKeys(now=lambda: now[0])
    site.headers = {"Cache-Control": cache_control}
    kids(keys, site)
    now[0] = kept_seconds - 1
    kids(keys, site)
    assert site.asked == 1
    now[0] = kept_seconds + 1
    kids(keys, site)
    assert site.asked == 2


def test_an_unknown_kid_makes_us_look_again_but_not_at_every_turn(site: Site) -> None:
    now = [0.0]
    keys = FetchedKeys(now=lambda: now[0])
    kids(keys, site)
    site.body = json.dumps(public_client_keys([key("ec-new")])).encode()
    for _ in range(20):
        assert kids(keys, site, "ec-new") == ["ec", "rsa"]
    assert site.asked == 1
    now[0] = 11
    assert kids(keys, site, "ec-new") == ["ec-new"]
    for _ in range(20):
        kids(keys, site, "ec-unknown")
    assert site.asked == 2


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"null",
        b'{"keys": 7}',
        b'{"keys": [null, 7, "x", {}]}',
        b"[" * 20_000,
        b'{"keys": [' + b"{" * 5_000,
        b'{"a": "' + b"x" * MOST_BYTES + b'", ' + json.dumps(JWKS).encode()[1:],
        b"<html></html>",
        b"\xff\xfe",
    ],
)
def test_what_is_no_jwk_set_or_too_large_gives_no_key(site: Site, body: bytes) -> None:
    site.body = body
    keys = FetchedKeys()
    assert kids(keys, site) == []
    assert kids(keys, site) == []
    assert site.asked == 1


def test_a_redirect_is_not_followed_and_an_error_gives_no_key(site: Site) -> None:
    site.status, site.headers = 302, {"Location": site.url}
    assert kids(FetchedKeys(), site) == []
    site.status = 500
    assert kids(FetchedKeys(), site) == []
    assert site.asked == 2


def test_a_private_network_is_not_called_unless_it_is_configured() -> None:
    keys = FetchedKeys()
    assert keys.keys(client(jwks_url="https://keys.invalid/jwks"), "ec") == ()


def test_of_very_many_keys_only_the_first_are_looked_at() -> None:
    many = [JWKS["keys"][0] | {"kid": str(n)} for n in range(500)]
    assert len(usable_keys({"keys": many})) == MOST_KEYS


def weak_and_odd() -> list[dict[str, Any]]:
    ec, rsa = JWKS["keys"]
    return [
        {k: v for k, v in ec.items() if k != "kid"},
        ec | {"use": "enc"},
        ec | {"crv": "P-256"},
        ec | {"x": "AAAA"},
        ec | {"kty": "oct", "k": "c2VjcmV0"},
        rsa | {"n": rsa["n"][:170]},
        rsa | {"n": "A" * 20_000},
        rsa | {"e": 7},
        {"kty": "OKP", "crv": "Ed25519", "x": "AAAA", "kid": "ec"},
    ]


@pytest.mark.parametrize("number", range(9))
def test_a_weak_or_odd_key_is_none(number: int) -> None:
    assert usable_keys({"keys": [weak_and_odd()[number]]}) == ()


def test_of_a_key_only_its_public_members_are_kept() -> None:
    private = new_client_key("k", "ES384")
    (kept,) = usable_keys({"keys": [private]})
    assert set(kept) == {"kty", "crv", "x", "y", "kid", "use"}


@pytest.mark.parametrize(
    "members",
    [
        {"jwks": None},
        {"jwks": {"keys": []}},
        {"jwks_url": "http://keys.example.org/jwks"},
        {"jwks_url": "https://user@keys.example.org/jwks"},
        {"jwks_url": "file:///etc/passwd"},
        {"jwks": JWKS, "auth": "none"},
        {"jwks": JWKS, "scope": "patient/*.rs"},
        {"jwks": JWKS, "scope": "everything"},
        {"jwks": JWKS, "grants": ("password",)},
        {"jwks": JWKS, "grants": ()},
        {"jwks": JWKS, "grants": ("authorization_code",), "scope": "patient/*.rs"},
        *(
            {
                "jwks": JWKS,
                "grants": ("authorization_code",),
                "scope": "patient/*.rs",
                "redirect_uris": (uri,),
            }
            for uri in (
                "http://app.example.org/",
                "https://app.example.org/#x",
                "https://*.example.org/",
                "javascript:alert(1)",
                "data:text/html,x",
                "https://app.example.org/ x",
            )
        ),
    ],
)
def test_what_could_not_be_kept_safe_is_not_registered(members: dict[str, Any]) -> None:
    with pytest.raises(NotUnderstood):
        must_be_sound(client(**members))


def test_sound_clients_are_registered() -> None:
    must_be_sound(client(jwks=JWKS))
    must_be_sound(client(jwks_url="https://keys.example.org/jwks"))
    app = {"grants": ("authorization_code",), "scope": "patient/*.rs", "auth": "none"}
    for uri in ("https://app.example.org/x", "http://127.0.0.1:9/x", "org.example.app:/x"):
        must_be_sound(client(redirect_uris=(uri,), **app))
