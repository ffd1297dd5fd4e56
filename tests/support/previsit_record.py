"""A made-up record of Ada Example: what an EHR and her last answers give the pre-visit form."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]

SCT = "http://snomed.info/sct"
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
BASE = "https://fhir-service.example.org/fhir"
FORM = f"{BASE}/Questionnaire/previsit-recurrent-breast"
ADA = {"reference": "Patient/ada"}


def concept(system: str, code: str, display: str) -> Json:
    return {"coding": [{"system": system, "code": code, "display": display}], "text": display}


def searchset(*resources: Json) -> Json:
    entries = [{"resource": one, "search": {"mode": "match"}} for one in resources]
    return {"resourceType": "Bundle", "type": "searchset", "entry": entries}


def order(id_: str, code: str, name: str, status: str = "active") -> Json:
    return {
        "resourceType": "MedicationRequest",
        "id": id_,
        "status": status,
        "intent": "order",
        "medicationCodeableConcept": concept(RXNORM, code, name),
        "subject": ADA,
        "dosageInstruction": [{"text": "1 pill a day"}],
        "reasonCode": [{"text": f"why she takes {name}"}],
    }


def procedure(id_: str, code: str, display: str, **more: Any) -> Json:
    return {
        "resourceType": "Procedure",
        "id": id_,
        "status": "completed",
        "code": concept(SCT, code, display),
        "subject": ADA,
        **more,
    }


def condition(id_: str, code: str, display: str, onset: str, **more: Any) -> Json:
    clinical = "http://terminology.hl7.org/CodeSystem/condition-clinical"
    return {
        "resourceType": "Condition",
        "id": id_,
        "clinicalStatus": concept(clinical, "active", "Active"),
        "code": concept(SCT, code, display),
        "subject": ADA,
        "onsetDateTime": onset,
        **more,
    }


def coded(link_id: str, code: str, display: str) -> Json:
    value = {"system": f"{BASE}/CodeSystem/previsit", "code": code, "display": display}
    return {"linkId": link_id, "answer": [{"valueCoding": value}]}


PATIENT: Json = {
    "resourceType": "Patient",
    "id": "ada",
    "extension": [
        {
            "url": "http://hl7.org/fhir/us/core/StructureDefinition/us-core-interpreter-needed",
            "valueCoding": {"system": SCT, "code": "373066001"},
        }
    ],
    "name": [{"family": "Example", "given": ["Ada"]}],
    "birthDate": "1960-05-17",
    "communication": [
        {"language": concept("urn:ietf:bcp:47", "es", "Spanish"), "preferred": True},
    ],
}

RECORD: dict[str, Json] = {
    "patient": PATIENT,
    "Medications": searchset(
        order("m1", "72965", "Letrozole"),
        order("m2", "6809", "Metformin"),
        order("m3", "10324", "Tamoxifen", "completed"),
    ),
    "Statements": searchset(
        {
            "resourceType": "MedicationStatement",
            "id": "s1",
            "status": "active",
            "medicationCodeableConcept": {"text": "Vitamin D"},
            "subject": ADA,
            "dosage": [{"text": "1000 units"}],
        }
    ),
    "Procedures": searchset(
        procedure("p1", "392021009", "Lumpectomy of breast"),
        procedure(
            "p2", "1287742003", "Radiotherapy", bodySite=[concept(SCT, "76752008", "Breast")]
        ),
    ),
    "Conditions": searchset(
        condition(
            "c1",
            "254837009",
            "Malignant neoplasm of breast",
            "2019-03-12",
            bodySite=[concept(SCT, "80248007", "Left breast")],
        ),
        condition("c2", "38341003", "Hypertension", "2021-01-01"),
        condition("c3", "73211009", "Diabetes, known before the cancer", "2010-01-01"),
    ),
    "Imaging": searchset(
        {
            "resourceType": "ImagingStudy",
            "id": "i1",
            "status": "available",
            "subject": ADA,
            "started": "2026-10-01",
            "modality": [{"system": "http://dicom.nema.org/resources/ontology/DCM", "code": "MG"}],
        }
    ),
    "Before": searchset(
        {
            "resourceType": "QuestionnaireResponse",
            "id": "q1",
            "questionnaire": f"{FORM}|1.0.0",
            "status": "completed",
            "subject": ADA,
            "item": [
                {
                    "linkId": "cancer-history",
                    "item": [
                        coded("treatments-had", "tx-chemo", "Chemo"),
                        coded("spread-known", "no", "No"),
                    ],
                }
            ],
        }
    ),
}
"""What $populate of the pre-visit form is given, by the names that the form has for it."""
