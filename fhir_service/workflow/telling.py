"""What a use case writes down of itself: versions and audit lines with the caller's marks."""

from __future__ import annotations

from dataclasses import dataclass, replace

from fhir_service.fhir.issues import Issue
from fhir_service.workflow.caller import Caller
from fhir_service.workflow.ports import Method, Record, Stored, Told
from fhir_service.workflow.site import Site


@dataclass(frozen=True, slots=True)
class Kept:
    """What came of a write. ``created``: it was not there before; ``changed``: a new version."""

    stored: Stored
    created: bool
    changed: bool = True
    findings: tuple[Issue, ...] = ()


def first_version(
    site: Site, resource_type: str, body: bytes, patient: str | None, id_: str | None = None
) -> Stored:
    """Version 1 of a new resource; ``id_`` where the client chose it."""
    return Stored(
        resource_type=resource_type,
        id=id_ or site.ids.new(),
        version=1,
        last_updated=site.clock.now(),
        body=body,
        patient=patient,
        method="PUT" if id_ else "POST",
    )


def next_version(site: Site, current: Stored, body: bytes, method: Method = "PUT") -> Stored:
    """The version after ``current``; a DELETE has no body."""
    return replace(
        current,
        version=current.version + 1,
        last_updated=max(site.clock.now(), current.last_updated),
        body=body,
        method=method,
        deleted=method == "DELETE",
    )


def tell(record: Record, site: Site, caller: Caller, interaction: str, stored: Stored) -> None:
    """Write the audit line of what was done to this version."""
    record.tell(
        Told(
            recorded=site.clock.now(),
            interaction=interaction,
            client=caller.client,
            token=caller.token,
            patient=stored.patient,
            resource_type=stored.resource_type,
            resource_id=stored.id,
            resource_version=stored.version,
            request_id=caller.request_id,
        )
    )
