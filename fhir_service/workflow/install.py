"""What ships with the service is published at its start, anew only where it changed."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import msgspec

from fhir_service.fhir.issues import Conflict
from fhir_service.fhir.reading import read_json, read_stored
from fhir_service.smart.access import Access
from fhir_service.smart.scopes import read_scopes
from fhir_service.workflow import publish
from fhir_service.workflow.caller import Caller
from fhir_service.workflow.site import Site

_NOT_IN_IDS = re.compile(r"[^A-Za-z0-9\-.]")

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

    What is there already, byte for byte, is not even parsed. What the site has deleted stays
    deleted. Raises Conflict when a published version of ours has other content than the one
    that ships.
    """
    return sum(_install(site, one) for one in shipped)


def _install(site: Site, one: Shipped) -> bool:
    """Whether it was new."""
    current = site.desk.reading().read(one.resource_type, one.id)
    if current and (current.deleted or current.body == one.body):
        return False
    resource = read_json(one.body)
    id_ = one.id if current is None else _id_for(one.id, resource, read_stored(current.body))
    body = one.body if id_ == one.id else _under(id_, resource)
    # What ships was checked by the tests; checking it again would slow each first start.
    try:
        return publish.put(site, OURSELVES, id_, body, resource).changed
    except Conflict:
        # Another process that starts at the same moment may have been first.
        there = site.desk.reading().read(one.resource_type, id_)
        if there is None or there.body != body:
            raise
        return False


def _id_for(id_: str, resource: dict[str, Any], before: dict[str, Any]) -> str:
    """Its own id; where another version holds that, the id with the version behind it."""
    version = str(resource.get("version", ""))
    if before.get("version") == version:
        return id_
    return _NOT_IN_IDS.sub("-", f"{id_}-{version}")[:64]


def _under(id_: str, resource: dict[str, Any]) -> bytes:
    return msgspec.json.encode({**resource, "id": id_})
