"""date, dateTime and instant at their own precision, as half-open ranges of time in UTC.

http://hl7.org/fhir/R4/datatypes.html#dateTime and http://hl7.org/fhir/R4/search.html#date
"""

from __future__ import annotations

import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Literal, cast, get_args

Prefix = Literal["eq", "ne", "gt", "lt", "ge", "le", "sa", "eb", "ap"]

MICROSECONDS = 1_000_000
DAY = 86_400 * MICROSECONDS

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_DAY = date(1970, 1, 1).toordinal()
_SHAPE = re.compile(
    r"(?P<year>[0-9]{4})(?:-(?P<month>[0-9]{2})(?:-(?P<day>[0-9]{2})"
    r"(?:T(?P<hour>[0-9]{2}):(?P<minute>[0-9]{2})(?::(?P<second>[0-9]{2})(?:\.(?P<part>[0-9]+))?)?"
    r"(?P<zone>Z|[+-][0-9]{2}:[0-9]{2})?)?)?)?"
)
_LAST_HOUR, _LAST_MINUTE, _LAST_SECOND, _WIDEST_ZONE_MINUTES = 24, 60, 61, 14 * 60
_DIGITS_KEPT = 6


@dataclass(frozen=True, slots=True)
class Span:
    """A range of time: from ``low`` up to and without ``high``.

    Both in microseconds since 1970-01-01T00:00:00Z, so that year 9999 has an end too.
    """

    low: int
    high: int


def microseconds(moment: datetime) -> int:
    """The moment in microseconds since 1970 in UTC. Raises ValueError for a time without zone."""
    if moment.tzinfo is None:
        raise ValueError("a time without a zone")
    return (moment - _EPOCH) // timedelta(microseconds=1)


def moment(microseconds_: int) -> datetime:
    """The moment in UTC, of microseconds since 1970."""
    return _EPOCH + timedelta(microseconds=microseconds_)


def span(text: str) -> Span:
    """What a date, dateTime or instant covers, at the precision it was written in.

    2024-03 is the whole of March, 10:00:12 the whole second. Where no zone is written it is
    UTC. Minutes without seconds are read as well, as searches may have them. A leap second is
    the second after 59. Raises ValueError for what is none of these.
    """
    match = _SHAPE.fullmatch(text)
    if match is None:
        raise ValueError("not a date of FHIR")
    year = int(match["year"])
    if not year:
        raise ValueError("there is no year 0")
    if match["day"] is None:
        return _of_month_or_year(year, match["month"])
    day = date(year, int(match["month"]), int(match["day"]))
    midnight = (day.toordinal() - _EPOCH_DAY) * DAY
    if match["hour"] is None:
        return Span(midnight, midnight + DAY)
    return _of_time(midnight, match)


def _of_month_or_year(year: int, month: str | None) -> Span:
    first = date(year, int(month or 1), 1)
    last = date(year, int(month or 12), monthrange(year, int(month or 12))[1])
    low = (first.toordinal() - _EPOCH_DAY) * DAY
    return Span(low, (last.toordinal() - _EPOCH_DAY + 1) * DAY)


def _of_time(midnight: int, match: re.Match[str]) -> Span:
    hour, minute, second = int(match["hour"]), int(match["minute"]), int(match["second"] or 0)
    if hour >= _LAST_HOUR or minute >= _LAST_MINUTE or second >= _LAST_SECOND:
        raise ValueError("there is no such time of day")
    low = midnight + ((hour * 60 + minute) * 60 + second) * MICROSECONDS
    low -= _zone_minutes(match["zone"]) * 60 * MICROSECONDS
    if match["second"] is None:
        return Span(low, low + 60 * MICROSECONDS)
    if match["part"] is None:
        return Span(low, low + MICROSECONDS)
    part = match["part"][:_DIGITS_KEPT]
    width = int(10 ** (_DIGITS_KEPT - len(part)))
    low += int(part) * width
    return Span(low, low + width)


def _zone_minutes(zone: str | None) -> int:
    if zone in (None, "Z"):
        return 0
    minutes = int(zone[1:3]) * 60 + int(zone[4:6])
    if minutes > _WIDEST_ZONE_MINUTES or int(zone[4:6]) >= _LAST_MINUTE:
        raise ValueError("there is no such time zone")
    return -minutes if zone[0] == "-" else minutes


def searched(text: str) -> tuple[Prefix, Span]:
    """A date as searches write it: prefix (eq where none is written) and range.

    A ``+`` of the zone that an address turned into a blank is read as the ``+`` it was.
    ``ap`` widens the range by its own length on both sides: 2026-03 about is February to April.
    Raises ValueError. http://hl7.org/fhir/R4/search.html#prefix
    """
    prefix, rest = ("eq", text) if text[:1].isdigit() else (text[:2], text[2:])
    if prefix not in get_args(Prefix):
        raise ValueError("not a prefix of a search")
    found = span(rest.replace(" ", "+"))
    if prefix == "ap":
        width = found.high - found.low
        found = Span(found.low - width, found.high + width)
    return cast("Prefix", prefix), found
