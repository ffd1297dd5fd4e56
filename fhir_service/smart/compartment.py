"""Which resources are a patient's: by the element that names whose they are.

https://hl7.org/fhir/R4/compartmentdefinition-patient.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

SEARCHED_BY: Final[Mapping[str, str]] = {
    "Patient": "_id",
    **dict.fromkeys(
        (
            "AllergyIntolerance", "BodyStructure", "CarePlan", "CareTeam", "Claim",
            "ClaimResponse", "ClinicalImpression", "Communication", "CommunicationRequest",
            "Composition", "Condition", "Consent", "CoverageEligibilityRequest",
            "CoverageEligibilityResponse", "DetectedIssue", "Device", "DeviceRequest",
            "DeviceUseStatement", "DiagnosticReport", "DocumentManifest", "DocumentReference",
            "Encounter", "EpisodeOfCare", "ExplanationOfBenefit", "FamilyMemberHistory", "Flag",
            "Goal", "ImagingStudy", "Immunization", "ImmunizationEvaluation",
            "ImmunizationRecommendation", "List", "Media", "MedicationAdministration",
            "MedicationDispense", "MedicationRequest", "MedicationStatement", "MolecularSequence",
            "NutritionOrder", "Observation", "Procedure", "QuestionnaireResponse",
            "RelatedPerson", "RiskAssessment", "ServiceRequest", "SupplyDelivery", "Task",
            "VisionPrescription", "Appointment", "Invoice",
        ),
        "patient",
    ),
    "Account": "subject",
    "AdverseEvent": "subject",
    "ChargeItem": "subject",
    "Coverage": "beneficiary",
    "MeasureReport": "subject",
    "RequestGroup": "subject",
    "ResearchSubject": "individual",
    "Specimen": "subject",
}  # fmt: skip
"""The types that lie in a patient's compartment, and the search parameter that names the patient.

Types whose resources can be of several patients at once (Group, Person, Schedule, AuditEvent,
Provenance) are not among them: no search limits them to one.
"""

NOBODYS: Final = frozenset(
    {
        "ActivityDefinition", "CodeSystem", "ConceptMap", "Endpoint", "HealthcareService",
        "InsurancePlan", "Library", "Location", "Measure", "Medication", "MedicationKnowledge",
        "NamingSystem", "Organization", "OrganizationAffiliation", "PlanDefinition",
        "Practitioner", "PractitionerRole", "Questionnaire", "ResearchStudy",
        "StructureDefinition", "StructureMap", "Substance", "ValueSet",
    }
)  # fmt: skip
"""Types that hold nothing of a patient."""

RECORD_SCOPE: Final = " ".join(
    f"patient/{one}.rs"
    for one in (
        "AllergyIntolerance", "CarePlan", "CareTeam", "Condition", "DiagnosticReport", "Encounter",
        "FamilyMemberHistory", "Goal", "ImagingStudy", "Immunization", "Medication",
        "MedicationAdministration", "MedicationRequest", "MedicationStatement", "Observation",
        "Practitioner", "Procedure", "ServiceRequest",
    )
)  # fmt: skip
"""What a patient may have a form filled with, out of her own record."""

OWNERS: Final = (
    "subject", "patient", "beneficiary", "individual", "for", "candidate", "policyHolder",
)  # fmt: skip


def is_of(resource: Mapping[str, Any], patient: str) -> bool:
    """Whether a resource is this patient's (``patient`` is an id), or nobody's at all.

    One that names another patient in any of the elements that say whose it is, is not; nor is
    one of a patient's types that names nobody.
    """
    type_ = resource.get("resourceType")
    if type_ == "Patient":
        return resource.get("id") == patient
    owners = {_patient(one) for one in _owners(resource)} - {None}
    if type_ in NOBODYS:
        return not owners
    return type_ in SEARCHED_BY and owners == {patient}


def _owners(resource: Mapping[str, Any]) -> Iterator[Any]:
    for name in OWNERS:
        value = resource.get(name)
        yield from value if isinstance(value, list) else [value]
    participants = resource.get("participant")
    for one in participants if isinstance(participants, list) else ():
        if isinstance(one, Mapping):
            yield one.get("actor")


def _patient(reference: Any) -> str | None:
    """The id of the Patient that a reference names; None where it names none."""
    text = reference.get("reference") if isinstance(reference, Mapping) else None
    if not isinstance(text, str):
        return None
    parts = text.partition("/_history/")[0].split("/")
    return parts[-1] if len(parts) > 1 and parts[-2] == "Patient" else None
