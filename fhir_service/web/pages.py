"""Our small pages (link, login, launch, refusals), made of templates that are strict and escape.

https://jinja.palletsprojects.com/en/stable/api/#autoescaping
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

from flask import Response, redirect, request

from fhir_service.fhir.issues import Issue, NotSignedIn, Refusal
from fhir_service.web import sessions
from fhir_service.web.languages import language_asked
from fhir_service.web.page_words import WORDS
from fhir_service.web.static_files import mark_of
from fhir_service.web.told import told

if TYPE_CHECKING:
    from jinja2 import Environment

HTML = "text/html;charset=utf-8"
SEE_OTHER = 303

_HEADLINES = {
    400: "not-understood",
    401: "no-session",
    403: "not-from-here",
    404: "nothing-here",
    405: "nothing-here",
    409: "changed-meanwhile",
    410: "nothing-here",
    412: "changed-meanwhile",
    413: "too-large",
    429: "too-often",
    503: "not-now",
}


@cache
def environment() -> Environment:
    """The templates; what a template names and nobody gave is a fault, not a blank."""
    from jinja2 import (  # noqa: PLC0415  keeps the start quick
        Environment,
        PackageLoader,
        StrictUndefined,
    )

    return Environment(
        loader=PackageLoader("fhir_service.web", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,  # they never change while we run
    )


def language() -> str:
    """The language of this page: of the session, the one asked for, else English."""
    session = told().session
    chosen = request.args.get("lang") or (session.language if session else None)
    asked = chosen or language_asked()
    return asked if asked in WORDS else "en"


def here(path: str) -> str:
    """A path of ours as a browser reaches it, also where the public address has a path."""
    site = sessions.site()
    return urlsplit(site.base_url).path.rstrip("/") + path


def static(name: str) -> str:
    """The address of one of our static files, with the mark of its content."""
    return here(f"/static/{name}?v={mark_of(name)}")


def page(template: str, status: int = 200, **values: Any) -> Response:
    """One page of these values. Gets besides: words ``w``, ``lang``, ``csrf()``, ``here()``."""
    chosen = values.pop("lang", None) or language()
    made = (
        environment()
        .get_template(template)
        .render(
            w=WORDS[chosen],
            lang=chosen,
            csrf=sessions.csrf_token,
            here=here,
            static=static,
            **values,
        )
    )
    return Response(made, status, content_type=HTML, headers={"Content-Language": chosen})


def go(path: str) -> Response:
    """Send the browser on to this path of ours, by GET."""
    reply = redirect(here(path), SEE_OTHER)
    return Response(status=SEE_OTHER, headers={"Location": reply.headers["Location"]})


def refused(refusal: Refusal, status: int) -> Response:
    """A refusal in plain words. Of the refusal itself nothing is shown: it may quote."""
    account = told()
    account.findings = refusal.issues
    asks = account.page
    if isinstance(refusal, NotSignedIn) and asks is not None and asks.who == "staff":
        if request.method == "GET":
            summary = request.path.startswith("/summary/")
            return go(f"/login?next={quote(request.path)}" if summary else "/login")
        status = 401
    key = _HEADLINES.get(status, "not-understood")
    if status == 401 and asks is not None and asks.who == "staff":  # noqa: PLR2004
        key = "no-staff-session"
    return page("refused.html", status, key=key)


def failed(ticket: str) -> Response:
    """The page of a fault: its ticket, and that what was saved is safe."""
    told().findings = (Issue(key="fault", code="exception", says="", severity="fatal"),)
    return page("failed.html", 500, ticket=ticket)
