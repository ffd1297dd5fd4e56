"""An item whose elements are computed, as it is for one instance: then all rules hold as ever.

https://hl7.org/fhir/extensions/StructureDefinition-cqf-expression.html
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from fhir_service.sdc import extensions as ext
from fhir_service.sdc.expressions import Computed, NotDecided
from fhir_service.sdc.items import Item
from fhir_service.sdc.plans import Plan

if TYPE_CHECKING:
    from fhir_service.fhir.fhirpath import Node
    from fhir_service.sdc.evaluation import Evaluation
    from fhir_service.sdc.instances import Here

_DAY_LENGTH: Final = len("YYYY-MM-DD")
_FIELDS: Final[Mapping[str, str]] = {
    "required": "required",
    "repeats": "repeats",
    "readOnly": "read_only",
    "maxLength": "max_length",
    "answerValueSet": "answer_value_set",
}
_OPEN: Final[Mapping[str, Any]] = {
    "required": False,
    "repeats": True,
    "readOnly": False,
    "maxLength": None,
    "answerValueSet": None,
}
"""What an element asks for while its value is not known: nothing."""

_COUNTS: Final[Mapping[str, str]] = {ext.MIN_OCCURS: "min_occurs", ext.MAX_OCCURS: "max_occurs"}

Values = tuple[tuple[Computed, Any], ...]


def effective(plan: Plan, evaluation: Evaluation, here: Node | Here) -> Plan:
    """The item with the values that its expressions give for this instance.

    Where one can not be told this is kept as a doubt, and the element asks for nothing.
    """
    expressions = plan.expressions
    if expressions is None or not expressions.computed:
        return plan
    values = tuple((one, _value(plan, one, evaluation, here)) for one in expressions.computed)
    key = [value for _, value in values]
    kept = expressions.effective
    if kept is None or kept[0] != key:
        kept = expressions.effective = key, plan.with_item(_item(plan.item, values))
    return kept[1]


_UNKNOWN: Final = object()


def _value(plan: Plan, computed: Computed, evaluation: Evaluation, here: Node | Here) -> Any:
    """The value; None where the expression gives none, _UNKNOWN where it can not be told."""
    try:
        found = evaluation.json(computed.formula, here)
        return _fitting(computed, found[0]) if len(found) == 1 else _none(found)
    except NotDecided as why:
        evaluation.doubt(plan, computed.formula.rule, why, here)
        return _UNKNOWN


def _none(found: list[Any]) -> None:
    if found:
        raise NotDecided("The expression gives several values.")


def _fitting(computed: Computed, value: Any) -> Any:
    """The value as the type that the element has. Raises NotDecided for another."""
    name, key = computed.name, computed.key
    if name in ("required", "repeats", "readOnly"):
        fits = isinstance(value, bool)
    elif name == "answerValueSet" or key == "valueString":
        fits = isinstance(value, str)
    elif name in ("maxLength", *_COUNTS) or key == "valueInteger":
        value = _whole(value)
        fits = value is not None
    else:
        value, fits = _limit(key, value)
    if not fits:
        raise NotDecided("The expression gives a value of another type than the element has.")
    return value


def _whole(value: Any) -> int | None:
    if isinstance(value, Decimal) and value == value.to_integral_value():
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _limit(key: str, value: Any) -> tuple[Any, bool]:
    if key == "valueDate" and isinstance(value, str):
        return value[:_DAY_LENGTH], True
    if key in ("valueDateTime", "valueTime"):
        return value, isinstance(value, str)
    if key == "valueQuantity":
        return value, isinstance(value, Mapping)
    if key == "valueDecimal":
        return value, isinstance(value, int | Decimal) and not isinstance(value, bool)
    return value, False


def _item(item: Item, values: Values) -> Item:
    changes: dict[str, Any] = {}
    extensions = dict(item.extensions)
    dropped: list[tuple[str, int]] = []
    for computed, value in values:
        if computed.name in _FIELDS:
            if value is not None:
                open_ = _OPEN[computed.name] if value is _UNKNOWN else value
                changes[_FIELDS[computed.name]] = open_
            continue
        given = list(extensions[computed.name])
        known = None if value is _UNKNOWN else value
        if value is _UNKNOWN:
            dropped.append((computed.name, computed.number))
        elif value is not None:
            given[computed.number] = {"url": computed.name, computed.key: value}
            extensions[computed.name] = tuple(given)
        if computed.name in _COUNTS:
            changes[_COUNTS[computed.name]] = known
    for url, number in sorted(dropped, reverse=True):
        extensions[url] = (*extensions[url][:number], *extensions[url][number + 1 :])
        if not extensions[url]:
            del extensions[url]
    return replace(item, extensions=extensions, **changes)
