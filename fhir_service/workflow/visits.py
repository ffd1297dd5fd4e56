"""Which responses belong to one visit.

The same groupIdentifier of their Tasks, else the same encounter, else the same patient, within
the days that the site counts as one visit.
"""

from __future__ import annotations

from collections.abc import Container, Iterator
from datetime import UTC, datetime, timedelta

from fhir_service.fhir.reading import MOST_ITEM_LEVELS, read_stored
from fhir_service.sdc.responses import Response, skim
from fhir_service.sdc.solicitation import read_task
from fhir_service.workflow.ports import Reader, Stored
from fhir_service.workflow.site import Site

SENT = ("completed", "amended")
_MOST = 100
_MOST_EARLIER = 30
_MOST_LOOKED_AT = 300
FIRST, LAST = datetime(1970, 1, 1, tzinfo=UTC), datetime(9999, 1, 1, tzinfo=UTC)

TYPE = "QuestionnaireResponse"


def of_one_visit(
    site: Site, asked: Stored, patient: str | None
) -> tuple[tuple[Stored, Response], ...]:
    """``asked`` first, then the newest sent response to each other form of the same visit.

    ``patient`` narrows the record as the caller's reach does.
    """
    reader = site.desk.reading()
    groups = _groups(reader, asked, patient)
    first = skim(asked.body, MOST_ITEM_LEVELS)
    found = [(asked, first)]
    seen = {_url(first)}
    for stored, response in _near(reader, site, asked, patient):
        together = _grouped(groups, asked.id, stored.id)
        if together is None:
            together = _same_encounter(first, response)
        if _url(response) in seen or not together:
            continue
        seen.add(_url(response))
        found.append((stored, response))
    return tuple(found)


def in_error_of_one_visit(site: Site, asked: Stored, patient: str | None) -> frozenset[str]:
    """The ids of the responses to other forms of the same visit that were entered in error.

    They are told no more; but the chart may have a note, filed for one of them, that tells both.
    """
    if asked.patient is None or patient not in (None, asked.patient):
        return frozenset()
    reader = site.desk.reading()
    groups = _groups(reader, asked, patient)
    first = skim(asked.body, MOST_ITEM_LEVELS)
    days = timedelta(days=site.visit_days)
    times = (asked.last_updated - days, asked.last_updated + days)
    found = set()
    for stored in reader.stored_between(TYPE, asked.patient, *times, _MOST_LOOKED_AT):
        response = skim(stored.body, MOST_ITEM_LEVELS)
        if response.status != "entered-in-error" or _url(response) == _url(first):
            continue
        together = _grouped(groups, asked.id, stored.id)
        if _same_encounter(first, response) if together is None else together:
            found.add(stored.id)
    return frozenset(found)


def earlier(
    site: Site, asked: Stored, visit: Container[str], patient: str | None
) -> list[tuple[Stored, Response]]:
    """The patient's sent responses from before this visit, the newest ``_MOST_EARLIER``."""
    if asked.patient is None:
        return []
    if patient not in (None, asked.patient):
        return []
    last = asked.last_updated - timedelta(milliseconds=1)
    return _sent(site.desk.reading(), asked.patient, (FIRST, last), _MOST_EARLIER, visit)


def _near(
    reader: Reader, site: Site, asked: Stored, patient: str | None
) -> Iterator[tuple[Stored, Response]]:
    """The patient's other sent responses, stored within the days of a visit, newest first."""
    if asked.patient is None or patient not in (None, asked.patient):
        return
    days = timedelta(days=site.visit_days)
    low, high = asked.last_updated - days, asked.last_updated + days
    yield from _sent(reader, asked.patient, (low, high), _MOST, {asked.id})


def _sent(
    reader: Reader,
    patient: str,
    times: tuple[datetime, datetime],
    count: int,
    without: Container[str],
) -> list[tuple[Stored, Response]]:
    """The patient's sent responses that were last stored within these times, newest first."""
    found = []
    for stored in reader.stored_between(TYPE, patient, *times, _MOST_LOOKED_AT):
        if stored.id in without:
            continue
        response = skim(stored.body, MOST_ITEM_LEVELS)
        if response.status in SENT:
            found.append((stored, response))
            if len(found) == count:
                break
    return found


def _groups(reader: Reader, asked: Stored, patient: str | None) -> dict[str, tuple[str, str]]:
    """The visit (groupIdentifier) of each response that was asked for by a Task with one."""
    if asked.patient is None:
        return {}
    if patient not in (None, asked.patient):
        return {}
    found: dict[str, tuple[str, str]] = {}
    for stored in reader.stored_between("Task", asked.patient, FIRST, LAST, _MOST_LOOKED_AT):
        told = read_task(read_stored(stored.body))
        if told.response is not None and told.group is not None:
            found.setdefault(told.response, told.group)
    return found


def _grouped(groups: dict[str, tuple[str, str]], one: str, two: str) -> bool | None:
    """Whether both belong to one visit by their Tasks; None where their Tasks do not say."""
    if one not in groups or two not in groups:
        return None
    return groups[one] == groups[two]


def _url(response: Response) -> str:
    return (response.questionnaire or "").partition("|")[0]


def _same_encounter(one: Response, two: Response) -> bool:
    """False only where both name an encounter, and another one."""
    encounters = {one.encounter_reference, two.encounter_reference} - {None}
    return len(encounters) < 2  # noqa: PLR2004  # two different ones
