"""A Task that asks the invented patient to fill the short form."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from fhir_service.sdc.solicitation import CODE, SYSTEM
from tests.support.service import FORM_URL

FORM = f"{FORM_URL}|1.0.0"


def concept(code: str) -> dict[str, Any]:
    return {"coding": [{"system": SYSTEM, "code": code}]}


def ahead(**span: int) -> str:
    return (datetime.now(UTC) + timedelta(**span)).isoformat(timespec="seconds")


def a_task(**members: Any) -> dict[str, Any]:
    """A sound Task; a member that is None is left out."""
    made = {
        "resourceType": "Task",
        "status": "requested",
        "intent": "order",
        "code": concept(CODE),
        "for": {"reference": "Patient/ada"},
        "authoredOn": "2026-03-01T08:00:00Z",
        "requester": {"reference": "Practitioner/example"},
        "restriction": {"period": {"end": ahead(days=7)}},
        "input": [{"type": concept("questionnaire"), "valueCanonical": FORM}],
    }
    return {name: value for name, value in (made | members).items() if value is not None}
