"""What lies around every answer: leave for apps of other origins to read it, and gzip.

https://fetch.spec.whatwg.org/#http-cors-protocol and
https://www.rfc-editor.org/rfc/rfc9110#name-accept-encoding
"""

from __future__ import annotations

import gzip
import re
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

Headers = list[tuple[str, str]]

LEAST_BYTES: Final = 1_000
"""Below this an answer gets longer, or hardly shorter, by being compressed."""

PLACES: Final = ("/fhir", "/auth/", "/cds-services", "/.well-known/")
"""Where apps of other origins may be let in: never the pages, whose sessions a browser sends."""

_METHODS = "GET, HEAD, POST, PUT, DELETE, OPTIONS"
_SENT = (
    "Authorization, Content-Type, Accept, Accept-Language, If-Match, If-None-Match, "
    "If-Modified-Since, If-None-Exist, Prefer, X-Request-Id"
)
_SHOWN = (
    "ETag, Last-Modified, Location, Content-Location, Retry-After, WWW-Authenticate, X-Request-Id"
)
_KEPT_SECONDS = "600"
_GZIP = re.compile(
    r"(?:^|[,\s])(?:gzip|\*)\s*(?:;\s*q=(?!0(?:\.0*)?\s*(?:,|$))[0-9.]+\s*)?(?:,|$)"
)
_TEXTS = ("application/fhir+json", "application/json", "text/")
_LEVEL = 5


class Envelope:
    """The application within; apps of these ``origins`` may read its answers."""

    def __init__(self, within: WSGIApplication, origins: tuple[str, ...]) -> None:
        self._within = within
        self._origins = frozenset(origins)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """The answer, with the headers that its origin needs, compressed where it may be."""
        origin = environ.get("HTTP_ORIGIN")
        squeezed = _may_be_squeezed(environ)
        if origin is None and not squeezed:
            return self._within(environ, start_response)
        allowed = self._allows(origin, environ.get("PATH_INFO", ""))
        asked = environ.get("HTTP_ACCESS_CONTROL_REQUEST_METHOD")
        if allowed and asked and environ["REQUEST_METHOD"] == "OPTIONS":
            start_response("204 No Content", [*_leave(str(origin)), *_preflight()])
            return []
        more = _leave(str(origin)) if allowed else []
        if squeezed:
            return _squeezed(self._within, environ, start_response, more)

        def begin(status: str, headers: Headers, *rest: object) -> object:
            return start_response(status, [*headers, *more], *rest)  # type: ignore[arg-type]

        return self._within(environ, begin)  # type: ignore[arg-type]

    def _allows(self, origin: str | None, path: str) -> bool:
        """Whether an app of this origin may read what lies there."""
        if origin is None or not path.startswith(PLACES):
            return False
        return origin in self._origins


def _leave(origin: str) -> Headers:
    return [
        ("Access-Control-Allow-Origin", origin),
        ("Access-Control-Expose-Headers", _SHOWN),
        ("Vary", "Origin"),
    ]


def _preflight() -> Headers:
    return [
        ("Access-Control-Allow-Methods", _METHODS),
        ("Access-Control-Allow-Headers", _SENT),
        ("Access-Control-Max-Age", _KEPT_SECONDS),
        ("Cache-Control", "no-store"),
        ("X-Content-Type-Options", "nosniff"),
    ]


def _may_be_squeezed(environ: WSGIEnvironment) -> bool:
    accepts = environ.get("HTTP_ACCEPT_ENCODING")
    return bool(accepts and environ["REQUEST_METHOD"] != "HEAD" and _GZIP.search(accepts.lower()))


def _squeezed(
    within: WSGIApplication, environ: WSGIEnvironment, start_response: StartResponse, more: Headers
) -> Iterable[bytes]:
    """The answer compressed, unless it is short, no text, or in pieces already."""
    begun: list[tuple[str, Headers]] = []

    def begin(status: str, headers: Headers, *rest: object) -> Callable[[bytes], object]:
        del rest
        begun.append((status, headers))
        return lambda _: None

    reply = within(environ, begin)
    try:
        body = b"".join(reply)
    finally:
        close = getattr(reply, "close", None)
        if close is not None:
            close()
    status, headers = begun[-1]
    names = {name.lower(): value for name, value in headers}
    headers = [*headers, *more, ("Vary", "Accept-Encoding")]
    plain = "content-encoding" not in names and "content-length" in names
    if plain and len(body) >= LEAST_BYTES and names.get("content-type", "").startswith(_TEXTS):
        body = gzip.compress(body, _LEVEL, mtime=0)
        headers = [pair for pair in headers if pair[0].lower() != "content-length"]
        headers += [("Content-Encoding", "gzip"), ("Content-Length", str(len(body)))]
    start_response(status, headers)
    return [body]
