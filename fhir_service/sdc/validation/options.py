"""Rules of choice: the answer is one of those offered.

http://hl7.org/fhir/R4/questionnaire-definitions.html#Questionnaire.item.answerOption
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from fhir_service.sdc import extensions as ext
from fhir_service.sdc.comparing import part
from fhir_service.sdc.items import Option
from fhir_service.sdc.plans import Plan, value_key
from fhir_service.sdc.validation.context import Answered, Check, Place, Trail


def _plain(value: Any) -> dict[str, Any]:
    """A decoded Coding as a dictionary."""
    parts = {name: part(value, name) for name in ("system", "version", "code", "display")}
    return {name: one for name, one in parts.items() if one is not None}


def _constraint(plan: Plan) -> str | None:
    """AnswerConstraint of R5, as extension: optionsOnly, optionsOrType, optionsOrString."""
    found = ext.value(plan.item.extensions, ext.ANSWER_CONSTRAINT)
    return found if isinstance(found, str) else None


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
    if kind == "Coding":
        found = _option(plan, answered.value) is not None or _constraint(plan) == "optionsOrType"
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
    if _constraint(plan) == "optionsOnly":
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


def in_value_set(check: Check, answered: Answered, place: Place) -> None:
    """G9, G11: the code is in the value set; where that is not known, this is told."""
    value_set = answered.plan.item.answer_value_set
    if value_set is None or answered.kind != "Coding":
        return
    within = check.form.questionnaire
    coding = _plain(answered.value)
    known = None if check.codes is None else check.codes.has(value_set, coding, within)
    if known is None:
        check.tell("value-set-unknown", place, answered.plan, value_set=value_set)
    elif not known:
        check.tell("value-set-not-member", place, answered.plan)


RULES: Final[tuple[Callable[[Check, Answered, Place], None], ...]] = (
    offered,
    free_text,
    display_fits,
    in_value_set,
    system_named,
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
        return value_key("Coding", _plain(value))
    if answered.kind in ("Quantity", "decimal", "Attachment", "Reference"):
        return repr(value) if not isinstance(value, dict) else value_key(answered.kind, value)
    return value
