"""Rules of limits on values, inclusive on both sides.

http://hl7.org/fhir/R4/extension-minvalue.html, http://hl7.org/fhir/R4/extension-maxvalue.html
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, Final

from fhir_service.sdc import extensions as ext
from fhir_service.sdc.comparing import order
from fhir_service.sdc.item_reading import choice
from fhir_service.sdc.items import ValueKind
from fhir_service.sdc.measuring import part, relation, signs
from fhir_service.sdc.response_model import decimal_of
from fhir_service.sdc.validation.context import Answered, Check, Place

Limit = tuple[ValueKind, Any]


def max_length(check: Check, answered: Answered, place: Place) -> None:
    """F1: maxLength, in characters."""
    most = answered.plan.item.max_length
    if most is not None and answered.kind in ("string", "uri") and len(answered.value) > most:
        count = len(answered.value)
        check.tell("answer-too-long", place, answered.plan, limit=most, count=count)


def min_value(check: Check, answered: Answered, place: Place) -> None:
    """F4, F7: minValue, minQuantity."""
    _compare(check, answered, place, (ext.MIN_VALUE, ext.MIN_QUANTITY), -1)


def max_value(check: Check, answered: Answered, place: Place) -> None:
    """F4, F7: maxValue, maxQuantity."""
    _compare(check, answered, place, (ext.MAX_VALUE, ext.MAX_QUANTITY), 1)


def _compare(
    check: Check, answered: Answered, place: Place, urls: tuple[str, ...], beyond: int
) -> None:
    """Tell of a value beyond a limit, or of which this is not known."""
    plan = answered.plan
    for url in urls:
        for extension in plan.item.extensions.get(url, ()):
            limit = choice(extension, "value")
            if limit is None or answered.kind not in plan.kinds:
                continue  # a limit that is only computed is told of with the item's expressions
            is_quantity = answered.kind == limit[0] == "Quantity"
            key = (_measured if is_quantity else _ordered)(answered, limit, beyond)
            if key is not None:
                check.tell(key, place, plan, limit=_shown(limit[1]))


_BEYOND: Final[Mapping[int, str]] = {-1: "answer-below-min-value", 1: "answer-above-max-value"}


def _ordered(answered: Answered, limit: Limit, beyond: int) -> str | None:
    """The key of what is found for a value that is no quantity; None when nothing is."""
    sign = order(answered.kind, answered.value, *limit)
    if sign is None and not _shared(answered, limit):
        return "limit-not-comparable"
    return _BEYOND[beyond] if sign == beyond else None


def _measured(answered: Answered, limit: Limit, beyond: int) -> str | None:
    """F7, F8, F9, F10: a quantity by UCUM; a comparator (``<5``) by all that it leaves open."""
    if part(answered.value, "value") is None:
        return None
    units = relation(answered.value, limit[1])
    if units == "different":
        return "limit-unit-differs"
    if units == "unknown":
        return "limit-not-comparable"
    possible = signs(answered.value, limit[1])
    if beyond not in possible:
        return None
    return _BEYOND[beyond] if len(possible) == 1 else "comparator-open"


def _shared(answered: Answered, limit: Limit) -> bool:
    """F5: a date that agrees with the limit as far as both go keeps it."""
    return answered.kind == limit[0] and answered.kind in ("date", "dateTime", "time")


def _shown(value: Any) -> str:
    if isinstance(value, Mapping):
        return f"{value.get('value', '')} {value.get('unit', value.get('code', ''))}".strip()
    return str(value)


def decimal_places(check: Check, answered: Answered, place: Place) -> None:
    """F11, E6: maxDecimalPlaces; trailing zeros count, for a decimal keeps its digits."""
    most = ext.value(answered.plan.item.extensions, ext.MAX_DECIMAL_PLACES)
    if not isinstance(most, int) or answered.kind not in ("decimal", "Quantity"):
        return
    value = part(answered.value, "value") if answered.kind == "Quantity" else answered.value
    if value is None:
        return
    exponent = decimal_of(value).as_tuple().exponent
    if isinstance(exponent, int) and -exponent > most:
        check.tell("too-many-decimals", place, answered.plan, limit=most)


def slider_step(check: Check, answered: Answered, place: Place) -> None:
    """F23: the value lies on a step of the slider, counted from minValue, else from 0.

    http://hl7.org/fhir/R4/extension-questionnaire-sliderstepvalue.html
    """
    extensions = answered.plan.item.extensions
    step = ext.value(extensions, ext.SLIDER_STEP)
    if not isinstance(step, int) or isinstance(step, bool) or step <= 0:
        return
    least = ext.value(extensions, ext.MIN_VALUE)
    start = decimal_of(least) if isinstance(least, int | float | Decimal) else Decimal(0)
    if answered.kind in ("integer", "decimal") and _off(decimal_of(answered.value) - start, step):
        check.tell("off-slider-step", place, answered.plan, step=step, start=start)


_HUGE: Final = 20


def _off(distance: Decimal, step: int) -> bool:
    """Whether a distance is no whole number of steps; a huge one is not divided."""
    return distance.adjusted() < _HUGE and distance % step != 0


RULES: Final[tuple[Callable[[Check, Answered, Place], None], ...]] = (
    max_length,
    min_value,
    max_value,
    decimal_places,
)
