"""The search parameters of each resource type: name, kind, and where their values stand.

The CapabilityStatement, the index and the reading of searches are all made from this page.
http://hl7.org/fhir/R4/searchparameter-registry.html and
https://hl7.org/fhir/uv/sdc/STU4/artifacts.html
"""

from __future__ import annotations

from collections.abc import Iterable

from fhir_service.fhir.audit_parameters import AUDIT_EVENT, PROVENANCE
from fhir_service.fhir.record_parameters import (
    BUNDLE,
    DOCUMENT_REFERENCE,
    OBSERVATION,
    OPERATION_DEFINITION,
    SEARCH_PARAMETER,
    TASK,
)
from fhir_service.fhir.search_parameter import CORE, SDC, Kind, SearchParameter

__all__ = [
    "CANONICAL_TYPES",
    "PARAMETERS",
    "Kind",
    "SearchParameter",
    "has_provenance",
    "includes_of",
    "parameter_of",
    "parameters_of",
    "without_column",
]

_CORE, _SDC = CORE, SDC

CANONICAL_TYPES = ("Questionnaire", "ValueSet", "CodeSystem", "ConceptMap")
"""The types that are published under a url and a version."""

_PUBLICATION = "http://hl7.org/fhir/publication-status"

_COMMON = (
    SearchParameter("_id", "token", f"{_CORE}Resource-id", ("id",), column="id", sortable=True),
    SearchParameter(
        "_lastUpdated",
        "date",
        f"{_CORE}Resource-lastUpdated",
        ("meta.lastUpdated",),
        column="last_updated",
        sortable=True,
    ),
)


def _canonical(root: str) -> tuple[SearchParameter, ...]:
    """What every published type has; ``root`` is how the names of its definitions begin."""
    base = f"{_CORE}{root}-"
    return (
        SearchParameter("url", "uri", f"{base}url", ("url",), column="canonical", sortable=True),
        SearchParameter("version", "token", f"{base}version", ("version",), column="version"),
        SearchParameter(
            "status",
            "token",
            f"{base}status",
            ("status",),
            system=_PUBLICATION,
            column="status",
            sortable=True,
        ),
        SearchParameter("date", "date", f"{base}date", ("date",), column="date", sortable=True),
        SearchParameter("name", "string", f"{base}name", ("name",), sortable=True),
        SearchParameter("title", "string", f"{base}title", ("title",), sortable=True),
        SearchParameter("publisher", "string", f"{base}publisher", ("publisher",), sortable=True),
        SearchParameter("description", "string", f"{base}description", ("description",)),
        SearchParameter("identifier", "token", f"{base}identifier", ("identifier",)),
        SearchParameter("jurisdiction", "token", f"{base}jurisdiction", ("jurisdiction",)),
        SearchParameter(
            "context", "token", f"{base}context", ("useContext.valueCodeableConcept",)
        ),
        SearchParameter("context-type", "token", f"{base}context-type", ("useContext.code",)),
        SearchParameter(
            "context-type-value", "composite", f"{base}context-type-value", ("useContext",)
        ),
        SearchParameter(
            "experimental", "token", f"{_SDC}canonical-experimental", ("experimental",)
        ),
    )


_QUESTIONNAIRE = (
    *_canonical("Questionnaire"),
    SearchParameter("code", "token", f"{_CORE}Questionnaire-code", ("item*.code",)),
    SearchParameter(
        "definition", "uri", f"{_CORE}Questionnaire-definition", ("item*.definition",)
    ),
    SearchParameter("effective", "date", f"{_CORE}Questionnaire-effective", ("effectivePeriod",)),
    SearchParameter(
        "subject-type",
        "token",
        f"{_CORE}Questionnaire-subject-type",
        ("subjectType",),
        system="http://hl7.org/fhir/resource-types",
    ),
    SearchParameter(
        "questionnaire-code", "token", f"{_SDC}Questionnaire-questionnaire-code", ("code",)
    ),
    SearchParameter(
        "combo-code", "token", f"{_SDC}Questionnaire-combo-code", ("code", "item*.code")
    ),
)

_VALUE_SET = (
    *_canonical("conformance"),
    SearchParameter(
        "code",
        "token",
        f"{_CORE}ValueSet-code",
        ("compose.include.concept.code", "expansion.contains*.code"),
        system="system",
    ),
    SearchParameter("reference", "uri", f"{_CORE}ValueSet-reference", ("compose.include.system",)),
    SearchParameter("expansion", "uri", f"{_CORE}ValueSet-expansion", ("expansion.identifier",)),
)

_CODE_SYSTEM = (
    *_canonical("conformance"),
    SearchParameter("code", "token", f"{_CORE}CodeSystem-code", ("concept*.code",), system="url"),
    SearchParameter("system", "uri", f"{_CORE}CodeSystem-system", ("url",)),
)

_CONCEPT_MAP = (
    *_canonical("conformance"),
    SearchParameter(
        "source-code",
        "token",
        f"{_CORE}ConceptMap-source-code",
        ("group.element.code",),
        system="source",
    ),
    SearchParameter(
        "target-code",
        "token",
        f"{_CORE}ConceptMap-target-code",
        ("group.element.target.code",),
        system="target",
    ),
    SearchParameter("source-system", "uri", f"{_CORE}ConceptMap-source-system", ("group.source",)),
    SearchParameter("target-system", "uri", f"{_CORE}ConceptMap-target-system", ("group.target",)),
)

_PEOPLE = ("Device", "Patient", "Practitioner", "PractitionerRole", "RelatedPerson")
_RESPONSE = f"{_CORE}QuestionnaireResponse-"

_QUESTIONNAIRE_RESPONSE = (
    SearchParameter(
        "patient",
        "reference",
        f"{_RESPONSE}patient",
        ("subject",),
        targets=("Patient",),
        column="patient",
    ),
    SearchParameter(
        "subject",
        "reference",
        f"{_RESPONSE}subject",
        ("subject",),
        targets=("Patient",),
        column="patient",
    ),
    SearchParameter(
        "questionnaire",
        "reference",
        f"{_RESPONSE}questionnaire",
        ("questionnaire",),
        targets=("Questionnaire",),
        column="canonical",
        sortable=True,
    ),
    SearchParameter(
        "status",
        "token",
        f"{_RESPONSE}status",
        ("status",),
        system="http://hl7.org/fhir/questionnaire-answers-status",
        column="status",
        sortable=True,
    ),
    SearchParameter(
        "authored", "date", f"{_RESPONSE}authored", ("authored",), column="date", sortable=True
    ),
    SearchParameter(
        "author",
        "reference",
        f"{_RESPONSE}author",
        ("author",),
        targets=(*_PEOPLE, "Organization"),
    ),
    SearchParameter(
        "source",
        "reference",
        f"{_RESPONSE}source",
        ("source",),
        targets=("Patient", "Practitioner", "PractitionerRole", "RelatedPerson"),
    ),
    SearchParameter("identifier", "token", f"{_RESPONSE}identifier", ("identifier",)),
    SearchParameter(
        "encounter",
        "reference",
        f"{_RESPONSE}encounter",
        ("encounter",),
        targets=("Encounter",),
    ),
    SearchParameter(
        "based-on",
        "reference",
        f"{_RESPONSE}based-on",
        ("basedOn",),
        targets=("CarePlan", "ServiceRequest"),
    ),
    SearchParameter(
        "part-of",
        "reference",
        f"{_RESPONSE}part-of",
        ("partOf",),
        targets=("Observation", "Procedure"),
    ),
)

_PATIENT = (
    SearchParameter("identifier", "token", f"{_CORE}Patient-identifier", ("identifier",)),
    SearchParameter("name", "string", f"{_CORE}Patient-name", ("name",)),
    SearchParameter("family", "string", f"{_CORE}individual-family", ("name.family",)),
    SearchParameter("given", "string", f"{_CORE}individual-given", ("name.given",)),
    SearchParameter("birthdate", "date", f"{_CORE}individual-birthdate", ("birthDate",)),
)


def _by_name(parameters: Iterable[SearchParameter]) -> dict[str, SearchParameter]:
    return {parameter.name: parameter for parameter in parameters}


PARAMETERS: dict[str, dict[str, SearchParameter]] = {
    resource_type: _by_name((*_COMMON, *own))
    for resource_type, own in {
        "Questionnaire": _QUESTIONNAIRE,
        "QuestionnaireResponse": _QUESTIONNAIRE_RESPONSE,
        "ValueSet": _VALUE_SET,
        "CodeSystem": _CODE_SYSTEM,
        "ConceptMap": _CONCEPT_MAP,
        "Patient": _PATIENT,
        "Bundle": BUNDLE,
        "DocumentReference": DOCUMENT_REFERENCE,
        "Observation": OBSERVATION,
        "Task": TASK,
        "OperationDefinition": OPERATION_DEFINITION,
        "SearchParameter": SEARCH_PARAMETER,
        "AuditEvent": AUDIT_EVENT,
        "Provenance": PROVENANCE,
    }.items()
}
"""Resource type, then name of the parameter."""


def parameters_of(resource_type: str) -> tuple[SearchParameter, ...]:
    """The parameters of this type; of a type without any of its own, those that all have."""
    return tuple(PARAMETERS.get(resource_type, _by_name(_COMMON)).values())


def parameter_of(resource_type: str, name: str) -> SearchParameter | None:
    """The parameter with this name, or None."""
    return PARAMETERS.get(resource_type, _by_name(_COMMON)).get(name)


_KEPT_HERE = frozenset({"Questionnaire", *(kind for kind in PARAMETERS if kind != "Bundle")})


def includes_of(resource_type: str) -> tuple[str, ...]:
    """The reference parameters of this type that lead to types which are kept here."""
    if resource_type in ("AuditEvent", "Provenance"):
        return ()
    return tuple(
        p.name
        for p in parameters_of(resource_type)
        if p.kind == "reference" and _KEPT_HERE & set(p.targets)
    )


def has_provenance(resource_type: str) -> bool:
    """Whether resources of this type have a Provenance: those that lie with a patient."""
    return "patient" in PARAMETERS.get(resource_type, ()) and resource_type not in (
        "AuditEvent",
        "Provenance",
    )


def without_column(resource_type: str) -> tuple[SearchParameter, ...]:
    """The parameters whose values lie in rows of their own."""
    return tuple(p for p in parameters_of(resource_type) if p.column is None)
