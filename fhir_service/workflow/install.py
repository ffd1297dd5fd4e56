"""What ships with the service is published at its start, anew only where it changed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from fhir_service.smart.access import Access
from fhir_service.smart.scopes import read_scopes
from fhir_service.workflow import publish
from fhir_service.workflow.caller import Caller
from fhir_service.workflow.site import Site

OURSELVES = Caller("fhir-service", None, Access(read_scopes("system/*.cruds")))
"""The service itself, as the audit names it."""


@dataclass(frozen=True, slots=True)
class Shipped:
    """One artefact that ships: its type, the id it is published under, and its bytes."""

    resource_type: str
    id: str
    body: bytes


def install(site: Site, shipped: Iterable[Shipped]) -> int:
    """Publish each under its id; how many were new.

    What is there already, byte for byte, is not even parsed. Raises Conflict when a published
    version of ours has other content than the one that ships.
    """
    reader = site.desk.reading()
    new = 0
    for one in shipped:
        current = reader.read(one.resource_type, one.id)
        if current and current.body == one.body and not current.deleted:
            continue
        kept = publish.update(site, OURSELVES, one.resource_type, one.id, one.body)
        new += kept.changed
    return new
