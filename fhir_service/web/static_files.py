"""Our style sheets, scripts and fonts, by name: every file of static/, and the summary's style.

The address carries a mark of the content, so a browser may keep it for a year.
https://www.rfc-editor.org/rfc/rfc8246
"""

from __future__ import annotations

from functools import cache
from hashlib import sha256
from importlib.resources import files
from typing import Final

from flask import Flask, Response, request

from fhir_service.fhir.issues import NotHere

KINDS: Final = {
    "css": "text/css;charset=utf-8",
    "js": "text/javascript;charset=utf-8",
    "svg": "image/svg+xml",
    "woff2": "font/woff2",
}
FOREVER: Final = "public, max-age=31536000, immutable"


@cache
def contents() -> dict[str, bytes]:
    """Every file that is handed out, by name; read once."""
    folder = files("fhir_service.web").joinpath("static")
    style = files("fhir_service.render").joinpath("templates", "summary.css")
    return {
        file.name: file.read_bytes()
        for file in (*folder.iterdir(), style)
        if file.name.rpartition(".")[2] in KINDS
    }


@cache
def mark_of(name: str) -> str:
    """The mark of a file's content. Raises KeyError where there is no such file."""
    return sha256(contents()[name]).hexdigest()[:12]


def register(app: Flask) -> None:
    """Add /static/<name>."""

    def view(name: str) -> Response:
        body = contents().get(name)
        if body is None:
            raise NotHere("There is no such file.")
        reply = Response(body, 200, content_type=KINDS[name.rpartition(".")[2]])
        if request.args.get("v") == mark_of(name):
            reply.headers["Cache-Control"] = FOREVER
        reply.headers["Cross-Origin-Resource-Policy"] = "same-origin"
        return reply

    app.add_url_rule("/static/<name>", "static-file", view)
