"""/summary/: the oncologist's pages, for a staff session.

The sheet of one visit, all its answers, the same as PDF and text; and what has come in lately.
https://hl7.org/fhir/smart-app-launch/app-launch.html
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from flask import Flask, Response

from fhir_service.fhir.issues import NotHere
from fhir_service.summary.model import WHOLE, Look
from fhir_service.web import pages, sessions
from fhir_service.web.guard import caller
from fhir_service.web.resources import must_be_id
from fhir_service.workflow import summaries, summarise
from fhir_service.workflow.site import Site

PLACE: Final = "/summary"
_ANSWERS: Final = "answers"

View = Callable[..., Response]


def address_of(base_url: str, response: str) -> str:
    """The address of the page of the visit that this response belongs to."""
    return f"{base_url}{PLACE}/{response}/"


def register(app: Flask, site: Site) -> None:
    """Add /summary/, /summary/<response>/ and what lies below it."""

    def lately() -> Response:
        session = sessions.staff_session()
        found = summaries.lately(site, caller(), session.patient)
        if session.patient is not None and found:
            return pages.go(f"{PLACE}/{found[0].response}/")
        return pages.page("summaries.html", lang="en", found=found)

    def sheet(id_: str) -> Response:
        look = Look(
            shown="sheet",
            answers_at=_ANSWERS,
            style=pages.static("summary.css"),
            links=((_ANSWERS, "All answers"), ("pdf", "PDF"), ("text", "Text for a note")),
        )
        return _made(site, id_, "html", look)

    def answers(id_: str) -> Response:
        look = Look("answers", "", pages.static("summary.css"), links=(("./", "Summary"),))
        return _made(site, id_, "html", look)

    def pdf(id_: str) -> Response:
        return _made(site, id_, "pdf")

    def text(id_: str) -> Response:
        return _made(site, id_, "text")

    for rule, endpoint, view in (
        ("/", "summaries", lately),
        ("/<id_>/", "summary-sheet", sheet),
        ("/<id_>/answers", "summary-answers", answers),
        ("/<id_>/pdf", "summary-pdf", pdf),
        ("/<id_>/text", "summary-text", text),
    ):
        app.add_url_rule(f"{PLACE}{rule}", endpoint, view)


def _made(site: Site, id_: str, form: summarise.Format, look: Look = WHOLE) -> Response:
    must_be_id(id_)
    session = sessions.staff_session()
    made = summarise.summary(site, caller(), id_, form, look)
    if session.patient is not None and not made.is_of(session.patient):
        raise NotHere("There is no such summary.")
    reply = Response(made.body, 200, content_type=made.content_type)
    if form == "pdf":
        reply.headers["Content-Disposition"] = 'inline; filename="summary.pdf"'
    return reply
