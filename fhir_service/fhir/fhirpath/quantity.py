"""Quantity: a number with a UCUM unit or a calendar duration; equality, order and arithmetic.

http://hl7.org/fhirpath/N1/#quantity and http://hl7.org/fhir/R4/fhirpath.html#quantity
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from fhir_service.fhir.fhirpath.limits import MAX_EXPONENT
from fhir_service.fhir.quantities import UCUM, convert, in_base_units
from fhir_service.fhir.units import unit

_DEFINITE: Final = {
    "week": "wk", "day": "d", "hour": "h", "minute": "min", "second": "s", "millisecond": "ms",
}  # fmt: skip
CALENDAR: Final[Mapping[str, str]] = {
    word + plural: word for word in ("year", "month", *_DEFINITE) for plural in ("", "s")
}
"""The words for calendar durations, each with its singular."""

_UCUM_OF_CALENDAR: Final = {"year": "a", "month": "mo", **_DEFINITE}
_MONTHS: Final = {"year": 12, "month": 1}


@dataclass(frozen=True, slots=True)
class Quantity:
    """``unit`` is a UCUM code, or the singular of a calendar word (``month``)."""

    value: Decimal
    unit: str

    def written(self) -> str:
        """As a literal of FHIRPath."""
        if abs(self.value.adjusted()) > MAX_EXPONENT:
            return f"{self.value} '{self.unit}'"
        if self.unit in _UCUM_OF_CALENDAR:
            return f"{self.value:f} {self.unit}"
        return f"{self.value:f} '{self.unit}'"


def of_fhir(value: Any) -> Quantity | None:
    """The Quantity that a FHIR Quantity stands for; None without a value, or with a comparator.

    A code of UCUM is the unit; another code counts with its system; without a code it is the
    written unit, without one ``1``.
    """
    if not isinstance(value, Mapping) or "comparator" in value:
        return None
    number = value.get("value")
    if isinstance(number, bool) or not isinstance(number, int | float | Decimal):
        return None
    system, code = value.get("system"), value.get("code")
    if isinstance(code, str):
        name = code if system in (UCUM, None) else f"{system}|{code}"
    else:
        written = value.get("unit")
        name = written if isinstance(written, str) else "1"
    return Quantity(Decimal(str(number)), name)


def to_fhir(quantity: Quantity) -> dict[str, Any]:
    """The FHIR Quantity, http://hl7.org/fhir/R4/fhirpath.html#quantity"""
    code = _UCUM_OF_CALENDAR.get(quantity.unit, quantity.unit)
    told: dict[str, Any] = {"value": quantity.value}
    if quantity.unit != "1":
        told["unit"] = quantity.unit
    return {**told, "system": UCUM, "code": code}


def _code(name: str) -> str:
    return _DEFINITE.get(name, name)


def in_unit_of(quantity: Quantity, other: Quantity, *, loosely: bool = False) -> Decimal | None:
    """The value in the unit of ``other``; None where the units are not comparable.

    Years and months of the calendar have no definite length: they compare among themselves, and
    with UCUM's only ``loosely``, as equivalence does.
    """
    mine, yours = quantity.unit, other.unit
    if mine == yours:
        return quantity.value
    if mine in _MONTHS and yours in _MONTHS:
        return quantity.value * _MONTHS[mine] / _MONTHS[yours]
    if loosely:
        mine, yours = _UCUM_OF_CALENDAR.get(mine, mine), _UCUM_OF_CALENDAR.get(yours, yours)
    elif mine in _MONTHS or yours in _MONTHS:
        return None
    return convert(quantity.value, _code(mine), _code(yours))


def equal(left: Quantity, right: Quantity) -> bool | None:
    """Whether they are equal; None where their units can not be compared."""
    value = in_unit_of(right, left)
    return None if value is None else value == left.value


def key(quantity: Quantity) -> tuple[object, ...]:
    """What is the same for two that are equal, and differs where they are not, or not surely."""
    if quantity.unit in _MONTHS:
        return ("quantity", quantity.value * _MONTHS[quantity.unit], "calendar")
    base = in_base_units(quantity.value, _code(quantity.unit))
    return ("quantity", quantity.value, quantity.unit) if base is None else ("quantity", *base)


def multiply(left: Quantity, right: Quantity) -> Quantity:
    """The product, in the product of the units."""
    value = left.value * right.value
    if left.unit == "1":
        return Quantity(value, right.unit)
    if right.unit == "1":
        return Quantity(value, left.unit)
    return Quantity(value, f"{_code(left.unit)}.{_grouped(right.unit)}")


def divide(left: Quantity, right: Quantity) -> Quantity | None:
    """The quotient; a number where the units are of one dimension. None for division by zero."""
    if right.value == 0:
        return None
    same = in_unit_of(right, left)
    if same:
        return Quantity(left.value / same, "1")
    if right.unit == "1":
        return Quantity(left.value / right.value, left.unit)
    above = "" if left.unit == "1" else _code(left.unit)
    return Quantity(left.value / right.value, f"{above}/{_grouped(right.unit)}")


def _grouped(name: str) -> str:
    code = _code(name)
    return f"({code})" if any(sign in code for sign in "./") else code


def is_known(quantity: Quantity) -> bool:
    """Whether its unit is one that can be converted."""
    return quantity.unit in _MONTHS or unit(_code(quantity.unit)) is not None
