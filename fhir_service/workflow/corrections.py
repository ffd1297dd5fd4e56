"""Which note tells a visit: what a later one says too, and what was entered in error.

A note tells every response of its visit. Where one of them is amended, the next note replaces the
one before; where one was entered in error, a note of those that are left does.
http://hl7.org/fhir/R4/documentreference-definitions.html#DocumentReference.relatesTo
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from fhir_service.fhir.reading import MOST_ITEM_LEVELS
from fhir_service.sdc.responses import skim
from fhir_service.workflow.outbox import OPEN, Entry, State
from fhir_service.workflow.ports import Stored
from fhir_service.workflow.site import Site
from fhir_service.workflow.targets import Route
from fhir_service.workflow.visits import SENT, TYPE, in_error_of_one_visit, of_one_visit


class Aside(Exception):
    """The entry is not sent now: what it becomes, why, and what was learned on the way."""

    def __init__(
        self,
        state: State,
        reason: str,
        *,
        deadline: datetime | None = None,
        encounter: str | None = None,
    ) -> None:
        super().__init__(reason)
        self.state: State = state
        self.reason = reason
        self.deadline = deadline
        self.encounter = encounter


def note_before(
    site: Site, others: Sequence[Entry], entry: Entry, stored: Stored, route: Route
) -> Entry | None:
    """The note of the same visit that was delivered before, if one was.

    Where the responses themselves are sent, each stands for itself. Raises Aside where a later
    entry tells all that this one would, and where an earlier one is still on its way.
    """
    same, wrong = {entry.resource_id}, frozenset[str]()
    if route.kind != "response":
        same |= {one.id for one, _ in of_one_visit(site, stored, entry.patient)}
        wrong = in_error_of_one_visit(site, stored, entry.patient) - same
    visit = [one for one in others if one.resource_id in same | wrong]
    tells = [one for one in visit if _replaces(route) or one.resource_id in same]
    _must_be_the_last(entry, tells)
    for one in visit:
        on_its_way = one.state in ("sending", "unknown") or (
            one.state in OPEN and one.leased_until is not None and one.number < entry.number
        )
        if on_its_way:
            raise Aside("due", "one-before")
    done = [one for one in visit if one.state == "delivered" and one.ehr_id]
    gone = {one.ehr_id for one in done if one.reason == "withdrawn"}
    filed = [one for one in done if one.ehr_id not in gone]
    return max(filed, key=lambda one: (one.finished or one.created, one.number), default=None)


def _replaces(route: Route) -> bool:
    """Whether a note of this route says which one it replaces, so that no person has to."""
    return route.replacement == "relates-to" and route.kind != "response"


def as_it_was_sent(site: Site, stored: Stored) -> Stored:
    """The response with the time of its last version that was sent, which tells its visit."""
    for version in site.desk.reading().history(TYPE, stored.id, before_version=stored.version):
        if not version.deleted and skim(version.body, MOST_ITEM_LEVELS).status in SENT:
            return replace(stored, last_updated=version.last_updated)
    return stored


def left_to_tell(
    site: Site,
    others: Sequence[Entry],
    entry: Entry,
    was: Stored,
    before: Entry | None,
    route: Route,
) -> Stored | None:
    """A response of the visit that is still true, when ``was`` was entered in error; or None.

    A note of it replaces the one that told both. Raises Aside where the chart has all of that
    already, and where a person has to take the wrong one out.
    """
    if route.kind == "response":
        return None
    left = [one for one, _ in of_one_visit(site, was, entry.patient) if one.id != was.id]
    if not left and before is not None and before.resource_id != was.id:
        other = site.desk.reading().read(TYPE, before.resource_id)
        if other is not None and not other.deleted:
            visit = of_one_visit(site, other, entry.patient)
            left = [one for one, said in visit if one.id != was.id and said.status in SENT]
    if not left:
        return None
    owed = [one.created for one in others if one.resource_id == entry.resource_id]
    told = (
        before is not None and owed and (before.finished is None or before.finished >= min(owed))
    )
    if not told and (not _replaces(route) or _all_filed(others, left)):
        raise Aside("superseded", "nothing-was-filed")
    if not _replaces(route):
        raise Aside("refused", "withdraw-by-hand")
    return left[0]


def _all_filed(others: Sequence[Entry], left: Sequence[Stored]) -> bool:
    """Whether the newest entry of each of these was delivered: then nothing of them is owed."""
    newest = {one.resource_id: one.state for one in others}
    return all(newest.get(one.id, "delivered") == "delivered" for one in left)


def _must_be_the_last(entry: Entry, visit: Sequence[Entry]) -> None:
    """Raise Aside where a later entry of the visit is to be sent, or was: it tells this too."""
    for one in visit:
        later = one.number > entry.number
        newer = one.resource_id == entry.resource_id and (
            one.resource_version > entry.resource_version
        )
        waits = one.state in OPEN or (one.state == "delivered" and one.reason != "withdrawn")
        if (newer or later) and waits and entry.released is None:
            raise Aside("superseded", "told-by-a-later-one")
