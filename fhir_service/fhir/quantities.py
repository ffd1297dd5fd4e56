"""Quantities in UCUM: whether two units measure the same, and a value told in another unit.

http://hl7.org/fhir/R4/datatypes.html#Quantity and https://ucum.org/ucum
"""

from __future__ import annotations

from decimal import Context, Decimal
from fractions import Fraction
from typing import Final

from fhir_service.fhir.units import unit

UCUM: Final = "http://unitsofmeasure.org"

_DIGITS: Final = 34
_MAX_EXPONENT: Final = 1_000
_EXACT: Final = Context(prec=_DIGITS)


def comparable(one: str, other: str) -> bool:
    """Whether values in these units can be compared: both known, of the same dimension.

    A unit that is not known is comparable with itself alone, as it is written.
    """
    if one == other:
        return True
    left, right = unit(one), unit(other)
    return left is not None and right is not None and left.dimensions == right.dimensions


def convert(value: Decimal, from_code: str, to_code: str) -> Decimal | None:
    """The value in another unit, exact to 34 digits; None where the units are not comparable."""
    if from_code == to_code:
        return value
    left, right = unit(from_code), unit(to_code)
    if left is None or right is None or left.dimensions != right.dimensions:
        return None
    if not value.is_finite() or abs(value.adjusted()) > _MAX_EXPONENT:
        return None
    base = (Fraction(value) + left.offset) * left.factor
    found = base / right.factor - right.offset
    return _EXACT.divide(Decimal(found.numerator), Decimal(found.denominator))


def in_base_units(value: Decimal, code: str) -> tuple[Decimal, str] | None:
    """The value in the base units of its dimension, with these as text; None for a unknown unit.

    Two quantities are equal when this is equal.
    """
    known = unit(code)
    if known is None or not value.is_finite() or abs(value.adjusted()) > _MAX_EXPONENT:
        return None
    base = (Fraction(value) + known.offset) * known.factor
    name = ".".join(f"{atom}{power}" for atom, power in known.dimensions)
    return _EXACT.divide(Decimal(base.numerator), Decimal(base.denominator)), name or "1"
