"""The addresses of the patient's page. What answers there is imported at the first request."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from flask import Flask, Response, request

from fhir_service.web import sessions
from fhir_service.web.lazily import lazily
from fhir_service.web.wording import languages
from fhir_service.workflow.site import Site

FORMS: Final = "/forms/"

LANGUAGE: Final = "fhir-language"
"""The cookie that keeps the language that was chosen on the page; it says nothing else."""

_BOTH: Final = ("GET", "POST")
_ONE: Final = f"{FORMS}<id_>"

_VIEWS: Final = (
    (FORMS, "forms", "listing", "list_view", _BOTH),
    (_ONE, "forms-start", "views", "start_view", _BOTH),
    (f"{_ONE}/<int:number>", "forms-step", "stepping", "step_view", _BOTH),
    (f"{_ONE}/check", "forms-check", "sending", "check_view", _BOTH),
    (f"{_ONE}/later", "forms-later", "views", "later_view", ("GET",)),
    (f"{_ONE}/decline", "forms-decline", "declining", "decline_view", _BOTH),
    (f"{_ONE}/sent", "forms-sent", "views", "sent_view", _BOTH),
    (f"{_ONE}/copy", "forms-copy", "own_copy", "copy_view", ("GET",)),
    (f"{_ONE}/copy.pdf", "forms-copy-pdf", "own_copy", "pdf_view", ("GET",)),
    (f"{_ONE}/conditions.css", "forms-style", "views", "style_view", ("GET",)),
)
"""Address, endpoint, module, what makes the view there, methods."""


@dataclass(frozen=True)
class Clinic:
    """What the pages say of the clinic."""

    phone: str | None


def register(app: Flask, site: Site, clinic: Clinic) -> None:
    """Add everything below /forms/."""
    for rule, endpoint, module, name, methods in _VIEWS:
        view = lazily(f"fhir_service.web.filling.{module}", name, site, clinic)
        app.add_url_rule(rule, endpoint, view, methods=methods)
    app.after_request(_keep_language)


def _keep_language(reply: Response) -> Response:
    """A language that was chosen on a page of ours stays chosen."""
    if not request.path.startswith(FORMS):
        return reply
    asked = request.args.get("lang")
    if asked in languages():
        secure = sessions.site().base_url.startswith("https:")
        reply.set_cookie(LANGUAGE, asked, samesite="Lax", httponly=True, secure=secure)
    return reply
