"""Read, vread, history and search, each narrowed to what the caller may know of.

http://hl7.org/fhir/R4/http.html#read
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from fhir_service.fhir.issues import Gone, NotHere
from fhir_service.fhir.narrowing import is_found, narrowed
from fhir_service.fhir.searching import Page, Search
from fhir_service.smart.access import Reach
from fhir_service.workflow.caller import Caller, within
from fhir_service.workflow.ports import Stored
from fhir_service.workflow.site import Site
from fhir_service.workflow.telling import saw


def not_here(resource_type: str, id_: str) -> NotHere:
    """The one answer for what does not exist and for what is not the caller's."""
    return NotHere(f"There is no {resource_type}/{id_} here that you may read.")


def read(site: Site, caller: Caller, resource_type: str, id_: str) -> Stored:
    """The current version. Raises NotAllowed, NotHere, Gone."""
    reach = caller.must(resource_type, "r")
    if not caller.meets(resource_type, id_):
        raise not_here(resource_type, id_)
    stored = site.desk.reading().read(resource_type, id_, within(resource_type, reach))
    if stored is None or not _within_scope(stored, reach):
        raise not_here(resource_type, id_)
    if stored.deleted:
        raise Gone(f"{resource_type}/{id_} was deleted; its earlier versions are in its history.")
    saw(caller, stored)
    return stored


def vread(site: Site, caller: Caller, resource_type: str, id_: str, version: int) -> Stored:
    """That version. Raises NotAllowed, NotHere, Gone (for the version of a deletion)."""
    reach = caller.must(resource_type, "r")
    if not caller.meets(resource_type, id_):
        raise not_here(resource_type, id_)
    reader = site.desk.reading()
    stored = reader.vread(resource_type, id_, version, within(resource_type, reach))
    if stored is None or not _within_scope(stored, reach):
        raise NotHere(f"There is no version {version} of {resource_type}/{id_} that you may read.")
    if stored.deleted:
        raise Gone(f"Version {version} of {resource_type}/{id_} is its deletion.")
    saw(caller, stored)
    return stored


def history(
    site: Site,
    caller: Caller,
    resource_type: str,
    id_: str,
    count: int = 50,
    before_version: int | None = None,
) -> Page[Stored]:
    """Its versions, newest first; ``next`` is the version under which to go on.

    Raises NotAllowed, and NotHere for what never existed.
    """
    reach = caller.must(resource_type, "r")
    if not caller.meets(resource_type, id_):
        raise not_here(resource_type, id_)
    reader = site.desk.reading()
    patient = within(resource_type, reach)
    current = reader.read(resource_type, id_, patient)
    if current is None or not _within_scope(current, reach):
        raise not_here(resource_type, id_)
    if count == 0:
        return Page((), total=current.version)
    found = tuple(reader.history(resource_type, id_, patient, count + 1, before_version))
    more = len(found) > count
    page = tuple(one for one in found[:count] if _within_scope(one, reach))
    saw(caller, *page)
    return Page(page, next=str(found[count - 1].version) if more else None, total=current.version)


def changes(
    site: Site,
    caller: Caller,
    kinds: Sequence[str],
    count: int,
    since: datetime | None,
    cursor: str | None,
) -> Page[Stored]:
    """Versions of these types, the newest first, as far as the caller may search each of them.

    Raises NotAllowed where it may none, and NotUnderstood.
    """
    reaches = {kind: reach for kind in kinds if (reach := caller.access.may(kind, "s"))}
    if not reaches:
        for kind in kinds:
            caller.must(kind, "s")
    asked = [(kind, within(kind, reach)) for kind, reach in reaches.items() if caller.meets(kind)]
    page = site.desk.reading().changes(asked, count, since, cursor)
    found = tuple(one for one in page.found if _within_scope(one, reaches[one.resource_type]))
    saw(caller, *found)
    return replace(page, found=found)


def search(site: Site, caller: Caller, search_: Search) -> Page[Stored]:
    """One page of what matches and lies within the caller's reach. Raises NotAllowed."""
    reach = caller.must(search_.resource_type, "s")
    if not caller.meets(search_.resource_type):
        return Page(())
    asked = narrowed(search_, reach.only)
    page = site.desk.reading().search(asked, within(search_.resource_type, reach))
    saw(caller, *page.found)
    return page


def _within_scope(stored: Stored, reach: Reach) -> bool:
    """Whether a granular scope lets this version be read; a deletion has nothing to look at."""
    return not reach.only or (
        not stored.deleted and is_found(stored.resource_type, stored.body, reach.only)
    )
