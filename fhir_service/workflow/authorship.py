"""What a patient's own token may not say: that somebody else wrote it, or who may see it.

Whoever signs in as a patient answers for herself, or a relative types for her; that a member of
staff did can be said by a client that staff signed in to. Security labels steer who may see a
record and are the server's. http://hl7.org/fhir/R4/questionnaireresponse-definitions.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fhir_service.fhir.issues import Issue, NotValid
from fhir_service.fhir.resource_types import type_named
from fhir_service.sdc.responses import Response
from fhir_service.workflow.caller import Caller

_BY = {"author": ("Patient", "RelatedPerson", "Device"), "source": ("Patient", "RelatedPerson")}
_ROOT = "QuestionnaireResponse"


def must_be_her_word(caller: Caller, response: Response) -> None:
    """Refuse, for a patient's token, an author or source that is staff, and security labels.

    Another Patient is taken: whoever helps may be a patient of the house too. Raises NotValid with
    a finding for each.
    """
    if not caller.is_patient():
        return
    body = response.body
    wrong = [_not_hers(name) for name, types in _BY.items() if not _by(getattr(body, name), types)]
    if (body.meta or {}).get("security"):
        says = "Security labels are set by this service. Leave out meta.security."
        wrong.append(Issue("server-owned", "business-rule", says, expression=f"{_ROOT}.meta"))
    if wrong:
        raise NotValid("A patient's token may not say this.", *wrong)


def _by(reference: Mapping[str, Any] | None, types: tuple[str, ...]) -> bool:
    """Whether it names one of these types; or nobody, a name alone, or what is contained."""
    given = reference or {}
    named = type_named(str(given.get("reference") or "")) or given.get("type")
    return named is None or named in types


def _not_hers(name: str) -> Issue:
    says = (
        f"With a patient's token the {name} is a Patient or a RelatedPerson. "
        f"Leave it out, or correct it."
    )
    return Issue("not-her-word", "business-rule", says, expression=f"{_ROOT}.{name}")
