"""A patient who was asked by a Task may say that she would rather not: asked once more, then told.

https://hl7.org/fhir/uv/sdc/STU4/workflow.html
"""

from __future__ import annotations

from flask import Response, request

from fhir_service.fhir.issues import NotHere
from fhir_service.web import pages
from fhir_service.web.filling.doors import Clinic
from fhir_service.web.filling.page_of import Screen, View
from fhir_service.workflow import task_moves
from fhir_service.workflow.site import Site


def decline_view(site: Site, clinic: Clinic) -> View:
    """What answers /forms/<id>/decline."""

    def view(id_: str) -> Response:
        screen = Screen.of(site, clinic, id_)
        task = task_of(screen)
        if task is None:
            raise NotHere("Nobody asked for this form, or it was answered already.")
        if request.method == "POST":
            task_moves.decline(site, screen.caller, task)
            return screen.page("declined.html", leave=pages.here("/logout"))
        return screen.page("decline.html", action=screen.address("decline"), on=screen.address())

    return view


def task_of(screen: Screen) -> str | None:
    """The id of the open Task that this form answers; None where it can not be declined."""
    canonical, patient = screen.form.canonical, screen.session.patient
    if canonical is None or patient is None or screen.found.sent is not None:
        return None
    return task_moves.answered_by(screen.site, patient, canonical, screen.found.id)
