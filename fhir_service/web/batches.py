"""POST [base]: a batch, each entry by itself; or a transaction, all of it or nothing.

http://hl7.org/fhir/R4/http.html#transaction
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import msgspec
from flask import Flask, Response, request

from fhir_service.fhir.issues import Conflict, Refusal
from fhir_service.web.carrying_out import answered, carry_out, interaction, refused, told
from fhir_service.web.entries import (
    Entry,
    in_order,
    linked,
    links_of,
    must_be_distinct,
    read_entries,
)
from fhir_service.web.errors import status_of
from fhir_service.web.guard import caller
from fhir_service.web.negotiation import Prefer, read_prefer
from fhir_service.web.receiving import body, choose_format
from fhir_service.web.replies import json_reply
from fhir_service.web.writing import condition_of
from fhir_service.workflow import telling
from fhir_service.workflow.caller import Caller, Trail
from fhir_service.workflow.forms import Forms
from fhir_service.workflow.ports import Reader, Record, Told
from fhir_service.workflow.site import Site

T = TypeVar("T")

_FAILED = 500


def register(app: Flask, site: Site) -> None:
    """Add the route."""
    base = f"{site.base_url}/fhir"

    def view() -> Response:
        choose_format()
        prefer = read_prefer(request.environ.get("HTTP_PREFER"))
        kind, entries = read_entries(body(), base, site.max_json_depth)
        do = batch if kind == "batch" else transaction
        return json_reply(answered(kind, do(site, caller(), entries, prefer)))

    app.add_url_rule("/fhir", "batch", view, methods=("POST",))


def batch(site: Site, asks: Caller, entries: Sequence[Entry], prefer: Prefer) -> list[bytes]:
    """What came of each entry, in the order they were sent; one refused leaves the others be."""
    base = f"{site.base_url}/fhir"
    made: dict[int, bytes] = {}
    for entry in in_order(entries):
        one = _apart(asks)
        try:
            done = carry_out(site, one, entry, strict=prefer.strict)
        except Refusal as refusal:
            failed = status_of(refusal) >= _FAILED
            about = (entry.kind, entry.id)
            key = refusal.issues[0].key
            telling.note(
                site,
                one,
                interaction(entry),
                outcome="8" if failed else "4",
                reason=key,
                about=about,
            )
            made[entry.number] = refused(refusal)
            continue
        _note(site, one, entry)
        made[entry.number] = told(done, entry, base, prefer.wants)
    return [made[number] for number in sorted(made)]


def transaction(site: Site, asks: Caller, entries: Sequence[Entry], prefer: Prefer) -> list[bytes]:
    """What came of each entry, in the order they were sent; or the refusal of the first refused.

    Raises it with the place of the entry; then nothing of the whole Bundle is stored.
    """
    must_be_distinct(entries)
    base = f"{site.base_url}/fhir"
    defines_forms = any(e.kind == "Questionnaire" and e.method != "GET" for e in entries)

    def work(record: Record) -> list[bytes]:
        inner = replace(
            site,
            desk=_Within(record, site),
            forms=Forms(site.clock) if defines_forms else site.forms,
            terminology=None,  # nobody outside is waited for while the record is held
        )
        ids = {e.number: site.ids.new() for e in entries if e.method == "POST"}
        places = _places(inner, asks, entries, ids)
        made: dict[int, bytes] = {}
        for entry in in_order(entries):
            one = _apart(asks)
            named = (
                replace(inner, ids=_Chosen(ids[entry.number])) if entry.number in ids else inner
            )
            with _placed(entry):
                done = carry_out(named, one, linked(entry, places), strict=prefer.strict)
                if done.stored is not None:
                    _must_lie_there(entry, done.stored.id, places, entries)
            _note(inner, one, entry)
            made[entry.number] = told(done, entry, base, prefer.wants)
        return [made[number] for number in sorted(made)]

    return site.desk.write(work)


def _places(
    site: Site, asks: Caller, entries: Sequence[Entry], ids: dict[int, str]
) -> dict[str, str]:
    """Where the resource of each fullUrl will lie: its new id, or that of what it matches."""
    places: dict[str, str] = {}
    for entry in entries:
        if entry.full_url is None or not entry.full_url.startswith("urn:"):
            continue
        id_ = ids.get(entry.number) or entry.id
        with _placed(entry):
            condition = condition_of(site, asks, entry.kind, entry.if_none_exist, entry.pairs)
            there = condition.match(site.desk.reading()) if condition else None
        id_ = there.id if there is not None else id_
        if id_ is not None:
            places[entry.full_url] = f"{entry.kind}/{id_}"
    return places


def _must_lie_there(
    entry: Entry, id_: str, places: dict[str, str], entries: Sequence[Entry]
) -> None:
    """Refuse where a link was made to a place at which the resource does not lie after all."""
    place = places.get(entry.full_url or "")
    if place in (None, f"{entry.kind}/{id_}"):
        return
    if any(entry.full_url in links_of(other) for other in entries):
        raise Conflict("What this entry would create is here already, under another id.")


def _apart(asks: Caller) -> Caller:
    """The caller, whose entries leave each its own line in the audit."""
    return replace(asks, trail=Trail(address=asks.trail.address, user=asks.trail.user))


def _note(site: Site, one: Caller, entry: Entry) -> None:
    if not one.trail.told:
        telling.note(site, one, interaction(entry), about=(entry.kind, entry.id))


class _placed:  # noqa: N801  read as a word: with _placed(entry)
    """Tells a refusal within which entry it came from."""

    def __init__(self, entry: Entry) -> None:
        self._entry = entry

    def __enter__(self) -> None:
        """Nothing to do."""

    def __exit__(self, kind: object, refusal: BaseException | None, trace: object) -> None:
        """Put the place of the entry before that of each finding."""
        if not isinstance(refusal, Refusal):
            return
        number, where = self._entry.number, self._entry.where
        root = f"{self._entry.kind}."
        refusal.issues = tuple(
            msgspec.structs.replace(
                issue,
                expression=f"{where}.resource.{issue.expression.removeprefix(root)}"
                if issue.expression and issue.expression.startswith(root)
                else where,
                says=f"Entry {number}: {issue.says}",
            )
            for issue in refusal.issues
        )


@dataclass(frozen=True, slots=True)
class _Chosen:
    """Ids, where the next one is known already."""

    id: str

    def new(self) -> str:
        """That one."""
        return self.id


class _Within:
    """The record within one transaction: what is written is read again, and nothing is final."""

    def __init__(self, record: Record, site: Site) -> None:
        self._record = record
        self._site = site

    def reading(self) -> Reader:
        """The transaction itself."""
        return self._record

    def offers_forms(self) -> bool:
        """As Desk says."""
        return self._site.desk.offers_forms()

    def write(self, work: Callable[[Record], T]) -> T:
        """In this transaction."""
        return work(self._record)

    def note(self, *told: Told) -> None:
        """In this transaction."""
        for line in told:
            self._record.tell(line)
