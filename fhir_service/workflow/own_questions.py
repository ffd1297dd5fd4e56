"""Where a patient's questions for a visit stand: in this response, else in one of the same visit.

Which questions of a form ask for them, the mapping of the summary says.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from fhir_service.fhir.issues import Refusal
from fhir_service.fhir.reading import read_stored
from fhir_service.sdc.compiled import Form
from fhir_service.summary.mapping import Questions
from fhir_service.workflow import read
from fhir_service.workflow.caller import Caller, within
from fhir_service.workflow.checking import form_of
from fhir_service.workflow.filling import TYPE, Filling, sent_body
from fhir_service.workflow.site import Site
from fhir_service.workflow.summarise import person
from fhir_service.workflow.telling import saw
from fhir_service.workflow.visits import of_one_visit


@dataclass(frozen=True)
class Asking:
    """A sent response with her questions, its form, and where in it they stand."""

    form: Form
    response: dict[str, Any]
    questions: Questions
    last_updated: datetime


def asking_of(site: Site, caller: Caller, found: Filling) -> Asking | None:
    """Her questions of this visit; None where she has sent none, or the caller may not see them.

    A link opens one response: then only what that one holds. Raises NotHere for a form not sent.
    """
    here = sent_body(found)
    assert found.sent is not None  # noqa: S101  sent_body has looked
    saw(caller, found.sent)
    mapped = site.mapping().form(found.form.url, found.form.version)
    if mapped is not None and mapped.questions is not None:
        return Asking(found.form, here, mapped.questions, found.sent.last_updated)
    reach = caller.must(TYPE, "r")
    if caller.bound is not None or reach.only:
        return None
    for stored, response in of_one_visit(site, found.sent, within(TYPE, reach))[1:]:
        form = form_of(site, response)
        if not isinstance(form, Form):
            continue
        mapped = site.mapping().form(form.url, form.version)
        if mapped is not None and mapped.questions is not None:
            saw(caller, stored)
            return Asking(form, read_stored(stored.body), mapped.questions, stored.last_updated)
    return None


def name_of(site: Site, caller: Caller, patient: str | None) -> str:
    """The patient's name; "" where it is not known, or the caller may not read it."""
    if patient is None:
        return ""
    try:
        stored = read.read(site, caller, "Patient", patient)
    except Refusal:  # known by her id alone
        return ""
    known = person(site.desk.reading(), stored.id)
    return (known and known.name) or ""
