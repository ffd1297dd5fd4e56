"""How a quantity that was answered stands to a quantity of the form: in UCUM, and by interval.

http://hl7.org/fhir/R4/datatypes.html#Quantity
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final, Literal

from msgspec import UNSET

from fhir_service.fhir.quantities import UCUM, comparable, convert
from fhir_service.fhir.units import unit
from fhir_service.sdc.response_model import decimal_of

Relation = Literal["same", "convertible", "different", "unknown"]

_UNDER, _AT, _OVER = -1, 0, 1
ANY: Final = frozenset({_UNDER, _AT, _OVER})


def part(value: Any, name: str) -> Any:
    """A field of a Coding, Quantity or Reference, decoded or plain; None when it is not there."""
    found = value.get(name) if isinstance(value, dict) else getattr(value, name)
    return None if found is UNSET else found


def relation(one: Any, other: Any) -> Relation:
    """How the units of two quantities stand to each other.

    Two units of UCUM measure the same thing, or different ones; of all others, and of units in
    words, this can be told only when they are the same.
    """
    codes = part(one, "code"), part(other, "code")
    if codes == (None, None):
        return "same" if part(one, "unit") == part(other, "unit") else "unknown"
    systems = part(one, "system"), part(other, "system")
    if codes[0] == codes[1] and systems[0] == systems[1]:
        return "same"
    if systems != (UCUM, UCUM) or None in codes or None in map(unit, codes):
        return "unknown"
    return "convertible" if comparable(*codes) else "different"


def signs(one: Any, other: Any) -> frozenset[int]:
    """Where the first may lie, -1 under, 0 at and 1 over the second; their units are comparable.

    A comparator (``<5``) leaves several places open; without number all are.
    """
    given, asked = _number(one), _number(other)
    if asked is None or given is None or part(other, "comparator"):
        return ANY
    if relation(one, other) == "convertible":
        told = convert(given, part(one, "code"), part(other, "code"))
        if told is None:
            return ANY
        given = told
    sign = int(given > asked) - int(given < asked)
    return _with_comparator(part(one, "comparator"), sign)


def _with_comparator(comparator: str | None, sign: int) -> frozenset[int]:
    """Where a value lies of which only a bound is known, and the bound's own place."""
    if comparator is None:
        return frozenset({sign})
    if comparator.startswith("<"):
        if sign == _UNDER or (sign == _AT and comparator == "<"):
            return frozenset({_UNDER})
        return frozenset({_UNDER, _AT}) if sign == _AT else ANY
    if sign == _OVER or (sign == _AT and comparator == ">"):
        return frozenset({_OVER})
    return frozenset({_OVER, _AT}) if sign == _AT else ANY


def _number(quantity: Any) -> Decimal | None:
    value = part(quantity, "value")
    return None if value is None else decimal_of(value)
