"""Conditional create and update: only if nothing matches, whoever else asks at the same moment.

Requests with the same condition meet at a key in the store; the second looks after the first has
stored. http://hl7.org/fhir/R4/http.html#ccreate and http://hl7.org/fhir/R4/http.html#cond-update
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import TypeVar

from fhir_service.fhir.issues import NotUnderstood, Stale
from fhir_service.fhir.narrowing import narrowed
from fhir_service.fhir.searching import Search, read_search
from fhir_service.workflow.caller import Caller, within
from fhir_service.workflow.ports import Desk, Reader, Record, Stored, Told
from fhir_service.workflow.site import Site
from fhir_service.workflow.telling import Kept, saw

T = TypeVar("T")
Pairs = Sequence[tuple[str, str]]

_SHAPING = (
    "_count",
    "_sort",
    "_total",
    "_summary",
    "_elements",
    "_include",
    "_revinclude",
    "_cursor",
)


class _Matched(Exception):
    """Something matched by the time that it was our turn."""

    def __init__(self, stored: Stored) -> None:
        super().__init__()
        self.stored = stored


@dataclass(frozen=True, slots=True)
class Condition:
    """What must not be there yet, as this caller may see it."""

    search: Search
    patient: str | None
    key: str

    def match(self, reader: Reader) -> Stored | None:
        """The one resource that matches, or None. Raises Stale (412) when several do."""
        found = reader.search(self.search, self.patient).found
        if len(found) > 1:
            raise Stale("More than one resource matches the condition, so it is not clear which.")
        return found[0] if found else None


def condition(site: Site, caller: Caller, kind: str, pairs: Pairs) -> Condition:
    """The condition that these search parameters are.

    Raises NotAllowed for a caller that may not search, NotUnderstood for parameters that are not
    known or say only how a result should look: a condition is never guessed.
    """
    reach = caller.must(kind, "s", "r")
    base = f"{site.base_url}/fhir"
    search, ignored = read_search(kind, pairs, default_count=2, bases=(base,))
    wrong = [*ignored, *(name for name, _ in pairs if name in _SHAPING)]
    if wrong or not search.criteria:
        names = ", ".join(dict.fromkeys(wrong)) or "nothing"
        raise NotUnderstood(f"A condition is made of search parameters of {kind}, not of {names}.")
    patient = within(kind, reach)
    said = repr((kind, patient, sorted((name, value) for name, value in pairs)))
    key = sha256(said.encode()).hexdigest()
    return Condition(narrowed(replace(search, count=2), reach.only), patient, key)


def create(site: Site, caller: Caller, asked: Condition, make: Callable[[Site], Kept]) -> Kept:
    """What ``make`` stores when nothing matches; else the one that does, unchanged.

    Raises Stale (412) when several match, and what ``make`` raises.
    """
    there = asked.match(site.desk.reading())
    if there is None:
        try:
            return make(replace(site, desk=_Guarded(site.desk, asked)))
        except _Matched as matched:
            there = matched.stored
    saw(caller, there)
    return Kept(there, created=False, changed=False)


class _Guarded:
    """The record, where each write first looks whether the condition still holds."""

    def __init__(self, desk: Desk, asked: Condition) -> None:
        self._desk = desk
        self._asked = asked

    def reading(self) -> Reader:
        """As Desk says."""
        return self._desk.reading()

    def offers_forms(self) -> bool:
        """As Desk says."""
        return self._desk.offers_forms()

    def note(self, *told: Told) -> None:
        """As Desk says."""
        self._desk.note(*told)

    def write(self, work: Callable[[Record], T]) -> T:
        """As Desk says; nothing is stored when something matches by now."""

        def guarded(record: Record) -> T:
            record.claim(self._asked.key)
            there = self._asked.match(record)
            if there is not None:
                raise _Matched(there)
            return work(record)

        return self._desk.write(guarded)
