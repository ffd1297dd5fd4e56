"""The page behind a link: asks for the date of birth and who answers, then leads to the form.

Looking at it uses nothing up and asks the record nothing, so what it shows tells nobody whether
a link is good. https://design-system.service.gov.uk/components/date-input/
"""

from __future__ import annotations

import re
from datetime import date
from typing import Final

from flask import Flask, Response, request

from fhir_service.web import pages, sessions
from fhir_service.web.page_words import WORDS
from fhir_service.web.told import told
from fhir_service.web.tries import Tries
from fhir_service.workflow.answering import RELATIONS
from fhir_service.workflow.links import open_link
from fhir_service.workflow.session import Answering
from fhir_service.workflow.site import Site

FORMS: Final = "/forms/"
LONGEST_NAME: Final = 100

_NUMBER = re.compile(r"[0-9]{1,4}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069]")
_FIELDS: Final = ("day", "month", "year", "who", "name", "relation")


def register(app: Flask, site: Site, tries: Tries) -> None:
    """Add /link/<token>."""

    def view(token: str) -> Response:
        if request.method != "POST":
            return _page()
        address = request.remote_addr or ""
        tries.must_may_try(address)
        born, answering = birth_date(), who_answers()
        wrong = [
            *([] if born else ["born-incomplete"]),
            *([] if answering else ["helper-incomplete"]),
        ]
        if born is None or answering is None:
            return _page(tuple(wrong), 422)
        begun = open_link(
            site, token, born, answering, pages.language(), request_id=told().request_id
        )
        if begun is None:
            tries.wrong(address)
            return _page(("link-refused",), 403)
        reply = pages.go(FORMS)
        sessions.start(reply, begun)
        return reply

    app.add_url_rule("/link/<token>", "link", view, methods=["GET", "POST"])


def birth_date() -> str | None:
    """The date of birth in the form that was sent, YYYY-MM-DD; None where it is no date."""
    parts = [request.form.get(name, "").strip() for name in ("year", "month", "day")]
    if not all(_NUMBER.fullmatch(part) for part in parts):
        return None
    try:
        return date(*(int(part) for part in parts)).isoformat()
    except ValueError:
        return None


def who_answers() -> Answering | None:
    """Who answers, as the form that was sent says; None for a helper without name or relation."""
    if request.form.get("who", "patient") != "helper":
        return Answering()
    name = _CONTROL.sub("", request.form.get("name", "")).strip()[:LONGEST_NAME]
    relation = request.form.get("relation", "")
    return Answering(name, relation) if name and relation in RELATIONS else None


def _page(wrong: tuple[str, ...] = (), status: int = 200) -> Response:
    lang = pages.language()
    others = [one for one in WORDS if one != lang]
    given = {name: request.form.get(name, "")[:LONGEST_NAME] for name in _FIELDS}
    return pages.page(
        "link.html",
        status,
        lang=lang,
        wrong=wrong,
        given=given,
        relations=list(RELATIONS),
        others=others,
    )
