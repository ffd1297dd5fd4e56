"""Observation-based population: the newest Observation that a question's code stands for.

https://hl7.org/fhir/uv/sdc/STU4/populate.html#observation-based-population
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import quote

from fhir_service.fhir.dates import microseconds, span
from fhir_service.fhir.fhirpath import Node
from fhir_service.fhir.fhirpath.nodes import members
from fhir_service.fhir.places import objects
from fhir_service.sdc.items import Item

Json = Mapping[str, Any]

_STATUSES: Final = ("final", "amended", "corrected")
_ASKED_FOR: Final = 20
_DAYS: Final[Mapping[str, float]] = {
    "a": 365.25, "mo": 30.4375, "wk": 7, "d": 1, "h": 1 / 24, "min": 1 / 1440, "s": 1 / 86_400,
}  # fmt: skip
"""UCUM's units of time in days, its year and month being the Julian ones."""
_MOST_DAYS: Final = 365_000


def since(period: Json, now: datetime) -> datetime | None:
    """The moment that a period before now begins; None for one that can not be read."""
    days = _DAYS.get(str(period.get("code", period.get("unit"))))
    try:
        length = float(period["value"]) * (days or 0)
    except (KeyError, TypeError, ValueError):
        return None
    if not days or length < 0:
        return None
    years = now.year - 1
    return now - timedelta(days=min(length, _MOST_DAYS, years * 365))


def query(item: Item, subject: str, after: datetime) -> str:
    """The search for the Observations that a question's codes stand for, newest first."""
    codes = ",".join(
        quote("|".join(part for part in (one.get("system"), one.get("code")) if part), safe="/:|")
        for one in item.codes
    )
    return (
        f"Observation?subject={quote(subject, safe='/:')}&code={codes}"
        f"&status={','.join(_STATUSES)}&date=ge{after.date().isoformat()}"
        f"&_sort=-date&_count={_ASKED_FOR}"
    )


def matching(
    item: Item, observations: Iterable[Node], after: datetime, now: datetime, subject: str | None
) -> list[Node]:
    """Those that may answer, newest first; of the same moment the one that came first."""
    found = [
        (when, one)
        for one in observations
        if _counts(one.value, subject)
        and coded(one.value.get("code"), item.codes)
        and (when := _when(one.value)) is not None
        and microseconds(after) <= when <= microseconds(now + timedelta(days=1))
    ]
    found.sort(key=lambda pair: -pair[0])
    return [one for _, one in found]


def _counts(observation: Json, subject: str | None) -> bool:
    """Whether it is final, about the subject, and about nobody and nothing else."""
    about = _ids(observation.get("subject"))
    focus = [_ids(one) for one in objects(observation.get("focus"))]
    own = {subject} if subject is not None else about
    return (
        observation.get("status") in _STATUSES
        and (subject is None or not about or about == own)
        and all(one == own for one in focus)
    )


def _ids(reference: Any) -> set[str]:
    """Type/id of a reference, in a set; an empty one where it names none."""
    text = reference.get("reference") if isinstance(reference, Mapping) else None
    if not isinstance(text, str):
        return set()
    return {"/".join(text.partition("/_history/")[0].split("/")[-2:])}


def coded(concept: Any, codes: Iterable[Json]) -> bool:
    """Whether a CodeableConcept has one of these codes."""
    given = objects(concept.get("coding")) if isinstance(concept, Mapping) else []
    held = [(one.get("system"), one.get("code")) for one in given]
    return any((one.get("system"), one.get("code")) in held for one in codes)


def _when(observation: Json) -> int | None:
    """The end of what it covers, in microseconds since 1970; None without a time."""
    period = observation.get("effectivePeriod")
    ends = period if isinstance(period, Mapping) else {}
    for text in (
        observation.get("effectiveDateTime"),
        observation.get("effectiveInstant"),
        ends.get("end"),
        ends.get("start"),
        observation.get("issued"),
    ):
        if isinstance(text, str):
            try:
                return span(text).low
            except ValueError:
                continue
    return None


def values(holder: Node) -> list[Any]:
    """value[x] of an Observation or a component, as the engine's items."""
    found: list[Any] = []
    members(holder, "value", found)
    return found


def components(observation: Node, item: Item) -> list[Node]:
    """The components that a question's codes stand for."""
    found: list[Node] = []
    members(observation, "component", found)
    return [
        one
        for one in found
        if isinstance(one.value, Mapping) and coded(one.value.get("code"), item.codes)
    ]


def reachable(observation: Node, known: Iterable[Node]) -> list[Node]:
    """The Observations that are members of this one, as far as they are known."""
    wanted = {text for one in objects(observation.value.get("hasMember")) for text in _ids(one)}
    return [one for one in known if f"Observation/{one.value.get('id')}" in wanted]


def observations_in(items: Iterable[Any]) -> Iterator[Node]:
    """The Observations among these resources, and in Bundles among them."""
    for item in items:
        if not isinstance(item, Node):
            continue
        type_ = item.value.get("resourceType") if isinstance(item.value, Mapping) else None
        if type_ == "Observation":
            yield item
        elif type_ == "Bundle":
            entries: list[Any] = []
            members(item, "entry", entries)
            for entry in entries:
                inner: list[Any] = []
                members(entry, "resource", inner)
                yield from observations_in(inner)
