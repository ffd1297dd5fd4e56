"""From one type of FHIRPath to another.

http://hl7.org/fhirpath/N1/#conversion
"""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final

from fhir_service.fhir.fhirpath.dates_times import (
    DAY,
    Temporal,
    read_moment,
    read_time,
)
from fhir_service.fhir.fhirpath.environment import Run
from fhir_service.fhir.fhirpath.limits import MAX_EXPONENT, MAX_INTEGER
from fhir_service.fhir.fhirpath.nodes import Collection
from fhir_service.fhir.fhirpath.quantity import CALENDAR, Quantity, in_unit_of
from fhir_service.fhir.fhirpath.registry import function, single, text

_INTEGER = re.compile(r"[+-]?[0-9]{1,10}")
_DECIMAL = re.compile(r"[+-]?[0-9]{1,500}(?:\.[0-9]{1,500})?")
_QUANTITY = re.compile(
    r"(?P<value>[+-]?[0-9]{1,500}(?:\.[0-9]{1,500})?)\s*(?:'(?P<unit>[^']+)'|(?P<word>[a-z]+))?"
)
_TRUE: Final = frozenset({"true", "t", "yes", "y", "1", "1.0"})
_FALSE: Final = frozenset({"false", "f", "no", "n", "0", "0.0"})


def to_boolean(value: Any) -> bool | None:
    """The Boolean that a value says, or None."""
    if isinstance(value, bool):
        return value
    if isinstance(value, int | Decimal):
        return value == 1 if value in (0, 1) else None
    if isinstance(value, str):
        said = value.lower()
        return True if said in _TRUE else False if said in _FALSE else None
    return None


def to_integer(value: Any) -> int | None:
    """The Integer that a value says, or None."""
    if isinstance(value, bool | int):
        return int(value)
    if isinstance(value, str) and _INTEGER.fullmatch(value):
        found = int(value)
        return found if abs(found) <= MAX_INTEGER else None
    return None


def to_decimal(value: Any) -> Decimal | None:
    """The Decimal that a value says, or None."""
    if isinstance(value, bool | int):
        return Decimal(int(value))
    if isinstance(value, Decimal):
        return value
    if isinstance(value, str) and _DECIMAL.fullmatch(value):
        return Decimal(value)
    return None


def to_string(value: Any) -> str | None:
    """The text of a plain value; None for what is no plain value."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return value
    if isinstance(value, Decimal):
        return f"{value:f}" if abs(value.adjusted()) <= MAX_EXPONENT else None
    if isinstance(value, Temporal | Quantity):
        return value.written()
    return str(value) if isinstance(value, int) else None


def to_date(value: Any) -> Temporal | None:
    """The Date that a value says; the day of a DateTime. None where it says none."""
    if isinstance(value, Temporal):
        return None if value.type == "Time" else Temporal("Date", value.parts[:DAY])
    found = read_moment(value) if isinstance(value, str) else None
    return None if found is None else Temporal("Date", found.parts[:DAY])


def to_date_time(value: Any) -> Temporal | None:
    """The DateTime that a value says, or None."""
    if isinstance(value, Temporal):
        return None if value.type == "Time" else Temporal("DateTime", value.parts, value.zone)
    return read_moment(value, "DateTime") if isinstance(value, str) else None


def to_time(value: Any) -> Temporal | None:
    """The Time that a value says, or None."""
    if isinstance(value, Temporal):
        return value if value.type == "Time" else None
    return read_time(value) if isinstance(value, str) else None


def to_quantity(value: Any) -> Quantity | None:
    """The Quantity that a value says, or None; a number has the unit 1."""
    if isinstance(value, Quantity):
        return value
    if isinstance(value, bool | int | Decimal):
        return Quantity(Decimal(value), "1")
    match = _QUANTITY.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        return None
    if match["word"]:
        unit = CALENDAR.get(match["word"])
        return None if unit is None else Quantity(Decimal(match["value"]), unit)
    return Quantity(
        Decimal(match["value"]), CALENDAR.get(match["unit"] or "1", match["unit"] or "1")
    )


def _enter(name: str, convert: Callable[[Any], Any], takes_unit: int = 0) -> None:
    """Enter to…() and convertsTo…()."""

    def to(_run: Run, items: Collection, *unit: Collection) -> Collection:
        value = single(items)
        found = None if value is None else convert(value)
        if found is not None and unit:
            found = _in_unit(found, text(unit[0]))
        return [] if found is None else [found]

    def converts(run: Run, items: Collection, *unit: Collection) -> Collection:
        return [bool(to(run, items, *unit))] if items else []

    function(f"to{name}", 0, takes_unit)(to)
    function(f"convertsTo{name}", 0, takes_unit)(converts)


def _in_unit(found: Quantity, unit: str | None) -> Quantity | None:
    if unit is None:
        return None
    wanted = Quantity(Decimal(1), CALENDAR.get(unit, unit))
    value = in_unit_of(found, wanted)
    return None if value is None else Quantity(value, wanted.unit)


_enter("Boolean", to_boolean)
_enter("Integer", to_integer)
_enter("Decimal", to_decimal)
_enter("String", to_string)
_enter("Date", to_date)
_enter("DateTime", to_date_time)
_enter("Time", to_time)
_enter("Quantity", to_quantity, 1)
