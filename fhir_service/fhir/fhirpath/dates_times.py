"""Date, DateTime and Time at the precision they were written in: read, compare, write.

http://hl7.org/fhirpath/N1/#datetime-equality and http://hl7.org/fhirpath/N1/#datetime-comparison
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Final, Literal

TemporalType = Literal["Date", "DateTime", "Time"]
Parts = tuple[int | Decimal, ...]

YEAR, MONTH, DAY, HOUR, MINUTE, SECOND = range(1, 7)
"""Precision: how many parts are known. Fractions of a second belong to the second."""

LAST_YEAR: Final = 9999
_WIDEST_ZONE: Final = 14 * 60
_LONGEST_FRACTION: Final = 9

_CLOCK = r"(?P<hour>[0-9]{2})(?::(?P<minute>[0-9]{2})(?::(?P<second>[0-9]{2}(?:\.[0-9]+)?))?)?"
_TIME = re.compile(rf"T?{_CLOCK}")
_MOMENT = re.compile(
    r"(?P<year>[0-9]{4})(?:-(?P<month>[0-9]{2})(?:-(?P<day>[0-9]{2}))?)?"
    rf"(?P<t>T(?:{_CLOCK}(?P<zone>Z|[+-][0-9]{{2}}:[0-9]{{2}})?)?)?"
)


@dataclass(frozen=True, slots=True)
class Temporal:
    """A Date, DateTime or Time; ``parts`` from the year (of a Time: the hour) as far as known.

    The second is a Decimal with the digits that were written. ``zone`` is the offset from UTC in
    minutes, None where none was written.
    """

    type: TemporalType
    parts: Parts
    zone: int | None = None

    @property
    def precision(self) -> int:
        """How many parts are known, counted from the year; a Time of hours has four."""
        return len(self.parts) + (DAY if self.type == "Time" else 0)

    def written(self) -> str:
        """As FHIR writes it: ``2024-03``, ``2024-03-01T10:00:00+01:00``, ``10:30:00``."""
        told = list(self.parts)
        if self.type == "Time":
            return ":".join(_two(part) for part in told)
        text = "-".join([f"{told[0]:04d}", *(_two(part) for part in told[1:DAY])])
        if len(told) > DAY:
            text += "T" + ":".join(_two(part) for part in told[DAY:])
        return text + zone_text(self.zone)


def _two(part: int | Decimal) -> str:
    if isinstance(part, int):
        return f"{part:02d}"
    whole, point, rest = f"{part:f}".partition(".")
    return whole.zfill(2) + point + rest


def zone_text(zone: int | None) -> str:
    """An offset in minutes as FHIR writes it; nothing for None."""
    if zone is None:
        return ""
    if zone == 0:
        return "Z"
    hours, minutes = divmod(abs(zone), 60)
    return f"{'-' if zone < 0 else '+'}{hours:02d}:{minutes:02d}"


def read_time(text: str) -> Temporal | None:
    """The Time that the text says (``10:30``, ``T10:30``); None when it says none."""
    match = _TIME.fullmatch(text)
    if match is None:
        return None
    parts = _clock_parts(match)
    return None if parts is None else Temporal("Time", parts)


def read_moment(text: str, as_type: TemporalType | None = None) -> Temporal | None:
    """The Date or DateTime that the text says, or None.

    Without ``as_type`` it is a DateTime where a ``T`` is written. With ``as_type`` "Date" a text
    with a time of day says none; with "DateTime" a day alone is one.
    """
    match = _MOMENT.fullmatch(text)
    if match is None or (match["t"] and as_type == "Date"):
        return None
    parts: Parts = tuple(int(match[key]) for key in ("year", "month", "day") if match[key])
    if not _is_day(parts):
        return None
    if match["hour"]:
        clock = _clock_parts(match)
        if clock is None or len(parts) < DAY:
            return None
        parts += clock
    zone = _zone(match["zone"])
    if zone is not None and abs(zone) > _WIDEST_ZONE:
        return None
    return Temporal(as_type or ("DateTime" if match["t"] else "Date"), parts, zone)


def _is_day(parts: Parts) -> bool:
    try:
        date(*(int(part) for part in (*parts, 1, 1)[:DAY]))
    except ValueError:
        return False
    return True


def _clock_parts(match: re.Match[str]) -> Parts | None:
    hour, minute, second = match["hour"], match["minute"], match["second"]
    if int(hour) > 23 or int(minute or 0) > 59 or Decimal(second or 0) >= 61:  # noqa: PLR2004
        return None
    parts: list[int | Decimal] = [int(hour)]
    if minute is not None:
        parts.append(int(minute))
    if second is not None:
        parts.append(Decimal(second[: 3 + _LONGEST_FRACTION]))
    return tuple(parts)


def _zone(text: str | None) -> int | None:
    if text is None:
        return None
    if text == "Z":
        return 0
    minutes = int(text[1:3]) * 60 + int(text[4:6])
    return -minutes if text[0] == "-" else minutes


def of_datetime(moment: datetime) -> Temporal:
    """A moment with its zone as DateTime, to the millisecond."""
    offset = moment.utcoffset()
    if offset is None:
        raise ValueError("a time without a zone")
    second = Decimal(f"{moment.second}.{moment.microsecond // 1000:03d}")
    parts = (moment.year, moment.month, moment.day, moment.hour, moment.minute, second)
    return Temporal("DateTime", parts, int(offset.total_seconds()) // 60)


def compare(left: Temporal, right: Temporal) -> int | None:
    """-1, 0 or 1 as left is before, at or after right; None where precision leaves it open.

    Both must be times of day, or neither. Where one has an offset from UTC and the other has
    none, and both have a time of day, it is open.
    """
    if min(left.precision, right.precision) > DAY and (left.zone is None) != (right.zone is None):
        return None
    one, other = _comparable(left, right)
    for mine, yours in zip(one, other, strict=False):
        if mine != yours:
            return -1 if mine < yours else 1
    return 0 if len(one) == len(other) else None


def _comparable(left: Temporal, right: Temporal) -> tuple[Parts, Parts]:
    if left.zone == right.zone or left.zone is None or right.zone is None:
        return left.parts, right.parts
    return in_utc(left), in_utc(right)


def in_utc(moment: Temporal) -> Parts:
    """The parts as they are in UTC; unchanged where no time of day, or no zone, is known."""
    if not moment.zone or moment.precision < HOUR or moment.type == "Time":
        return moment.parts
    year, month, day, hour = (int(part) for part in moment.parts[:HOUR])
    minute = int(moment.parts[HOUR]) if moment.precision > HOUR else 0
    # the first and last years of Python: moved by five cycles of the calendar, and back
    shift = 2000 if year >= LAST_YEAR else -2000 if year <= 1 else 0
    start = datetime(year - shift, month, day, hour, minute)  # noqa: DTZ001 (the zone is taken off)
    moved = start - timedelta(minutes=moment.zone)
    whole = (moved.year + shift, moved.month, moved.day, moved.hour)
    if moment.precision == HOUR:
        # half an hour of offset can not be said at this precision
        return whole
    return (*whole, moved.minute, *moment.parts[MINUTE:])


def equal(left: Temporal, right: Temporal) -> bool | None:
    """Whether they are equal; None where precision leaves it open.

    A time of day is never equal to a date. http://hl7.org/fhirpath/N1/#equals
    """
    if (left.type == "Time") != (right.type == "Time"):
        return False
    found = compare(left, right)
    return None if found is None else found == 0


def key(moment: Temporal) -> tuple[object, ...]:
    """What is the same for two that are equal, and differs where they are not, or not surely."""
    zoned = moment.zone is not None and moment.precision >= HOUR
    return ("time" if moment.type == "Time" else "date", zoned, in_utc(moment))
