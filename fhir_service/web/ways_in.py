"""The ways in and out for people at a browser."""

from __future__ import annotations

from flask import Flask, Response

from fhir_service.web import pages, sessions


def register(app: Flask) -> None:
    """Add /logout."""

    def logout() -> Response:
        reply = pages.page("left.html")
        sessions.leave(reply)
        return reply

    app.add_url_rule("/logout", "logout", logout, methods=["POST"])
