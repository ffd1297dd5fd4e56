"""Invented versions of resources for store tests; every name is obviously invented."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from fhir_service.store.opening import StoreDesk
from fhir_service.workflow.ports import Owed, Stored, Told

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
FORM = "https://fhir-service.example.org/fhir/Questionnaire/ada-example"


def response(**members: Any) -> bytes:
    """The bytes of a small response to the invented form."""
    return json.dumps(
        {
            "resourceType": "QuestionnaireResponse",
            "questionnaire": f"{FORM}|1.0.0",
            "status": "completed",
            "authored": "2026-11-20T10:00:00+01:00",
            **members,
        }
    ).encode()


def form(**members: Any) -> bytes:
    """The bytes of a small form."""
    said = {"resourceType": "Questionnaire", "url": FORM, "version": "1.0.0", "status": "active"}
    return json.dumps({**said, **members}).encode()


def version(
    id_: str,
    body: bytes,
    number: int = 1,
    patient: str | None = "ada",
    resource_type: str = "QuestionnaireResponse",
) -> Stored:
    """One version as the use cases hand it over."""
    updated = NOON + timedelta(minutes=number)
    return Stored(resource_type, id_, number, updated, body, patient)


def deleted(id_: str, number: int, patient: str | None = "ada") -> Stored:
    """The deletion of a response."""
    kind = "QuestionnaireResponse"
    return Stored(kind, id_, number, NOON, b"", patient, "DELETE", deleted=True)


def keep(desk: StoreDesk, *stored: Stored) -> None:
    """Keep these in one transaction."""

    def work(record: Any) -> None:
        for one in stored:
            record.keep(one)

    desk.write(work)


def submit(desk: StoreDesk, stored: Stored) -> None:
    """Keep a response with its audit line and what it is owed."""

    def work(record: Any) -> None:
        record.keep(stored)
        record.tell(
            Told(
                NOON,
                "create",
                "tests",
                patient=stored.patient,
                resource_type=stored.resource_type,
                resource_id=stored.id,
                resource_version=stored.version,
            )
        )
        record.owe(Owed(stored.id, stored.version, stored.patient or "", "due", NOON))

    desk.write(work)
