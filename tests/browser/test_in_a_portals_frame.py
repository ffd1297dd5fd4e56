"""Shown in the frame of a portal that is listed, and in no other; cookies and tokens work."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from werkzeug.serving import make_server

from tests.support.chromium import picture
from tests.support.service import Running, start
from tests.support.serving import free_port
from tests.support.tls import make_certificate
from tests.support.ways import a_link, a_patient, offered_form, publish

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page


@contextmanager
def served(port: int, app: Any, tls: Any = None) -> Iterator[None]:
    server = make_server("127.0.0.1", port, app, threaded=True, ssl_context=tls)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join(10)
        server.server_close()


def portal(address: str) -> Any:
    """A page of somebody else with our page in a frame."""

    def app(environ: Any, start_response: Any) -> Iterable[bytes]:
        start_response("200 OK", [("Content-Type", "text/html")])
        frame = f'<iframe name="ours" src="{address}" width="390" height="800"></iframe>'
        return [f"<!DOCTYPE html><title>Portal</title>{frame}".encode()]

    return app


@pytest.fixture
def listed(tmp_path: Path) -> Iterator[tuple[Running, int]]:
    """The service on https, with the one portal that may frame it: localhost on this port."""
    port, theirs = free_port(), free_port()
    running = start(
        tmp_path,
        BASE_URL=f"https://127.0.0.1:{port}",
        FRAME_ANCESTORS=f"http://localhost:{theirs}",
    )
    publish(running, offered_form())
    a_patient(running)
    cert, key = make_certificate(tmp_path)
    with served(port, running.client.application, (str(cert), str(key))):
        yield running, theirs
    running.close()


def opened(chromium: Browser, port: int) -> Page:
    page = chromium.new_context(ignore_https_errors=True, locale="en-US").new_page()
    page.set_default_timeout(15_000)
    page.goto(f"http://localhost:{port}/")
    return page


def test_a_link_is_opened_and_the_form_begun_in_the_portals_frame(
    chromium: Browser, listed: tuple[Running, int]
) -> None:
    running, theirs = listed
    with served(theirs, portal(a_link(running).address)):
        page = opened(chromium, theirs)
        frame = page.frame_locator("iframe")
        for name, value in (("day", "27"), ("month", "3"), ("year", "1951")):
            frame.locator(f"#{name}").fill(value)
        frame.locator("button[type=submit]").click()
        frame.get_by_text("How long it takes").wait_for()
        frame.locator("form button").first.click()
        frame.get_by_text("How strong is your pain?").first.wait_for()
        picture(page, "framed-en-1280")
        cookies = {one["name"]: one for one in page.context.cookies()}
        mine = cookies["__Host-fhir-patient"]
        assert (mine["sameSite"], mine["secure"], mine["httpOnly"]) == ("None", True, True)
        page.context.close()


def test_a_portal_that_is_not_listed_shows_nothing_of_ours(
    chromium: Browser, listed: tuple[Running, int]
) -> None:
    running, _ = listed
    stranger = free_port()
    with served(stranger, portal(a_link(running).address)):
        page = opened(chromium, stranger)
        refusals: list[str] = []
        page.on("console", lambda one: refusals.append(one.text))
        page.reload()
        page.wait_for_timeout(500)
        frame = page.frame("ours")
        assert frame is None or frame.locator("#day").count() == 0
        assert any("frame-ancestors" in one for one in refusals), refusals
        page.context.close()
