"""One entry of a batch or transaction, carried out by the use case that its address names.

Nothing here knows of an HTTP request: on SQLite a transaction may run in another thread.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import orjson

from fhir_service.fhir.issues import Issue, NotHere, NotOffered, Refusal, operation_outcome
from fhir_service.fhir.splice import instant
from fhir_service.web import searches, writing
from fhir_service.web.entries import Entry
from fhir_service.web.errors import status_of
from fhir_service.web.negotiation import Preference, read_if_match, unchanged
from fhir_service.web.replies import as_bytes, served
from fhir_service.web.table import OFFERS, Offer
from fhir_service.workflow import read as reading
from fhir_service.workflow.caller import Caller
from fhir_service.workflow.ports import Stored
from fhir_service.workflow.site import Site

_OFFERED: Final = {offer.resource_type: offer for offer in OFFERS}
_REASONS: Final = {
    200: "200 OK",
    201: "201 Created",
    204: "204 No Content",
    304: "304 Not Modified",
}


@dataclass(frozen=True, slots=True)
class Done:
    """What came of an entry: its status, the version it is about, what goes back with it."""

    status: int
    stored: Stored | None = None
    resource: bytes | None = None
    findings: tuple[Issue, ...] = ()


def interaction(entry: Entry) -> str:
    """What the entry asks for, as the audit calls it."""
    if entry.method in ("POST", "PUT", "DELETE"):
        return {"POST": "create", "PUT": "update", "DELETE": "delete"}[entry.method]
    if entry.id is None:
        return "search-type"
    if entry.history is None:
        return "read"
    return "vread" if entry.history else "history-instance"


def carry_out(site: Site, caller: Caller, entry: Entry, *, strict: bool = False) -> Done:
    """Do what the entry asks for. Raises the refusals of the use cases, NotOffered, NotHere."""
    offer = _OFFERED.get(entry.kind)
    if offer is None:
        raise NotHere("This server has no such resource type. What it has is in /fhir/metadata.")
    return _DOES[entry.method](site, caller, offer, entry, strict)


def _get(site: Site, caller: Caller, offer: Offer, entry: Entry, strict: bool) -> Done:
    kind, id_ = offer.resource_type, entry.id
    if id_ is None:
        found = searches.search(site, caller, kind, entry.pairs, strict=strict)
        return Done(200, resource=found)
    if entry.history == "":
        versions = searches.history(site, caller, kind, id_, entry.pairs, strict=strict)
        return Done(200, resource=versions)
    if entry.history is not None:
        stored = reading.vread(site, caller, kind, id_, int(entry.history))
    else:
        stored = reading.read(site, caller, kind, id_)
    known = {"If-None-Match": entry.if_none_match} if entry.if_none_match else {}
    if known and unchanged(known, stored.version, stored.last_updated):
        return Done(304, stored)
    return Done(200, stored, served(stored))


def _post(site: Site, caller: Caller, offer: Offer, entry: Entry, strict: bool) -> Done:
    del strict
    if entry.id is not None or entry.pairs:
        raise NotOffered("POST goes to the type alone; operations are not carried out in Bundles.")
    kept = writing.create(site, caller, offer, entry.body, entry.if_none_exist)
    return Done(201 if kept.created else 200, kept.stored, served(kept.stored), kept.findings)


def _put(site: Site, caller: Caller, offer: Offer, entry: Entry, strict: bool) -> Done:
    del strict
    if_match = read_if_match(entry.if_match)
    if entry.id is None:
        kept = writing.conditional_update(site, caller, offer, entry.body, entry.pairs, if_match)
    elif offer.update is None:
        raise NotOffered(f"{offer.resource_type} can not be updated here.")
    else:
        kept = offer.update(site, caller, entry.id, entry.body, if_match)
    return Done(201 if kept.created else 200, kept.stored, served(kept.stored), kept.findings)


def _delete(site: Site, caller: Caller, offer: Offer, entry: Entry, strict: bool) -> Done:
    del strict
    if entry.id is None or offer.delete is None:
        raise NotOffered(f"{offer.resource_type} is not deleted so here.")
    return Done(204, offer.delete(site, caller, entry.id))


_DOES: Final[dict[str, Callable[[Site, Caller, Offer, Entry, bool], Done]]] = {
    "GET": _get,
    "HEAD": _get,
    "POST": _post,
    "PUT": _put,
    "DELETE": _delete,
}


def told(done: Done, entry: Entry, base: str, wants: Preference | None) -> bytes:
    """The entry of the answering Bundle."""
    said: dict[str, object] = {"status": _REASONS[done.status]}
    stored = done.stored
    if stored is not None:
        said["etag"] = f'W/"{stored.version}"'
        said["lastModified"] = instant(stored.last_updated)
        if entry.method in ("POST", "PUT"):
            place = f"{stored.resource_type}/{stored.id}"
            said["location"] = f"{base}/{place}/_history/{stored.version}"
    if done.findings or (wants == "OperationOutcome" and entry.method in ("POST", "PUT")):
        said["outcome"] = operation_outcome(done.findings)
    parts = []
    reads = entry.method == "GET" or (wants == "representation" and entry.method != "DELETE")
    if reads and done.resource is not None:
        parts.append(b'"resource":' + done.resource)
    parts.append(b'"response":' + as_bytes(said))
    return b"{" + b",".join(parts) + b"}"


def refused(refusal: Refusal) -> bytes:
    """The entry of the answering Bundle for one that was refused."""
    said = {
        "status": str(status_of(refusal)),
        "outcome": operation_outcome(refusal.issues),
    }
    return b'{"response":' + as_bytes(said) + b"}"


def answered(kind: str, entries: list[bytes]) -> bytes:
    """The Bundle of these entries."""
    head = orjson.dumps({"resourceType": "Bundle", "type": f"{kind}-response"})[:-1]
    joined = b",".join(entries)
    return head + (b',"entry":[' + joined + b"]}" if joined else b"}")
