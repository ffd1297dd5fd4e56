"""The patient's page: /forms/, its steps, checking, sending, and what comes after.

Every step is saved as soon as it comes; what to do next is decided only then.
"""

from __future__ import annotations

from flask import Response, request

from fhir_service.web import pages
from fhir_service.web.filling import looking
from fhir_service.web.filling.conditions import mark_of
from fhir_service.web.filling.declining import task_of
from fhir_service.web.filling.doors import FORMS, Clinic
from fhir_service.web.filling.own_copy import when
from fhir_service.web.filling.page_of import Screen, View, day_and_time, laid_out, to, wanted_by
from fhir_service.web.launch import with_chart
from fhir_service.web.static_files import FOREVER
from fhir_service.workflow import filling
from fhir_service.workflow.site import Site

_A_MINUTE = 8
"""Questions that are answered in one."""
_STEP = 5


def start_view(site: Site, clinic: Clinic) -> View:
    """Where a form begins."""

    def view(id_: str) -> Response:
        screen = Screen.of(site, clinic, id_)
        if screen.found.sent is not None:
            return to(screen, "sent")
        if request.method == "POST":
            filling.begin(with_chart(site), screen.caller, screen.session, screen.found)
            return to(screen, 1)
        questions = sum(1 for one in screen.form.by_link_id.values() if _asks(one.type))
        return screen.page(
            "start.html",
            minutes=minutes(questions),
            until=wanted_by(site, screen.session, screen.form, screen.found.id, screen.language),
            begun=screen.found.draft is not None,
            action=screen.address(),
            decline=screen.address("decline") if task_of(screen) else None,
        )

    return view


def minutes(questions: int) -> int:
    """About how long so many questions take, in minutes; from five on in steps of five."""
    exactly = max(2, round(questions / _A_MINUTE))
    return exactly if exactly <= _STEP else -(-exactly // _STEP) * _STEP


def _asks(type_: str) -> bool:
    return type_ not in ("group", "display")


def later_view(site: Site, clinic: Clinic) -> View:
    """What is said when it is left for later."""

    def view(id_: str) -> Response:
        screen = Screen.of(site, clinic, id_)
        return screen.page(
            "later.html",
            advice=looking.advice(screen, screen.lens()),
            on=screen.address(),
            leave=pages.here("/logout"),
        )

    return view


def sent_view(site: Site, clinic: Clinic) -> View:
    """The receipt, and where a change begins."""

    def view(id_: str) -> Response:
        screen = Screen.of(site, clinic, id_)
        if screen.found.sent is None:
            return to(screen)
        if request.method == "POST":
            filling.change(site, screen.caller, screen.session, screen.found)
            return to(screen, "check")
        lens = screen.lens(filling.sent_body(screen.found))
        may = filling.may_change(site, screen.found)
        until = filling.ends(site, screen.found).astimezone(site.zone)
        return screen.page(
            "sent.html",
            when=when(screen),
            advice=looking.advice(screen, lens),
            until=day_and_time(until, screen.language) if may else "",
            changing=screen.found.draft is not None,
            action=screen.address("sent"),
            copy=screen.address("copy"),
            pdf=screen.address("copy.pdf"),
            forms=pages.here(FORMS),
        )

    return view


def style_view(site: Site, clinic: Clinic) -> View:
    """The style sheet of a form's conditions."""

    def view(id_: str) -> Response:
        screen = Screen.of(site, clinic, id_)
        style = laid_out(screen.form)[1]
        reply = Response(style, content_type="text/css;charset=utf-8")
        if request.args.get("v") == mark_of(style):
            reply.headers["Cache-Control"] = FOREVER.replace("public", "private")
        return reply

    return view
