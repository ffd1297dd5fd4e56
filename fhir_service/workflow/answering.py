"""Who answers, as FHIR: source (whose answers they are) and author (who wrote them down).

http://hl7.org/fhir/R4/questionnaireresponse-definitions.html#QuestionnaireResponse.source
"""

from __future__ import annotations

from typing import Any, Final

from fhir_service.workflow.session import Answering, Session

RELATIONS: Final = {
    "partner": "SIGOTHR",
    "child": "CHILD",
    "parent": "PRN",
    "sibling": "SIB",
    "family": "FAMMEMB",
    "friend": "FRND",
    "neighbour": "NBOR",
    "other": None,
}
"""What a helper can be to the patient, each with its code in HL7's RoleCode, if it has one."""

_ROLES: Final = "http://terminology.hl7.org/CodeSystem/v3-RoleCode"
HELPER: Final = "helper"
"""The id of a helper among what a response contains."""


def parties(session: Session) -> dict[str, Any]:
    """``author`` and ``source`` of a response of this session, and ``contained`` for a helper.

    A helper is a contained RelatedPerson of the patient: what she said of herself is part of this
    response, and no record of a person that anybody checked.
    """
    patient = {"reference": f"Patient/{session.patient}"}
    if session.answering.is_patient:
        return {"author": dict(patient), "source": dict(patient)}
    helper = {"reference": f"#{HELPER}"}
    contained = [related_person(session.answering, patient)]
    return {"contained": contained, "author": dict(helper), "source": dict(helper)}


def related_person(answering: Answering, patient: dict[str, str]) -> dict[str, Any]:
    """The RelatedPerson of a helper, with the name and the relation that she gave."""
    relation = answering.relation or "other"
    code = RELATIONS.get(relation)
    concept: dict[str, Any] = {"text": relation}
    if code is not None:
        concept = {"coding": [{"system": _ROLES, "code": code}], **concept}
    return {
        "resourceType": "RelatedPerson",
        "id": HELPER,
        "patient": dict(patient),
        "relationship": [concept],
        "name": [{"text": answering.name}],
    }
