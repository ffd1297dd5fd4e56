"""What a use case writes down of itself: versions and audit lines with the caller's marks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

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


def tell(
    record: Record,
    site: Site,
    caller: Caller,
    interaction: str,
    stored: Stored,
    sources: Sequence[str] = (),
) -> None:
    """Write the audit line of what was done to this version, in its transaction.

    Its Provenance is read out of this line. ``sources`` are references (``Type/id/_history/n``,
    or ``url|version``) of what the resource was made from by this service; then its Provenance
    has this service as assembler, and an entity for each.
    """
    caller.trail.told = True
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
            user=caller.trail.user,
            address=caller.trail.address,
            sources=" ".join(sources) or None,
            software=f"fhir_service {site.software_version}" if sources else None,
        )
    )


def saw(caller: Caller, *stored: Stored) -> None:
    """Remember, for the audit line of this request, that the caller got to see these.

    Every use case that gives out what it did not read by workflow/read.py calls it; whatever a
    door answers is then noted, one line for each patient.
    """
    caller.trail.seen.extend((s.resource_type, s.id, s.version, s.patient) for s in stored)


def note(
    site: Site,
    caller: Caller,
    interaction: str,
    *,
    outcome: Literal["0", "4", "8"] = "0",
    reason: str | None = None,
    about: tuple[str | None, str | None] = (None, None),
) -> None:
    """Write the audit lines of a request that stored nothing: one for each patient it met.

    ``about`` is resource type and id, for where it met none; a patient's own token asks about
    her.
    """
    trail = caller.trail
    line = Told(
        recorded=site.clock.now(),
        interaction=interaction,
        client=caller.client,
        outcome=outcome,
        token=caller.token,
        patient=caller.access.patient if caller.is_patient() else trail.about,
        resource_type=about[0],
        resource_id=about[1],
        request_id=caller.request_id,
        query=trail.query,
        reason=reason,
        user=trail.user,
        address=trail.address,
    )
    site.desk.note(*_of_each_patient(line, trail.seen))


def _of_each_patient(line: Told, seen: Sequence[tuple[str, str, int, str | None]]) -> list[Told]:
    """As BALP asks for: a query that finds resources of several patients has a line for each."""
    by_patient: dict[str | None, list[tuple[str, str, int, str | None]]] = {}
    for one in seen:
        by_patient.setdefault(one[3], []).append(one)
    if len(by_patient) > 1:
        by_patient.pop(None, None)
    made = []
    for patient, met in by_patient.items():
        kind, id_, version, _ = met[0]
        alone = len({(one[0], one[1]) for one in met}) == 1
        made.append(
            replace(
                line,
                patient=patient or line.patient,
                resource_type=kind,
                resource_id=id_ if alone else None,
                resource_version=version if alone else None,
            )
        )
    return made or [line]
