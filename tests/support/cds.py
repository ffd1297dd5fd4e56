"""A service that an EHR's chart may call, with the answers of one visit, and such calls."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final
from uuid import uuid4

from tests.support.forms import FORMS, ROOT
from tests.support.service import BASE_URL, Running, start
from tests.support.smart import assertion, register

EHR: Final = "https://ehr.example.org/fhir"
ISS: Final = "https://ehr.example.org/cds"
PATIENT_VIEW: Final = "/cds-services/patient-view"
CREATED: Final = 201


def a_cds_service(folder: Path) -> Running:
    """It has the typical answers of Ada to all three forms. Raises RuntimeError if not."""
    made = start(folder, EHR_BASE=EHR, LAUNCH_CLIENT_ID="previsit")
    made.service.publish_shipped()
    for name in FORMS:
        body = (ROOT / name / "responses" / "typical.json").read_bytes()
        reply = made.send("POST", "/fhir/QuestionnaireResponse", body)
        if reply.status_code != CREATED:
            raise RuntimeError(f"{name}: {reply.status_code}")
    register(made, ISS, grants=("cds-hooks",), scope="system/QuestionnaireResponse.rs")
    return made


def a_call() -> dict[str, Any]:
    """What the test client sends when Ada's chart is opened, signed anew; good for minutes."""
    claims = {"aud": f"{BASE_URL}{PATIENT_VIEW}", "sub": None}
    return {
        "json": {
            "hook": "patient-view",
            "hookInstance": str(uuid4()),
            "fhirServer": EHR,
            "context": {"userId": "Practitioner/example", "patientId": "ada-example"},
        },
        "headers": {"Authorization": f"Bearer {assertion(ISS, claims=claims).signed()}"},
    }
