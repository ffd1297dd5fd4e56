"""A date or time moved by a duration.

http://hl7.org/fhirpath/N1/#datetime-arithmetic
"""

from __future__ import annotations

from calendar import monthrange
from datetime import date, timedelta
from decimal import ROUND_DOWN, Decimal
from typing import Final

from fhir_service.fhir.fhirpath.dates_times import (
    DAY,
    LAST_YEAR,
    MINUTE,
    MONTH,
    YEAR,
    Parts,
    Temporal,
)
from fhir_service.fhir.fhirpath.errors import ExpressionError
from fhir_service.fhir.fhirpath.quantity import Quantity

_SECONDS: Final = {
    "week": 604_800, "wk": 604_800, "day": 86_400, "d": 86_400, "hour": 3_600, "h": 3_600,
    "minute": 60, "min": 60, "second": 1, "s": 1,
}  # fmt: skip
_THOUSANDTHS: Final = ("millisecond", "ms")
_MONTHS: Final = {"year": 12, "month": 1}
_DAY_SECONDS: Final = 86_400
_UNIT_OF: Final = {1: 31_536_000, 2: 2_592_000, 3: _DAY_SECONDS, 4: 3_600, 5: 60}
_MOST: Final = Decimal(10) ** 15


def shift(moment: Temporal, by: Quantity, way: int) -> Temporal | None:
    """The moment moved by a duration, forward for ``way`` 1 and back for -1, precision kept.

    A fraction of a unit above seconds is left out. Of a duration finer than the moment whole units
    of the moment count. None where the result is outside the years 1 to 9999. Raises
    ExpressionError for what is no duration: UCUM's ``a`` and ``mo`` are none, for they are means.
    """
    if abs(by.value) > _MOST:
        return None
    if by.unit in _MONTHS and moment.type != "Time":
        return _by_months(moment, int(by.value) * _MONTHS[by.unit] * way)
    if by.unit in _THOUSANDTHS:
        seconds = by.value / 1000
    elif by.unit in ("second", "s"):
        seconds = by.value
    elif by.unit in _SECONDS:
        seconds = Decimal(int(by.value) * _SECONDS[by.unit])
    else:
        raise ExpressionError("A date can be moved by a duration of time alone.")
    return _by_seconds(moment, seconds * way)


def _by_months(moment: Temporal, months: int) -> Temporal | None:
    parts = moment.parts
    if len(parts) == YEAR:
        months = int(Decimal(months) / 12) * 12
    year, month = divmod(
        int(parts[0]) * 12 + (int(parts[1]) - 1 if len(parts) > 1 else 0) + months, 12
    )
    if not 1 <= year <= LAST_YEAR:
        return None
    made: Parts = (year, month + 1)[: len(parts)]
    if len(parts) >= DAY:
        made += (min(int(parts[2]), monthrange(year, month + 1)[1]), *parts[DAY:])
    return Temporal(moment.type, made, moment.zone)


def _by_seconds(moment: Temporal, seconds: Decimal) -> Temporal | None:
    if moment.precision < DAY:
        units = (seconds / _UNIT_OF[moment.precision]).to_integral_value(ROUND_DOWN)
        return _by_months(moment, int(units) * (12 if moment.precision < MONTH else 1))
    if moment.precision <= MINUTE:
        unit = _UNIT_OF[moment.precision]
        seconds = (seconds / unit).to_integral_value(ROUND_DOWN) * unit
    clock = moment.parts if moment.type == "Time" else moment.parts[DAY:]
    weights = (3_600, 60, 1)
    total = sum(Decimal(part) * weight for part, weight in zip(clock, weights, strict=False))
    days, rest = divmod(total + seconds, _DAY_SECONDS)
    if rest < 0:
        days, rest = days - 1, rest + _DAY_SECONDS
    moved = _clock(rest, clock)
    if moment.type == "Time":
        return Temporal("Time", moved)
    return _with_day(moment, int(days), moved)


def _with_day(moment: Temporal, days: int, clock: Parts) -> Temporal | None:
    try:
        day = date(*(int(part) for part in moment.parts[:DAY])) + timedelta(days=days)
    except (OverflowError, ValueError):
        return None
    return Temporal(moment.type, (day.year, day.month, day.day, *clock), moment.zone)


def _clock(seconds: Decimal, like: Parts) -> Parts:
    whole = int(seconds)
    second = Decimal(whole % 60) + (seconds - whole)
    if len(like) > 2:  # noqa: PLR2004 (hour, minute, second)
        exponent = Decimal(like[2]).as_tuple().exponent
        written = -exponent if isinstance(exponent, int) else 0
        needed = second.normalize().as_tuple().exponent
        digits = max(written, -needed if isinstance(needed, int) else 0)
        second = second.quantize(Decimal(1).scaleb(-digits))
    return (whole // 3_600, whole // 60 % 60, second)[: len(like)]
