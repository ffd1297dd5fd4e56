"""The search parameters of AuditEvent and Provenance, which are read out of the audit.

http://hl7.org/fhir/R4/auditevent.html#search and http://hl7.org/fhir/R4/provenance.html#search
"""

from __future__ import annotations

from typing import Final

from fhir_service.fhir.search_parameter import CORE, SearchParameter

_ID = SearchParameter("_id", "token", f"{CORE}Resource-id", ("id",), column="id")
"""As every type has it, but for sorting: what is read out of the audit is sorted by its time."""

AUDIT_EVENT: Final = (
    _ID,
    SearchParameter("date", "date", f"{CORE}AuditEvent-date", ("recorded",), sortable=True),
    SearchParameter(
        "patient", "reference", f"{CORE}AuditEvent-patient", ("entity.what",), targets=("Patient",)
    ),
    SearchParameter(
        "entity",
        "reference",
        f"{CORE}AuditEvent-entity",
        ("entity.what",),
        targets=("Patient", "Questionnaire", "QuestionnaireResponse"),
    ),
    SearchParameter(
        "agent",
        "reference",
        f"{CORE}AuditEvent-agent",
        ("agent.who",),
        targets=("Practitioner", "PractitionerRole", "Patient", "RelatedPerson"),
    ),
    SearchParameter("altid", "token", f"{CORE}AuditEvent-altid", ("agent.altId",)),
    SearchParameter("policy", "uri", f"{CORE}AuditEvent-policy", ("agent.policy",)),
    SearchParameter("type", "token", f"{CORE}AuditEvent-type", ("type",)),
    SearchParameter("subtype", "token", f"{CORE}AuditEvent-subtype", ("subtype",)),
    SearchParameter(
        "action",
        "token",
        f"{CORE}AuditEvent-action",
        ("action",),
        system="http://hl7.org/fhir/audit-event-action",
    ),
    SearchParameter(
        "outcome",
        "token",
        f"{CORE}AuditEvent-outcome",
        ("outcome",),
        system="http://hl7.org/fhir/audit-event-outcome",
    ),
)

PROVENANCE: Final = (
    _ID,
    SearchParameter(
        "target",
        "reference",
        f"{CORE}Provenance-target",
        ("target",),
        targets=("QuestionnaireResponse", "DocumentReference", "Bundle", "Observation", "Task"),
    ),
    SearchParameter(
        "patient", "reference", f"{CORE}Provenance-patient", ("target",), targets=("Patient",)
    ),
    SearchParameter(
        "recorded", "date", f"{CORE}Provenance-recorded", ("recorded",), sortable=True
    ),
)
