"""The test, made once per form, that tells in a few steps that a quantity keeps all its limits.

What lies near a limit that is in another unit is not told here; it is asked of the rules.
http://hl7.org/fhir/uv/sdc/STU4/StructureDefinition-sdc-questionnaire-minQuantity.html
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from math import inf
from typing import Any

from msgspec import UNSET

from fhir_service.fhir.quantities import UCUM, convert
from fhir_service.sdc import extensions as ext
from fhir_service.sdc.response_model import Quantity
from fhir_service.sdc.response_walk import quantity_properties

HANDLED = (ext.MIN_QUANTITY, ext.MAX_QUANTITY, ext.MAX_DECIMAL_PLACES, ext.UNIT_OPTION)
"""The limits that are compared here."""

Extensions = Mapping[str, tuple[Mapping[str, Any], ...]]
Unit = tuple[Any, Any]

_EXACT = 15
"""So many digits of a decimal number survive as a float, in their order."""

_MANY = 99
_AROUND = 3
"""The properties of an item around its one Quantity: linkId, answer, valueQuantity."""
_E, _BIG_E = b"eE"


_MARGIN = 1e-6
"""A converted limit is drawn in by this part of it: what lies that near is asked of the rules."""

Span = tuple[float, float]
_ANY_NUMBER: Span = (-inf, inf)


def quantity_check(extensions: Extensions) -> Callable[[Quantity], int] | None:
    """How many properties an item has with a Quantity that keeps these limits; 0: ask the rules.

    None where no quantity can be told to be right.
    """
    if not any(url in extensions for url in HANDLED):
        return _properties
    limits = _limits(extensions)
    places = ext.value(extensions, ext.MAX_DECIMAL_PLACES)
    if limits is None or not (places is None or type(places) is int):
        return None
    options = _options(extensions)
    units = options or {limit.unit for limit in limits}
    spans = {unit: span for unit in units if (span := _span(limits, unit)) is not None}
    return _checking(
        spans,
        _MANY if places is None else places,
        any_unit=not (units or ext.UNIT_OPTION in extensions),
    )


def _properties(quantity: Quantity) -> int:
    found = quantity_properties(quantity)
    return found and found + _AROUND


def _checking(
    spans: Mapping[Unit, Span], places: int, *, any_unit: bool
) -> Callable[[Quantity], int]:
    def check(quantity: Quantity) -> int:
        raw = quantity.value
        span = _ANY_NUMBER if any_unit else spans.get((quantity.system, quantity.code))
        if raw is UNSET or span is None or quantity.comparator is not UNSET:
            return 0
        text = bytes(raw)
        if len(text) > _EXACT or _E in text or _BIG_E in text:
            return 0
        point = text.find(b".")
        if point >= 0 and len(text) - point - 1 > places:
            return 0
        found = _properties(quantity)
        return found if found and span[0] <= float(raw) <= span[1] else 0

    return check


@dataclass(frozen=True, slots=True)
class _Limit:
    """The least number of a quantity (``sign`` -1) or the greatest (1), in its unit."""

    sign: int
    number: Decimal
    unit: Unit


def _options(extensions: Extensions) -> set[Unit]:
    return {
        (option["system"], option["code"])
        for option in ext.values(extensions, ext.UNIT_OPTION)
        if isinstance(option, Mapping) and "system" in option and "code" in option
    }


def _limits(extensions: Extensions) -> list[_Limit] | None:
    """None where a limit has no coded unit, or is no plain number."""
    found: list[_Limit] = []
    for url, sign in ((ext.MIN_QUANTITY, -1), (ext.MAX_QUANTITY, 1)):
        for extension in extensions.get(url, ()):
            quantity = extension.get("valueQuantity")
            if not isinstance(quantity, Mapping) or "comparator" in quantity:
                return None
            number, unit = quantity.get("value"), (quantity.get("system"), quantity.get("code"))
            plain = isinstance(number, int | float | Decimal) and len(str(number)) <= _EXACT
            if not plain or None in unit:
                return None
            found.append(_Limit(sign, Decimal(str(number)), unit))
    return found


def _span(limits: list[_Limit], unit: Unit) -> Span | None:
    """The span in this unit, drawn in where it is converted; None where that can not be done."""
    low, high = _ANY_NUMBER
    for limit in limits:
        number = float(limit.number)
        if limit.unit != unit:
            if limit.unit[0] != UCUM or unit[0] != UCUM:
                return None
            there = convert(limit.number, limit.unit[1], unit[1])
            if there is None:
                return None
            number = float(there) - limit.sign * (abs(float(there)) * _MARGIN + _MARGIN)
        if limit.sign < 0:
            low = max(low, number)
        else:
            high = min(high, number)
    return low, high
