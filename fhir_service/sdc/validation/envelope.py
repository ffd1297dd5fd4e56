"""Rules of the envelope: form, status, author, subject, date.

http://hl7.org/fhir/uv/sdc/STU4/StructureDefinition-sdc-questionnaireresponse.html
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from msgspec import UNSET

from fhir_service.fhir.canonical import read_canonical
from fhir_service.fhir.resource_types import type_named
from fhir_service.sdc.comparing import order
from fhir_service.sdc.validation import parties
from fhir_service.sdc.validation.context import ROOT, Check
from fhir_service.sdc.validation.wording import OneOf

_PROFILE = "http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaireresponse"


def form_named(check: Check) -> None:
    """A3, A4, A5: the response names this form, and its version; it names a Questionnaire."""
    form = check.form
    if form.version is not None and check.response.questionnaire == form.canonical:
        return
    named = read_canonical(check.response.questionnaire or "")
    if named is None or not named.url or form.url is None:
        return
    place = f"{ROOT}.questionnaire"
    if named.url != form.url and type_named(named.url) not in (None, "Questionnaire"):
        check.tell("questionnaire-other-type", place)
    elif not named.names(form.url, form.version):
        check.tell("questionnaire-mismatch", place, form=form.canonical)
    elif named.version is None and form.version is not None:
        check.tell("questionnaire-without-version", place, form=form.canonical)


def form_active(check: Check) -> None:
    """A6: the form is active."""
    if check.form.status != "active":
        place = f"{ROOT}.questionnaire"
        check.tell("form-not-active", place, status=check.form.status)


def authored_there(check: Check) -> None:
    """A8: the response says when it was written; one that claims the SDC profile must."""
    if check.response.authored is not None:
        return
    key = "authored-required" if parties.claims(check, _PROFILE) else "authored-missing"
    check.tell(key, f"{ROOT}.authored")


def authored_in_period(check: Check) -> None:
    """A7: it was written while the form was in use."""
    period, authored = check.form.questionnaire.get("effectivePeriod"), check.response.authored
    if not period or authored is None:
        return
    start, end = period.get("start"), period.get("end")
    early = start is not None and order("dateTime", authored, "dateTime", start) == -1
    late = end is not None and order("dateTime", authored, "dateTime", end) == 1
    if early or late:
        check.tell("authored-outside-period", f"{ROOT}.authored")


def subject_there(check: Check) -> None:
    """A9, A10: the response says whom it is about, one of the types the form is for."""
    place = f"{ROOT}.subject"
    if not check.response.body.subject:
        check.tell("subject-missing", place)
        return
    types = check.form.questionnaire.get("subjectType", ())
    given = check.response.subject_type
    if types and given is not None and given not in types:
        check.tell("subject-type", place, types=OneOf(tuple(types)))


def modifiers_understood(check: Check) -> None:
    """A16: no modifier extension on the response is understood here."""
    if check.response.body.modifier_extension:
        check.tell("modifier-extension", f"{ROOT}.modifierExtension")


def is_plain(check: Check) -> bool:
    """Whether no rule here can have a word against the envelope: the commonest one has none."""
    expected, body = check.form.plain_envelope, check.response.body
    if (
        expected is None
        or body.questionnaire != expected[0]
        or body.authored is UNSET
        or body.meta is not UNSET
        or body.extension is not UNSET
        or body.modifier_extension is not UNSET
    ):
        return False
    subject = body.subject
    if subject is UNSET or len(subject) != 1:
        return False
    address = subject.get("reference", "")
    return expected[1] and address.startswith("Patient/") and address.count("/") == 1


RULES: Final[tuple[Callable[[Check], None], ...]] = (
    form_named,
    form_active,
    modifiers_understood,
    subject_there,
    authored_there,
    authored_in_period,
    *parties.RULES,
)
