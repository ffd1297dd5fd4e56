"""Other people's form renderers in Chromium, as a portal shows them: LHC-Forms and Smart Forms.

Built by .ci/interop-needs into .cache/interop/renderers; nothing of them is committed.
https://github.com/lhncbc/lforms, https://github.com/aehrc/smart-forms
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Final

from tests.support.serving import ROOT

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

BUILT: Final = ROOT / ".cache" / "interop" / "renderers"

Json = dict[str, Any]


class _Silent(SimpleHTTPRequestHandler):
    def log_message(self, *args: Any) -> None:  # type: ignore[explicit-override]
        """Keep the output of the tests clean."""


@contextmanager
def portal() -> Iterator[str]:
    """The address of a web server with the renderers."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Silent, directory=str(BUILT)))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)


@contextmanager
def opened(browser: Browser, base_url: str, renderer: str) -> Iterator[tuple[Page, list[str]]]:
    """A page with this renderer, and the errors of its scripts; nothing leaves this machine."""
    context = browser.new_context(viewport={"width": 1280, "height": 900}, locale="en-US")
    context.route(lambda url: not url.startswith(base_url), lambda route: route.abort("failed"))
    page = context.new_page()
    page.set_default_timeout(30_000)
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(error.message))
    page.goto(f"{base_url}/{renderer}.html", wait_until="load")
    page.wait_for_function("() => typeof window.showForm === 'function'")
    try:
        yield page, errors
    finally:
        context.close()


def show(page: Page, questionnaire: Mapping[str, Any], response: Mapping[str, Any] | None) -> None:
    """Have the renderer show a form, filled where a response is given."""
    page.evaluate("([form, filled]) => window.showForm(form, filled)", [questionnaire, response])


def current(page: Page) -> Json:
    """The response as the renderer gives it now."""
    found: Json = page.evaluate("() => window.currentResponse()")
    return found
