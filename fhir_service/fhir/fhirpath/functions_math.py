"""Functions on numbers.

http://hl7.org/fhirpath/N1/#math-1
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import (
    ROUND_CEILING,
    ROUND_DOWN,
    ROUND_FLOOR,
    ROUND_HALF_UP,
    Decimal,
    DecimalException,
)

from fhir_service.fhir.fhirpath.arithmetic import CONTEXT, result, whole
from fhir_service.fhir.fhirpath.environment import Run
from fhir_service.fhir.fhirpath.errors import ExpressionError
from fhir_service.fhir.fhirpath.nodes import Collection
from fhir_service.fhir.fhirpath.quantity import Quantity
from fhir_service.fhir.fhirpath.registry import function, integer, number, single

_MOST_PLACES = 28
_COST_OF_A_ROOT = 50


@function("abs")
def abs_(_run: Run, items: Collection) -> Collection:
    """The value without its sign."""
    value = single(items)
    if isinstance(value, Quantity):
        return [Quantity(abs(value.value), value.unit)]
    found = number(items)
    return [] if found is None else [abs(found)]


def _whole(name: str, rounding: str) -> None:
    """Enter a function that makes an Integer of a number."""

    def call(_run: Run, items: Collection) -> Collection:
        value = number(items)
        if value is None:
            return []
        return whole(Decimal(value), rounding)

    function(name)(call)


_whole("ceiling", ROUND_CEILING)
_whole("floor", ROUND_FLOOR)
_whole("truncate", ROUND_DOWN)


@function("round", 0, 1)
def round_(_run: Run, items: Collection, *places: Collection) -> Collection:
    """The number with so many digits after the point, half away from zero."""
    value = number(items)
    digits = integer(places[0]) if places else 0
    if value is None or digits is None:
        return []
    if not 0 <= digits <= _MOST_PLACES:
        raise ExpressionError(f"round() takes from 0 to {_MOST_PLACES} digits.")
    if not places and type(value) is int:
        return [value]
    try:
        return [Decimal(value).quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP)]
    except DecimalException:  # more digits than there is room for: nothing to be rounded away
        return [Decimal(value)]


def _curve(name: str, answer: Callable[[Decimal], Decimal]) -> None:
    """Enter a function of one number that gives a Decimal, or nothing where it has no value."""

    def call(run: Run, items: Collection) -> Collection:
        value = number(items)
        if value is None:
            return []
        run.spend(_COST_OF_A_ROOT)
        try:
            return result(answer(Decimal(value)))
        except DecimalException:
            return []

    function(name)(call)


_curve("sqrt", CONTEXT.sqrt)
_curve("exp", CONTEXT.exp)
_curve("ln", CONTEXT.ln)


@function("log", 1)
def log(run: Run, items: Collection, base: Collection) -> Collection:
    """The logarithm to a base; nothing where there is none."""
    value, to = number(items), number(base)
    if value is None or to is None:
        return []
    run.spend(_COST_OF_A_ROOT)
    try:
        found = CONTEXT.divide(CONTEXT.ln(Decimal(value)), CONTEXT.ln(Decimal(to)))
    except DecimalException:
        return []
    if found.is_finite() and abs(found) < _MOST_PLACES:
        whole = found.to_integral_value()
        # ln rounds: 100.log(10) is 2, and not 2 less one in the last digit
        if CONTEXT.power(Decimal(to), whole) == value:
            return [whole]
    return result(found)


@function("power", 1)
def power(run: Run, items: Collection, exponent: Collection) -> Collection:
    """The power, an Integer where both are; nothing where there is none."""
    value, to = number(items), number(exponent)
    if value is None or to is None:
        return []
    run.spend(_COST_OF_A_ROOT)
    try:
        found = CONTEXT.power(Decimal(value), Decimal(to))
    except DecimalException:
        return []
    if type(value) is int and type(to) is int and to >= 0 and found.is_finite():
        return result(int(found))
    return result(found)
