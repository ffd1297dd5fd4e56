"""Addition to modulo over numbers, texts, dates and quantities.

http://hl7.org/fhirpath/N1/#math
"""

from __future__ import annotations

from decimal import ROUND_DOWN, Context, Decimal, DecimalException
from typing import Any, Final

from fhir_service.fhir.fhirpath import quantity
from fhir_service.fhir.fhirpath.calendar import shift
from fhir_service.fhir.fhirpath.dates_times import Temporal
from fhir_service.fhir.fhirpath.environment import Run
from fhir_service.fhir.fhirpath.errors import ExpressionError
from fhir_service.fhir.fhirpath.limits import COST_OF_UNITS, MAX_EXPONENT, MAX_INTEGER
from fhir_service.fhir.fhirpath.nodes import Collection
from fhir_service.fhir.fhirpath.quantity import Quantity, in_unit_of
from fhir_service.fhir.fhirpath.registry import single

CONTEXT: Final = Context(prec=28, Emax=MAX_EXPONENT, Emin=-MAX_EXPONENT)
"""Decimals have 28 digits; the standard asks for 18 at least."""

_NUMBERS: Final = (int, Decimal)


def result(value: Any) -> Collection:
    """A number as a collection; nothing where an Integer is out of its range."""
    if type(value) is int and abs(value) > MAX_INTEGER:
        return []
    if isinstance(value, Decimal) and not value.is_finite():
        return []
    return [value]


def whole(value: Decimal, rounding: str) -> Collection:
    """A Decimal made an Integer; nothing where it is out of range."""
    if value.adjusted() > len(str(MAX_INTEGER)):
        return []  # int() of 1E+999999 would take a minute
    return result(int(value.to_integral_value(rounding)))


def _is_number(value: Any) -> bool:
    return isinstance(value, _NUMBERS) and not isinstance(value, bool)


def _wrong() -> ExpressionError:
    return ExpressionError("These two can not be computed with each other.")


def add(run: Run, left: Collection, right: Collection) -> Collection:
    """The sum; two texts joined; a date moved by a duration. Nothing where one side is empty."""
    one, other = single(left), single(right)
    if one is None or other is None:
        return []
    if type(one) is str and type(other) is str:
        run.spend_text(len(one) + len(other))
        return [one + other]
    return _sum(run, one, other, 1)


def subtract(run: Run, left: Collection, right: Collection) -> Collection:
    """The difference; a date moved back by a duration. Nothing where one side is empty."""
    one, other = single(left), single(right)
    return [] if one is None or other is None else _sum(run, one, other, -1)


def _sum(run: Run, one: Any, other: Any, way: int) -> Collection:
    if _is_number(one) and _is_number(other):
        return _number(one, other * way, "add")
    run.spend(COST_OF_UNITS)
    if isinstance(one, Temporal) and isinstance(other, Quantity):
        moved = shift(one, other, way)
        return [] if moved is None else [moved]
    if isinstance(one, Quantity) and _is_number(other):
        other = Quantity(Decimal(other), "1")
    if isinstance(one, Quantity) and isinstance(other, Quantity):
        value = in_unit_of(other, one)
        if value is None:
            return []
        return [Quantity(CONTEXT.add(one.value, value * way), one.unit)]
    raise _wrong()


def _number(one: Any, other: Any, operation: str) -> Collection:
    if operation != "divide" and type(one) is int and type(other) is int:
        return result(one + other if operation == "add" else one * other)
    try:
        return result(getattr(CONTEXT, operation)(Decimal(one), Decimal(other)))
    except DecimalException:
        return []


def multiply(run: Run, left: Collection, right: Collection) -> Collection:
    """The product. Nothing where one side is empty."""
    one, other = single(left), single(right)
    if one is None or other is None:
        return []
    if _is_number(one) and _is_number(other):
        return _number(one, other, "multiply")
    run.spend(COST_OF_UNITS)
    return [_rounded(quantity.multiply(*_quantities(one, other)))]


def divide(run: Run, left: Collection, right: Collection) -> Collection:
    """The quotient, a Decimal. Nothing for division by zero or where one side is empty."""
    one, other = single(left), single(right)
    if one is None or other is None:
        return []
    if _is_number(one) and _is_number(other):
        return [] if other == 0 else _number(one, other, "divide")
    run.spend(COST_OF_UNITS)
    made = quantity.divide(*_quantities(one, other))
    return [] if made is None else [_rounded(made)]


def _rounded(made: Quantity) -> Quantity:
    return Quantity(CONTEXT.plus(made.value), made.unit)


def _quantities(one: Any, other: Any) -> tuple[Quantity, Quantity]:
    if _is_number(one):
        one = Quantity(Decimal(one), "1")
    if _is_number(other):
        other = Quantity(Decimal(other), "1")
    if not isinstance(one, Quantity) or not isinstance(other, Quantity):
        raise _wrong()
    return one, other


def whole_quotient(_run: Run, left: Collection, right: Collection) -> Collection:
    """``div``: the quotient without its fraction, an Integer."""
    one, other = single(left), single(right)
    if one is None or other is None:
        return []
    if not _is_number(one) or not _is_number(other):
        raise _wrong()
    if other == 0:
        return []
    try:
        found = CONTEXT.divide(Decimal(one), Decimal(other))
        return whole(found, ROUND_DOWN)
    except DecimalException:
        return []


def remainder(_run: Run, left: Collection, right: Collection) -> Collection:
    """``mod``: what ``div`` leaves over, with the sign of the left side."""
    one, other = single(left), single(right)
    if one is None or other is None:
        return []
    if not _is_number(one) or not _is_number(other):
        raise _wrong()
    if other == 0:
        return []
    try:
        found = CONTEXT.remainder(Decimal(one), Decimal(other))
    except DecimalException:
        return []
    return result(int(found) if type(one) is int and type(other) is int else found)


def joined(run: Run, left: Collection, right: Collection) -> Collection:
    """``&``: two texts joined, nothing counting as the empty text."""
    one, other = single(left), single(right)
    one, other = "" if one is None else one, "" if other is None else other
    if type(one) is not str or type(other) is not str:
        raise ExpressionError("Only texts can be joined.")
    run.spend_text(len(one) + len(other))
    return [one + other]


def negated(items: Collection) -> Collection:
    """The number or quantity with the other sign."""
    value = single(items)
    if value is None:
        return []
    if isinstance(value, Quantity):
        return [Quantity(-value.value, value.unit)]
    if not _is_number(value):
        raise ExpressionError("Only a number can have a sign.")
    return [-value]
