"""The search parameters of what the service makes and keeps beside responses.

http://hl7.org/fhir/R4/searchparameter-registry.html
"""

from __future__ import annotations

from typing import Final

from fhir_service.fhir.search_parameter import CORE, SearchParameter

_PEOPLE = (
    "Device",
    "Organization",
    "Patient",
    "Practitioner",
    "PractitionerRole",
    "RelatedPerson",
)
_CODES = "http://hl7.org/fhir"
_OURS = "https://fhir-service.example.org/fhir/SearchParameter"


def _token(name: str, definition: str, *paths: str, system: str = "") -> SearchParameter:
    return SearchParameter(name, "token", f"{CORE}{definition}", paths, system)


def _status(definition: str, system: str) -> SearchParameter:
    return SearchParameter(
        "status",
        "token",
        f"{CORE}{definition}",
        ("status",),
        f"{_CODES}/{system}",
        column="status",
        sortable=True,
    )


def _reference(name: str, definition: str, path: str, *targets: str) -> SearchParameter:
    return SearchParameter(name, "reference", f"{CORE}{definition}", (path,), targets=targets)


def _owner(name: str, definition: str, path: str) -> SearchParameter:
    return SearchParameter(
        name, "reference", f"{CORE}{definition}", (path,), targets=("Patient",), column="patient"
    )


def _date(name: str, definition: str, path: str) -> SearchParameter:
    """The one date of a type that always is a point in time: it has a column."""
    return SearchParameter(
        name, "date", f"{CORE}{definition}", (path,), column="date", sortable=True
    )


def _when(name: str, definition: str, *paths: str) -> SearchParameter:
    return SearchParameter(name, "date", f"{CORE}{definition}", paths, sortable=True)


def _url(definition: str) -> SearchParameter:
    return SearchParameter("url", "uri", f"{CORE}{definition}", ("url",))


OPERATION_DEFINITION: Final = (
    _url("conformance-url"),
    _status("conformance-status", "publication-status"),
    _token("code", "OperationDefinition-code", "code"),
    _token("kind", "OperationDefinition-kind", "kind", system=f"{_CODES}/operation-kind"),
)

SEARCH_PARAMETER: Final = (
    _url("conformance-url"),
    _status("conformance-status", "publication-status"),
    _token("code", "SearchParameter-code", "code"),
    _token("base", "SearchParameter-base", "base", system=f"{_CODES}/resource-types"),
    _token("type", "SearchParameter-type", "type", system=f"{_CODES}/search-param-type"),
)

TASK: Final = (
    _owner("patient", "Task-patient", "for"),
    _owner("subject", "Task-subject", "for"),
    _status("Task-status", "task-status"),
    _date("authored-on", "Task-authored-on", "authoredOn"),
    _when("modified", "Task-modified", "lastModified"),
    _when("period", "Task-period", "executionPeriod"),
    _token("identifier", "Task-identifier", "identifier"),
    _token("group-identifier", "Task-group-identifier", "groupIdentifier"),
    _token("code", "Task-code", "code"),
    _token("business-status", "Task-business-status", "businessStatus"),
    _token("intent", "Task-intent", "intent", system=f"{_CODES}/task-intent"),
    _token("priority", "Task-priority", "priority", system=f"{_CODES}/request-priority"),
    _token("performer", "Task-performer", "performerType"),
    _reference("owner", "Task-owner", "owner", *_PEOPLE, "CareTeam", "HealthcareService"),
    _reference("requester", "Task-requester", "requester", *_PEOPLE),
    _reference("focus", "Task-focus", "focus", "Questionnaire", "QuestionnaireResponse"),
    _reference("encounter", "Task-encounter", "encounter", "Encounter"),
    _reference(
        "based-on", "Task-based-on", "basedOn", "CarePlan", "ServiceRequest", "Appointment"
    ),
    _reference("part-of", "Task-part-of", "partOf", "Task"),
    SearchParameter(
        "questionnaire",
        "reference",
        f"{_OURS}/Task-questionnaire",
        ("input.valueCanonical",),
        targets=("Questionnaire",),
        column="canonical",
    ),
    SearchParameter(
        "response",
        "reference",
        f"{_OURS}/Task-response",
        ("output.valueReference",),
        targets=("QuestionnaireResponse",),
    ),
    SearchParameter(
        "deadline",
        "date",
        f"{_OURS}/Task-deadline",
        ("restriction.period.end", "executionPeriod.end"),
        sortable=True,
    ),
)

DOCUMENT_REFERENCE: Final = (
    _owner("patient", "clinical-patient", "subject"),
    _owner("subject", "DocumentReference-subject", "subject"),
    _status("DocumentReference-status", "document-reference-status"),
    _date("date", "DocumentReference-date", "date"),
    _when("period", "DocumentReference-period", "context.period"),
    _token("identifier", "clinical-identifier", "masterIdentifier", "identifier"),
    _token("type", "clinical-type", "type"),
    _token("category", "DocumentReference-category", "category"),
    _token("event", "DocumentReference-event", "context.event"),
    _token("facility", "DocumentReference-facility", "context.facilityType"),
    _token("setting", "DocumentReference-setting", "context.practiceSetting"),
    _token("format", "DocumentReference-format", "content.format"),
    _token("contenttype", "DocumentReference-contenttype", "content.attachment.contentType"),
    _token("language", "DocumentReference-language", "content.attachment.language"),
    _token("security-label", "DocumentReference-security-label", "securityLabel"),
    _reference("author", "DocumentReference-author", "author", *_PEOPLE),
    _reference("authenticator", "DocumentReference-authenticator", "authenticator", *_PEOPLE),
    _reference("custodian", "DocumentReference-custodian", "custodian", "Organization"),
    _reference("encounter", "clinical-encounter", "context.encounter", "Encounter"),
    _reference("related", "DocumentReference-related", "context.related", "QuestionnaireResponse"),
    _reference(
        "relatesto", "DocumentReference-relatesto", "relatesTo.target", "DocumentReference"
    ),
)

OBSERVATION: Final = (
    _owner("patient", "clinical-patient", "subject"),
    _owner("subject", "Observation-subject", "subject"),
    _status("Observation-status", "observation-status"),
    _when("date", "clinical-date", "effectiveDateTime", "effectivePeriod", "effectiveInstant"),
    _token("identifier", "clinical-identifier", "identifier"),
    _token("code", "clinical-code", "code"),
    _token("category", "Observation-category", "category"),
    _token("value-concept", "Observation-value-concept", "valueCodeableConcept"),
    _when("value-date", "Observation-value-date", "valueDateTime", "valuePeriod"),
    _token("data-absent-reason", "Observation-data-absent-reason", "dataAbsentReason"),
    _token("method", "Observation-method", "method"),
    _token("component-code", "Observation-component-code", "component.code"),
    _token("combo-code", "Observation-combo-code", "code", "component.code"),
    _reference("encounter", "clinical-encounter", "encounter", "Encounter"),
    _reference("performer", "Observation-performer", "performer", *_PEOPLE),
    _reference("focus", "Observation-focus", "focus", "Patient", "Observation"),
    _reference("based-on", "Observation-based-on", "basedOn", "CarePlan", "ServiceRequest"),
    _reference("part-of", "Observation-part-of", "partOf", "Procedure"),
    _reference("has-member", "Observation-has-member", "hasMember", "Observation"),
    _reference(
        "derived-from",
        "Observation-derived-from",
        "derivedFrom",
        "QuestionnaireResponse",
        "Observation",
        "DocumentReference",
    ),
)

BUNDLE: Final = (
    _date("timestamp", "Bundle-timestamp", "timestamp"),
    _token("identifier", "Bundle-identifier", "identifier"),
    _token("type", "Bundle-type", "type", system=f"{_CODES}/bundle-type"),
)
