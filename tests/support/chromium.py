"""Debian's Chromium before a running service, with what every page of ours must keep.

No page writes to the console, breaks its own Content-Security-Policy or asks another machine.
https://playwright.dev/python/docs/library
"""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from werkzeug.serving import WSGIRequestHandler, make_server

from tests.support.service import Running, start
from tests.support.serving import ROOT, free_port

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page, Playwright

SCREENSHOTS: Final = ROOT / ".cache" / "screenshots"

PHONE: Final = (390, 844)
DESKTOP: Final = (1280, 800)

_FLAGS: Final = (
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-quic",
    "--no-first-run",
    "--disable-gpu",
)


def chromium_path() -> str | None:
    """The browser of this machine; None where there is none."""
    names = ("chromium", "chromium-browser", "google-chrome")
    return next((found for name in names if (found := shutil.which(name))), None)


def why_not() -> str | None:
    """What is missing for tests in a browser; None when nothing is."""
    if find_spec("playwright") is None:
        return "the package playwright is not installed"
    return None if chromium_path() else "Chromium is not installed"


@contextmanager
def launched() -> Iterator[Browser]:
    """A browser without a window."""
    from playwright.sync_api import sync_playwright  # noqa: PLC0415  not there on every machine

    with sync_playwright() as playwright:
        yield from _launched(playwright)


def _launched(playwright: Playwright) -> Iterator[Browser]:
    root = os.geteuid() == 0
    flags = [*_FLAGS, *(["--no-sandbox"] if root else [])]
    browser = playwright.chromium.launch(executable_path=chromium_path(), args=flags)
    try:
        yield browser
    finally:
        browser.close()


class _Silent(WSGIRequestHandler):
    """Says nothing of what it serves."""

    def log(self, *args: Any) -> None:  # type: ignore[explicit-override]
        """Keep the output of the tests clean."""


@dataclass(frozen=True)
class Address:
    """A service at an address that a browser can open."""

    running: Running
    base_url: str


@contextmanager
def served(folder: Path, **settings: str) -> Iterator[Address]:
    """The service in this process, on a port of its own, several requests at a time."""
    port = free_port()
    base_url = f"http://127.0.0.1:{port}"
    running = start(folder, BASE_URL=base_url, **settings)
    server = make_server(
        "127.0.0.1", port, running.client.application, threaded=True, request_handler=_Silent
    )
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield Address(running, base_url)
    finally:
        server.shutdown()
        thread.join(10)
        server.server_close()
        running.close()


@dataclass
class Watched:
    """A page and what was noticed on it that must not be."""

    page: Page
    base_url: str
    noticed: list[str] = field(default_factory=list)

    def watch(self) -> None:
        """Begin to notice."""
        self.page.on("console", lambda one: self._said(one.type, one.text))
        self.page.on("pageerror", lambda error: self.noticed.append(f"script: {error.message}"))
        self.page.on("request", lambda request: self._asked(request.url))

    def _said(self, kind: str, text: str) -> None:
        if kind in ("error", "warning") and "the server responded with a status of" not in text:
            self.noticed.append(f"console: {text}")

    def _asked(self, url: str) -> None:
        if not url.startswith((self.base_url, "data:", "blob:")):
            self.noticed.append(f"asked elsewhere: {url}")


def new_page(
    browser: Browser,
    address: Address,
    size: tuple[int, int] = PHONE,
    context: BrowserContext | None = None,
    **options: Any,
) -> Watched:
    """A page in a context of its own: no cookie, no cache of another. ``options`` of the context.

    Nothing outside the service answers it.
    """
    width, height = size
    made = context or browser.new_context(
        viewport={"width": width, "height": height},
        **{"base_url": address.base_url, "locale": "en-US", "has_touch": width < 500, **options},
    )
    made.set_default_timeout(15_000)
    made.route(
        lambda url: not url.startswith(address.base_url), lambda route: route.abort("failed")
    )
    watched = Watched(made.new_page(), address.base_url)
    watched.watch()
    return watched


def picture(page: Page, name: str) -> Path:
    """Keep what the whole page looks like; where it lies."""
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    path = SCREENSHOTS / f"{name}.png"
    page.screenshot(path=path, full_page=True, animations="disabled")
    return path
