"""A Task that asks the invented patient to fill the short form."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from fhir_service.sdc.solicitation import CODE, SYSTEM
from tests.support.service import FORM_URL, Running, answers

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


def sent(running: Running, **members: Any) -> str:
    reply = running.send("POST", "/fhir/Task", a_task(**members))
    assert reply.status_code == 201, reply.text
    return str(json.loads(reply.data)["id"])


def now(running: Running, id_: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(running.send("GET", f"/fhir/Task/{id_}").data)
    return found


def answered(running: Running, status: str, id_: str | None = None, **more: Any) -> str:
    body = answers("ada", status) | more
    if id_ is None:
        reply = running.send("POST", "/fhir/QuestionnaireResponse", body)
    else:
        place = f"/fhir/QuestionnaireResponse/{id_}"
        reply = running.send("PUT", place, body | {"id": id_})
    assert reply.status_code in (200, 201), reply.text
    return str(json.loads(reply.data)["id"])


def output(task: dict[str, Any]) -> list[str]:
    return [one["valueReference"]["reference"] for one in task.get("output", [])]
