"""A patient, her form and her link; every name is obviously invented."""

from __future__ import annotations

import re
from typing import Any

from werkzeug.test import TestResponse

from fhir_service.smart.access import Access
from fhir_service.smart.scopes import read_scopes
from fhir_service.workflow.caller import Caller
from fhir_service.workflow.links import Link, Terms, create_link
from tests.support.service import FORM_URL, Running, short_form

CLINIC = Caller("clinic", "jti-of-the-clinic", Access(read_scopes("system/*.cruds")))
FORM = f"{FORM_URL}|1.0.0"
CANARY = "Zyxwv"
"""Part of every name here that must never reach a log."""


def a_patient(running: Running, id_: str = "ada", born: str | None = "1951-03-27") -> None:
    """Store a patient."""
    patient: dict[str, Any] = {
        "resourceType": "Patient",
        "id": id_,
        "name": [{"family": f"Example{CANARY}", "given": ["Ada"]}],
    }
    if born:
        patient["birthDate"] = born
    reply = running.send("PUT", f"/fhir/Patient/{id_}", patient)
    assert reply.status_code == 201, reply.text


def offered_form(**members: Any) -> dict[str, Any]:
    """A form that nothing bars from being offered."""
    return short_form() | {"id": "short-form"} | members


def publish(running: Running, form: dict[str, Any]) -> None:
    """Publish a form."""
    reply = running.send("PUT", f"/fhir/Questionnaire/{form['id']}", form)
    assert reply.status_code == 201, reply.text


def a_link(running: Running, patient: str = "ada", **terms: Any) -> Link:
    """A new link of this patient to the short form."""
    site = running.service.site
    return create_link(site, CLINIC, patient=patient, questionnaire=FORM, terms=Terms(**terms))


def path_of(link: Link) -> str:
    """The address without its host."""
    return "/" + link.address.split("/", 3)[3]


def born(text: str = "1951-03-27", **more: str) -> dict[str, str]:
    """The fields of the page behind a link."""
    year, month, day = text.split("-")
    return {"year": year, "month": month, "day": day, "who": "patient", **more}


def csrf_in(page: TestResponse) -> str:
    """The token in the form of a page."""
    found = re.search(r'name="csrf" value="([^"]+)"', page.text)
    assert found is not None, page.text
    return found[1]


def open_path(running: Running, path: str, fields: dict[str, str], **more: Any) -> TestResponse:
    """Open the page behind a link and send its form."""
    csrf = csrf_in(running.client.get(path))
    return running.client.post(path, data=fields | {"csrf": csrf}, **more)
