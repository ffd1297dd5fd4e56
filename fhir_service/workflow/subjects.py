"""Whose response is it: the subject, as the id of a Patient of ours.

http://hl7.org/fhir/R4/references.html#literal
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from fhir_service.fhir.issues import Issue, NotValid
from fhir_service.sdc.responses import Response

_RELATIVE = re.compile(r"Patient/([A-Za-z0-9\-.]{1,64})(/_history/[A-Za-z0-9\-.]{1,64})?")


def subject_of(response: Response, patient_bases: Iterable[str]) -> str:
    """The id of the patient that the response is about.

    A reference is relative (``Patient/123``) or absolute under one of ``patient_bases``. Raises
    NotValid when there is none, or when it names no Patient of ours.
    """
    reference = response.subject_reference
    if not reference:
        raise _refused(
            "subject-missing",
            "required",
            "The response does not say whose it is. Add subject.reference, for example "
            "“Patient/123”.",
        )
    patient = patient_of(reference, patient_bases)
    if patient is None:
        raise _refused(
            "subject-not-a-patient",
            "value",
            "The subject must be a Patient of this server: a reference such as “Patient/123”.",
        )
    return patient


def patient_of(reference: str, patient_bases: Iterable[str]) -> str | None:
    """The id of the Patient of ours that a reference names; None for any other."""
    for base in patient_bases:
        if reference.startswith(base + "/"):
            reference = reference[len(base) + 1 :]
            break
    match = _RELATIVE.fullmatch(reference)
    return None if match is None else match[1]


def patient_named(reference: Any, patient_bases: Iterable[str]) -> str | None:
    """The id of the patient of ours that a Reference names; None where it names none."""
    named = reference.get("reference") if isinstance(reference, Mapping) else None
    return patient_of(named, patient_bases) if isinstance(named, str) else None


def _refused(key: str, code: str, says: str) -> NotValid:
    where = "QuestionnaireResponse.subject"
    return NotValid(says, Issue(key=key, code=code, says=says, expression=where))
