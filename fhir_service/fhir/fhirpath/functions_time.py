"""The clock; and the precision and boundaries of numbers, dates and times.

http://hl7.org/fhirpath/N1/#current-date-and-time-functions,
http://hl7.org/fhirpath/#boundary-and-precision-functions (lowBoundary, highBoundary, precision)
"""

from __future__ import annotations

from calendar import monthrange
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Any, Final

from fhir_service.fhir.fhirpath.dates_times import DAY, SECOND, Parts, Temporal, of_datetime
from fhir_service.fhir.fhirpath.environment import Run
from fhir_service.fhir.fhirpath.nodes import Collection
from fhir_service.fhir.fhirpath.quantity import Quantity
from fhir_service.fhir.fhirpath.registry import function, integer, single

_MOST_DIGITS: Final = 28
_DIGITS: Final = 8
_EARLIEST_ZONE, _LATEST_ZONE = 14 * 60, -12 * 60
_WITH_THOUSANDTHS: Final = 4
_PARTS_OF_DATE: Final = {4: 1, 6: 2, 8: 3, 10: 4, 12: 5, 14: 6, 17: 7}
_PARTS_OF_TIME: Final = {2: 1, 4: 2, 6: 3, 9: 4}


@function("now")
def now(run: Run, _items: Collection) -> Collection:
    """The moment of the evaluation."""
    return [of_datetime(run.clock())]


@function("today")
def today(run: Run, _items: Collection) -> Collection:
    """The day of the evaluation, in the zone of the site."""
    moment = run.clock()
    return [Temporal("Date", (moment.year, moment.month, moment.day))]


@function("timeOfDay")
def time_of_day(run: Run, _items: Collection) -> Collection:
    """The time of day of the evaluation, in the zone of the site."""
    return [Temporal("Time", of_datetime(run.clock()).parts[DAY:])]


@function("precision")
def precision(_run: Run, items: Collection) -> Collection:
    """How many digits are known: of a number those after the point, of a date from 4 to 17."""
    value = single(items)
    if isinstance(value, Temporal):
        return [_digits_of(value)]
    if isinstance(value, Quantity):
        value = value.value
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        return []
    exponent = Decimal(value).as_tuple().exponent
    return [max(0, -exponent)] if isinstance(exponent, int) else []


def _digits_of(moment: Temporal) -> int:
    table = _PARTS_OF_TIME if moment.type == "Time" else _PARTS_OF_DATE
    fraction = moment.precision == SECOND and "." in str(moment.parts[-1])
    return next(digits for digits, count in table.items() if count == len(moment.parts) + fraction)


@function("lowBoundary", 0, 1)
def low_boundary(_run: Run, items: Collection, *digits: Collection) -> Collection:
    """The least that the value can be, given how precisely it is written."""
    return _boundary(items, digits, low=True)


@function("highBoundary", 0, 1)
def high_boundary(_run: Run, items: Collection, *digits: Collection) -> Collection:
    """The greatest that the value can be, given how precisely it is written."""
    return _boundary(items, digits, low=False)


def _boundary(items: Collection, digits: tuple[Collection, ...], *, low: bool) -> Collection:
    value = single(items)
    wanted = integer(digits[0]) if digits else None
    if value is None or (digits and wanted is None):
        return []
    if isinstance(value, Temporal):
        made: Any = _of_moment(value, wanted, low)
    elif isinstance(value, Quantity):
        number = _of_number(value.value, wanted, low)
        made = None if number is None else Quantity(number, value.unit)
    elif isinstance(value, int | Decimal) and not isinstance(value, bool):
        made = _of_number(Decimal(value), wanted, low)
    else:
        made = None
    return [] if made is None else [made]


def _of_number(value: Decimal, wanted: int | None, low: bool) -> Decimal | None:
    digits = _DIGITS if wanted is None else wanted
    exponent = value.as_tuple().exponent
    if not isinstance(exponent, int) or not 0 <= digits <= _MOST_DIGITS:
        return None
    if value.adjusted() + digits > _MOST_DIGITS:
        return None
    half = Decimal(5).scaleb(min(exponent, 0) - 1)
    edge = value - half if low else value + half
    rounding = ROUND_FLOOR if low else ROUND_CEILING
    return edge.quantize(Decimal(1).scaleb(-digits), rounding)


def _of_moment(moment: Temporal, wanted: int | None, low: bool) -> Temporal | None:
    if moment.type == "Time":
        count = _PARTS_OF_TIME.get(9 if wanted is None else wanted)
        return None if count is None else Temporal("Time", _clock(moment.parts, count, low))
    fullest = 8 if moment.type == "Date" else 17
    digits = fullest if wanted is None else wanted
    count = _PARTS_OF_DATE.get(digits)
    if count is None or digits > fullest:
        return None
    day = _filled_day(moment.parts[:DAY], low)
    if count <= DAY:
        return Temporal(moment.type, day[:count])
    zone = moment.zone
    if zone is None:
        zone = _EARLIEST_ZONE if low else _LATEST_ZONE
    return Temporal(moment.type, (*day, *_clock(moment.parts[DAY:], count - DAY, low)), zone)


def _filled_day(parts: Parts, low: bool) -> Parts:
    year, *rest = (int(part) for part in parts)
    month = rest[0] if rest else (1 if low else 12)
    last = monthrange(year, month)[1]
    return (year, month, rest[1] if len(rest) > 1 else (1 if low else last))


def _clock(parts: Parts, count: int, low: bool) -> Parts:
    """Hour, minute and second filled up; ``count`` 4 means with thousandths."""
    fill = (0, 0, Decimal("0.000")) if low else (23, 59, Decimal("59.999"))
    filled = (*parts, *fill[len(parts) :])
    if count < _WITH_THOUSANDTHS:
        whole: Parts = (*filled[:2], Decimal(int(filled[2])))
        return whole[:count]
    second = Decimal(filled[2])
    if "." not in str(second):
        second += Decimal("0.000") if low else Decimal("0.999")
    return (*filled[:2], second)
