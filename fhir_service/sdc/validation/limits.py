"""Rules of limits on values, inclusive on both sides.

http://hl7.org/fhir/R4/extension-minvalue.html, http://hl7.org/fhir/R4/extension-maxvalue.html
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from fhir_service.sdc import extensions as ext
from fhir_service.sdc.comparing import UnitsDiffer, order, part
from fhir_service.sdc.item_reading import choice
from fhir_service.sdc.response_model import decimal_of
from fhir_service.sdc.validation.context import Answered, Check, Place


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
    plan = answered.plan
    for url in urls:
        for extension in plan.item.extensions.get(url, ()):
            limit = choice(extension, "value")
            if limit is None or answered.kind not in plan.kinds:
                continue  # a limit that is only computed is told of with the item's expressions
            shown = _shown(limit[1])
            try:
                sign = order(answered.kind, answered.value, *limit)
            except UnitsDiffer:
                sign = None
            if sign is None and not _shared(answered, limit):
                check.tell("limit-not-comparable", place, plan, limit=shown)
            elif sign == beyond:
                key = "answer-below-min-value" if beyond < 0 else "answer-above-max-value"
                check.tell(key, place, plan, limit=shown)


def _shared(answered: Answered, limit: tuple[Any, Any]) -> bool:
    """F5: a date that agrees with the limit as far as both go keeps it."""
    return answered.kind == limit[0] and answered.kind in ("date", "dateTime", "time")


def _shown(value: Any) -> str:
    if isinstance(value, Mapping):
        return f"{value.get('value', '')} {value.get('unit', value.get('code', ''))}".strip()
    return str(value)


def decimal_places(check: Check, answered: Answered, place: Place) -> None:
    """F11: maxDecimalPlaces; trailing zeros count."""
    most = ext.value(answered.plan.item.extensions, ext.MAX_DECIMAL_PLACES)
    if not isinstance(most, int) or answered.kind not in ("decimal", "Quantity"):
        return
    value = part(answered.value, "value") if answered.kind == "Quantity" else answered.value
    if value is None:
        return
    exponent = decimal_of(value).as_tuple().exponent
    if isinstance(exponent, int) and -exponent > most:
        check.tell("too-many-decimals", place, answered.plan, limit=most)


def unit_offered(check: Check, answered: Answered, place: Place) -> None:
    """F18: the unit is one of unitOption, by system and code."""
    options = answered.plan.item.extensions.get(ext.UNIT_OPTION, ())
    if not options or answered.kind != "Quantity" or _open(answered):
        return
    codings = [ext.value_of(option) or {} for option in options]
    given = part(answered.value, "system"), part(answered.value, "code")
    if given not in [(coding.get("system"), coding.get("code")) for coding in codings]:
        units = ", ".join(str(coding.get("display", coding.get("code"))) for coding in codings)
        check.tell("unit-not-offered", place, answered.plan, units=units)


def _open(answered: Answered) -> bool:
    return ext.value(answered.plan.item.extensions, ext.UNIT_OPEN) not in (None, "optionsOnly")


RULES: Final[tuple[Callable[[Check, Answered, Place], None], ...]] = (
    max_length,
    min_value,
    max_value,
    decimal_places,
    unit_offered,
)
