"""What a patient's own token may not say: that somebody else wrote it, or who may see it.

Whoever signs in as a patient answers for herself, or a relative types for her; that a member of
staff did can be said by a client that staff signed in to. Security labels steer who may see a
record and are the server's. http://hl7.org/fhir/R4/questionnaireresponse-definitions.html
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from fhir_service.fhir.issues import Issue, NotValid
from fhir_service.fhir.resource_types import type_named
from fhir_service.sdc.responses import Response
from fhir_service.workflow.caller import Caller

_BY = {"author": ("Patient", "RelatedPerson", "Device"), "source": ("Patient", "RelatedPerson")}
_ROOT = "QuestionnaireResponse"


def must_be_her_word(
    caller: Caller, response: Response, patient: str, patient_bases: Iterable[str]
) -> None:
    """Refuse, for a patient's token, an author or source that is another's, and security labels.

    Raises NotValid with a finding for each.
    """
    if not caller.is_patient():
        return
    body = response.body
    wrong = [
        _not_hers(name)
        for name in _BY
        if not _is_hers(getattr(body, name), _BY[name], patient, tuple(patient_bases))
    ]
    if (body.meta or {}).get("security"):
        says = "Security labels are set by this service. Leave out meta.security."
        wrong.append(Issue("server-owned", "business-rule", says, expression=f"{_ROOT}.meta"))
    if wrong:
        raise NotValid("A patient's token may not say this.", *wrong)


def _is_hers(
    reference: Mapping[str, Any] | None,
    types: tuple[str, ...],
    patient: str,
    patient_bases: tuple[str, ...],
) -> bool:
    text = str((reference or {}).get("reference") or "")
    named = type_named(text) or (reference or {}).get("type")
    if named is None:  # nobody, a name alone, or one that the response contains
        return True
    if named not in types:
        return False
    if named != "Patient" or not text:
        return True
    for base in patient_bases:
        text = text.removeprefix(f"{base}/")
    return text.partition("/_history/")[0] == f"Patient/{patient}"


def _not_hers(name: str) -> Issue:
    says = (
        f"With a patient's token the {name} is the patient herself or a RelatedPerson. "
        f"Leave it out, or correct it."
    )
    return Issue("not-her-word", "business-rule", says, expression=f"{_ROOT}.{name}")
