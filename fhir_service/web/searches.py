"""A search, and a history, as the Bundle that answers it; by itself or as an entry of a batch.

http://hl7.org/fhir/R4/http.html#search and http://hl7.org/fhir/R4/http.html#history
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

from fhir_service.fhir.dates import moment, span
from fhir_service.fhir.issues import NotUnderstood
from fhir_service.fhir.searching import Page, read_search
from fhir_service.web import bundles
from fhir_service.web.auditing import withheld
from fhir_service.web.paging import CURSOR, links, opened
from fhir_service.workflow import read as reading
from fhir_service.workflow.caller import Caller
from fhir_service.workflow.including import included
from fhir_service.workflow.ports import Stored
from fhir_service.workflow.site import Site

Pairs = Sequence[tuple[str, str]]

DEFAULT_COUNT: Final = 50
MAX_COUNT: Final = 200
ABOUT_THE_ANSWER: Final = frozenset({"_format", "_pretty"})

_COUNT = re.compile(r"[0-9]{1,9}")


def search(site: Site, caller: Caller, kind: str, asked: Pairs, *, strict: bool = False) -> bytes:
    """The searchset. Raises NotAllowed, and NotUnderstood; ``strict`` about unknown parameters."""
    pairs = without(asked, ABOUT_THE_ANSWER)
    caller.trail.query = withheld(kind, pairs)
    caller.must(kind, "s")
    base = f"{site.base_url}/fhir"
    address = f"{base}/{kind}"
    search_, ignored = read_search(
        kind, pairs, default_count=DEFAULT_COUNT, max_count=MAX_COUNT, bases=(base,)
    )
    must_know(ignored, strict=strict)
    known = without(pairs, frozenset(ignored))
    search_ = replace(search_, cursor=opened(site, address, known))
    page = reading.search(site, caller, search_)
    more = included(site, caller, page.found, search_.shape)
    used = [(n, str(search_.count) if n == "_count" else value) for n, value in known]
    return bundles.searchset(page, base, links(site, address, used, page), more, search_.shape)


def history(
    site: Site, caller: Caller, kind: str, id_: str, asked: Pairs, *, strict: bool = False
) -> bytes:
    """The versions of one resource, newest first. Raises NotAllowed, NotHere, NotUnderstood."""
    address = f"{site.base_url}/fhir/{kind}/{id_}/_history"
    used, count = _of_history(asked, ("_count", CURSOR), strict)
    cursor = opened(site, address, used)
    before = number(cursor, CURSOR) if cursor is not None else None
    page = reading.history(site, caller, kind, id_, count, before)
    return _as_history(site, address, used, page)


def changes(
    site: Site,
    caller: Caller,
    kinds: Sequence[str],
    place: str,
    asked: Pairs,
    *,
    strict: bool = False,
) -> bytes:
    """The versions of these types, newest first: history of a type, or of all ("").

    Raises NotAllowed, NotUnderstood.
    """
    address = f"{site.base_url}/fhir{place}/_history"
    used, count = _of_history(asked, ("_count", "_since", CURSOR), strict)
    cursor = opened(site, address, used)
    since = _instant(dict(used).get("_since"))
    page = reading.changes(site, caller, kinds, count, since, cursor)
    return _as_history(site, address, used, page)


def _instant(text: str | None) -> datetime | None:
    """A moment, with its zone; a date alone begins in UTC. Raises NotUnderstood."""
    if text is None:
        return None
    try:
        return moment(span(text.replace(" ", "+")).low)
    except ValueError:
        raise NotUnderstood("_since takes a moment such as 2026-03-15T10:00:00Z.") from None


def _of_history(
    asked: Pairs, known: Collection[str], strict: bool
) -> tuple[list[tuple[str, str]], int]:
    """The parameters that are used, and how many versions a page has."""
    pairs = without(asked, ABOUT_THE_ANSWER)
    ignored = tuple(name for name, _ in pairs if name not in known)
    must_know(ignored, strict=strict)
    used = without(pairs, frozenset(ignored))
    given = dict(used).get("_count")
    return used, DEFAULT_COUNT if given is None else min(number(given, "_count"), MAX_COUNT)


def _as_history(site: Site, address: str, used: Pairs, page: Page[Stored]) -> bytes:
    base = f"{site.base_url}/fhir"
    return bundles.history(page, base, links(site, address, used, page))


def must_know(ignored: Sequence[str], *, strict: bool) -> None:
    """Refuse parameters that are not known here, when the caller asks for strictness.

    http://hl7.org/fhir/R4/search.html#errors
    """
    if ignored and strict:
        names = ", ".join(dict.fromkeys(ignored))
        raise NotUnderstood(f"Unknown parameters: {names}. Known ones stand in /fhir/metadata.")


def number(text: str, name: str) -> int:
    """A whole number from 0. Raises NotUnderstood."""
    if not _COUNT.fullmatch(text):
        raise NotUnderstood(f"{name} is a whole number.")
    return int(text)


def without(pairs: Pairs, names: Collection[str]) -> list[tuple[str, str]]:
    """The pairs but those of these names."""
    return [pair for pair in pairs if pair[0] not in names]
