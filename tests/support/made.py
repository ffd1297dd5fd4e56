"""Resources that the service makes and clients only read: put straight into the record."""

from __future__ import annotations

import json
from typing import Any

from fhir_service.fhir.searching import Search
from fhir_service.workflow.ports import Told
from fhir_service.workflow.telling import first_version
from tests.support.service import Running

MADE: dict[str, dict[str, Any]] = {
    "Task": {"status": "requested", "intent": "order", "description": "Fill the form"},
    "DocumentReference": {
        "status": "current",
        "description": "A note",
        "content": [{"attachment": {"contentType": "text/plain"}}],
    },
    "Bundle": {"type": "document", "timestamp": "2026-11-20T10:00:00Z"},
    "OperationDefinition": {"url": "https://clinic.example.org/od", "status": "active"},
    "SearchParameter": {"url": "https://clinic.example.org/sp", "status": "active"},
    "Observation": {"status": "final", "code": {"text": "Pain"}},
}
"""One of each, without its patient."""


def audited(running: Running) -> str:
    """Have a line in the audit that is an AuditEvent and a Provenance; the id of both."""
    site, store = running.service.site, running.service.store
    task = made(running, "Task")
    line = Told(
        site.clock.now(),
        "create",
        "tests",
        patient="ada",
        resource_type="Task",
        resource_id=task,
        resource_version=1,
    )
    store.write(lambda record: record.tell(line))
    (found,) = store.reading().search(Search("Provenance", count=1)).found
    return found.id


def made(running: Running, resource_type: str, patient: str = "ada", **members: Any) -> str:
    """Put one into the record of this patient; its id."""
    body = {"resourceType": resource_type, **MADE[resource_type], **members}
    raw = json.dumps(body).encode()
    new = first_version(running.service.site, resource_type, raw, patient)
    running.service.store.write(lambda record: record.keep(new))
    return new.id
