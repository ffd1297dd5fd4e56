"""Checks a response against every rule of its form.

http://hl7.org/fhir/R4/questionnaireresponse.html, https://hl7.org/fhir/uv/sdc/STU4/behavior.html
"""

from __future__ import annotations

from fhir_service.fhir.issues import Issue
from fhir_service.fhir.reading import ITEM_LEVELS
from fhir_service.sdc.compiled import Form
from fhir_service.sdc.response_walk import Doubt
from fhir_service.sdc.responses import Response
from fhir_service.sdc.validation import envelope
from fhir_service.sdc.validation.context import Check, Codes
from fhir_service.sdc.validation.walk import run

__all__ = ["Codes", "validate"]


def validate(
    form: Form, response: Response, *, codes: Codes | None = None, language: str | None = None
) -> tuple[Issue, ...]:
    """Every finding, envelope first, then in the order of the response; empty when all is well.

    ``codes`` is asked for value sets; without it they are told as not verified. ``language`` is
    that of the sentences, English where there is no translation. Severities follow the status of
    the response: errors of a completed one may be warnings, or nothing, of a draft. A response
    that was only skimmed is settled here: raises NotUnderstood as ``decode`` does.
    """
    if form.levels > ITEM_LEVELS:
        response.settle()
    try:
        found = _found(form, response, codes, language)
    except Doubt:
        response.settle(doubted=True)
        found = _found(form, response, codes, language)
    response.sent = None
    return found


def _found(
    form: Form, response: Response, codes: Codes | None, language: str | None
) -> tuple[Issue, ...]:
    check = Check(form, response, codes, language)
    for rule in envelope.RULES:
        rule(check)
    run(check)
    return tuple(check.found)
