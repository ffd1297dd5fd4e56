"""Checks a response against every rule of its form.

http://hl7.org/fhir/R4/questionnaireresponse.html, https://hl7.org/fhir/uv/sdc/STU4/behavior.html
"""

from __future__ import annotations

from datetime import datetime, tzinfo

from fhir_service.fhir.issues import Issue
from fhir_service.sdc.compiled import Form
from fhir_service.sdc.response_walk import Doubt
from fhir_service.sdc.responses import Response
from fhir_service.sdc.validation import envelope
from fhir_service.sdc.validation.context import Check, Codes
from fhir_service.sdc.validation.walk import run

__all__ = ["Codes", "validate"]


def validate(
    form: Form,
    response: Response,
    *,
    codes: Codes | None = None,
    language: str | None = None,
    now: datetime | None = None,
    zone: tzinfo | None = None,
) -> tuple[Issue, ...]:
    """Every finding, envelope first, then in the order of the form; empty when all is well.

    ``codes`` is asked for value sets; without it they are told as not verified. ``language`` is
    that of the sentences, English where there is no translation. Severities follow the status of
    the response: errors of a completed one may be warnings, or nothing, of a draft. A response
    that was only skimmed is settled here: raises NotUnderstood as ``decode`` does. ``now`` is what
    expressions take for the present (it must carry a zone; when the response was written, where it
    is None), ``zone`` the one that they tell the day in.
    """
    if form.levels > response.levels:
        response.settle()
    check = Check(form, response, codes, language, (now, zone))
    try:
        found = _found(check)
    except Doubt:
        response.settle(check.known)
        found = _found(Check(form, response, codes, language, (now, zone)))
    response.sent = None
    return found


def _found(check: Check) -> tuple[Issue, ...]:
    if not envelope.is_plain(check):
        for rule in envelope.RULES:
            rule(check)
    run(check)
    return check.told()
