"""The last step: one request to the EHR, or files into a folder; and looking up what became of it.

http://hl7.org/fhir/R4/http.html#ccreate
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from fhir_service.workflow.ehr import Ehr, EhrTrouble
from fhir_service.workflow.outbox import Entry
from fhir_service.workflow.parcels import IDENTIFIER
from fhir_service.workflow.preparing import Ready, name_of
from fhir_service.workflow.site import Site
from fhir_service.workflow.targets import Route

_OK = 200


@dataclass(frozen=True, slots=True)
class Filed:
    """Where it lies now, and the HTTP status that said so."""

    status: int
    id: str | None
    version: str | None = None


class Drop(Protocol):
    """A folder that an interface engine watches."""

    def put(self, ready: Ready) -> str:
        """Write the files of a delivery; its name. Writing it again changes nothing.

        Raises EhrTrouble(unreachable) when the folder can not be written to.
        """

    def withdraw(self, ready: Ready) -> str:
        """Say that a delivery is withdrawn; the name of that message."""

    def has(self, entry: Entry) -> str | None:
        """The name of this delivery, if it was written; None where it was not."""


def post(site: Site, drop: Drop | None, ready: Ready) -> Filed:
    """Send it, once. Raises EhrTrouble."""
    if ready.route.kind == "folder":
        return Filed(_OK + 1, _drop(drop).put(ready))
    written = _ehr(site).create_bytes(ready.route.resource_type, ready.body, ready.if_none_exist)
    return Filed(written.status, written.id, written.version)


def withdraw(site: Site, drop: Drop | None, ready: Ready) -> Filed:
    """Mark the note as entered in error; one that is so already is left. Raises EhrTrouble."""
    if ready.route.kind == "folder":
        return Filed(_OK, _drop(drop).withdraw(ready))
    ehr, kind = _ehr(site), ready.route.resource_type
    id_ = str(ready.withdraws)
    there = ehr.read(kind, id_)
    if there is None:
        return Filed(_OK, id_)
    if there.get("status") == "entered-in-error":
        return Filed(_OK, id_, _version(there))
    written = ehr.update({**there, "status": "entered-in-error"}, _version(there))
    return Filed(written.status, id_, written.version)


def look_up(site: Site, drop: Drop | None, entry: Entry, route: Route) -> Filed | None:
    """Where the delivery lies, found by our identifier; None: nowhere. Raises EhrTrouble."""
    if route.kind == "folder":
        name = _drop(drop).has(entry)
        return None if name is None else Filed(_OK, name)
    kind = route.resource_type
    query = {"identifier": f"{IDENTIFIER}|{name_of(site, entry)}"}
    for one in _ehr(site).search(kind, query, most=2):
        if one.get("resourceType") == kind and _is_it(one, name_of(site, entry)):
            return Filed(_OK, str(one.get("id")), _version(one))
    return None


def _is_it(one: Mapping[str, Any], name: str) -> bool:
    """Whether it carries our identifier: a server that ignored the parameter gives anything."""
    said = one.get("identifier", ())
    return any(
        i.get("system") == IDENTIFIER and i.get("value") == name
        for i in (said if isinstance(said, list) else [said])
    )


def _version(resource: Mapping[str, Any]) -> str | None:
    version = resource.get("meta", {}).get("versionId")
    return None if version is None else str(version)


def _ehr(site: Site) -> Ehr:
    if site.ehr is None:
        raise EhrTrouble("not-configured")
    return site.ehr


def _drop(drop: Drop | None) -> Drop:
    if drop is None:
        raise EhrTrouble("not-configured")
    return drop
