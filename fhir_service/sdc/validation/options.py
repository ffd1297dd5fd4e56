"""Rules of choice: the answer is one of those offered.

http://hl7.org/fhir/R4/questionnaire-definitions.html#Questionnaire.item.answerOption
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any, Final

from msgspec import Raw

from fhir_service.sdc import extensions as ext
from fhir_service.sdc.items import Option
from fhir_service.sdc.measuring import part
from fhir_service.sdc.plans import KINDS_OF, Plan, value_key
from fhir_service.sdc.validation import value_sets
from fhir_service.sdc.validation.context import Answered, Check, Place, Trail


def _option(plan: Plan, coding: Any) -> Option | None:
    """The option with this code (or, for an option without code, with this display)."""
    system, code = part(coding, "system"), part(coding, "code")
    if code is not None:
        return plan.codings.get((system, code))
    display = part(coding, "display")
    return next(
        (
            option
            for option in plan.item.options
            if option.kind == "Coding"
            and "code" not in option.value
            and option.value.get("display") == display
        ),
        None,
    )


def offered(check: Check, answered: Answered, place: Place) -> None:
    """G1, G2, G3: the answer is one of the options; open choices take free text besides."""
    plan, kind = answered.plan, answered.kind
    if not plan.item.options or kind not in plan.kinds:
        return
    if plan.constraint == "optionsOrType" and kind in KINDS_OF[plan.item.type]:
        return
    if kind == "Coding":
        found = _option(plan, answered.value) is not None
    elif kind == "string" and plan.free_text:
        return
    else:
        found = (kind, value_key(kind, answered.value)) in plan.option_values
    if not found:
        check.tell("option-not-offered", place, plan)


def display_fits(check: Check, answered: Answered, place: Place) -> None:
    """G12: the display is the option's, in one of its languages."""
    if answered.kind != "Coding":
        return
    option, display = _option(answered.plan, answered.value), part(answered.value, "display")
    if option is None or display is None:
        return
    if display not in option.labels.values():
        check.tell("display-wrong", place, answered.plan, option=option.labels.get("", ""))


def free_text(check: Check, answered: Answered, place: Place) -> None:
    """G4, G5: free text only where it is allowed, and not for what is an option."""
    plan = answered.plan
    if answered.kind != "string" or not plan.free_text:
        return
    if plan.constraint == "optionsOnly":
        check.tell("free-text-not-allowed", place, plan)
        return
    said = answered.value.strip().casefold()
    words = {
        word.casefold()
        for option in plan.item.options
        if option.kind == "Coding"
        for word in (*option.labels.values(), option.value.get("code", ""))
    }
    if said in words:
        check.tell("free-text-is-option", place, plan)


def system_named(check: Check, answered: Answered, place: Place) -> None:
    """G15: a code has a system."""
    if answered.kind != "Coding" or part(answered.value, "code") is None:
        return
    if part(answered.value, "system") is None:
        check.tell("coding-without-system", place, answered.plan)


def weight_kept(check: Check, answered: Answered, place: Place) -> None:
    """G18: a weight sent along, by the old or the new extension, is that of the option.

    https://hl7.org/fhir/extensions/StructureDefinition-itemWeight.html
    """
    option = _option(answered.plan, answered.value) if answered.kind == "Coding" else None
    if option is None or option.weight is None:
        return
    for one in (*answered.extensions, *(part(answered.value, "extension") or ())):
        if one.get("url") in (ext.ITEM_WEIGHT, ext.ORDINAL_VALUE) and _number(
            ext.value_of(one)
        ) != _number(option.weight):
            check.tell("weight-differs", place, answered.plan, weight=option.weight)
            return


def _number(value: Any) -> Decimal | None:
    """A number as it was written; None for what is none."""
    return Decimal(str(value)) if isinstance(value, int | float | Decimal) else None


RULES: Final[tuple[Callable[[Check, Answered, Place], None], ...]] = (
    offered,
    free_text,
    display_fits,
    value_sets.in_value_set,
    system_named,
    weight_kept,
)


def together(check: Check, plan: Plan, given: Sequence[Answered], trail: Trail) -> None:
    """B17, G6: no answer twice; an exclusive option alone."""
    seen = set()
    above, item, _ = trail or (None, 0, None)
    for answered in given:
        key = answered.kind, _key(answered)
        if key in seen and plan.item.repeats:
            check.tell("same-answer-twice", (above, item, answered.number), plan)
        seen.add(key)
    if len(given) > 1:
        for answered in given:
            option = plan.exclusive.get(_key(answered))
            if option is not None:
                where = (above, item, answered.number)
                label = option.labels.get("", "")
                check.tell("exclusive-option-with-others", where, plan, option=label)


def _key(answered: Answered) -> Any:
    value = answered.value
    if answered.kind == "Coding":
        return value_key("Coding", value_sets.plain(value))
    if answered.kind == "Reference" and isinstance(value.get("reference"), str):
        return value["reference"]
    if answered.kind == "Quantity":
        names = ("comparator", "unit", "system", "code")
        return _written(part(value, "value")), *(part(value, name) for name in names)
    return repr(value) if isinstance(value, dict) else _written(value)


def _written(value: Any) -> Any:
    """A number by its digits: what is not decoded yet has no value to compare by."""
    return bytes(value) if isinstance(value, Raw) else value
