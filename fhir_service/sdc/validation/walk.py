"""One walk over the two trees: what is plainly right is passed by, all else is asked of the rules.

No place is built before something is found. http://hl7.org/fhir/R4/questionnaireresponse.html#link
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from msgspec import UNSET

from fhir_service.sdc.enablement import Enablement, Scopes
from fhir_service.sdc.items import ValueKind
from fhir_service.sdc.plans import Plan
from fhir_service.sdc.response_model import ResponseAnswer, ResponseItem, value_of
from fhir_service.sdc.validation import answers, limits, occurrence, options, structure
from fhir_service.sdc.validation.context import Answered, Check, Met, Place, Trail

AnswerRule = Callable[[Check, Answered, Place], None]

_LIMITED: Final[tuple[AnswerRule, ...]] = (limits.min_value, limits.max_value)
_RULES: Final[Mapping[ValueKind, tuple[AnswerRule, ...]]] = {
    "Coding": options.RULES,
    "string": (answers.one_line, options.offered, options.free_text, limits.max_length),
    "uri": (answers.url_is_absolute, options.offered, limits.max_length),
    "Quantity": (answers.quantity_has_value, *limits.RULES),
    "decimal": (options.offered, *_LIMITED, limits.decimal_places),
    "integer": (options.offered, *_LIMITED),
    "date": (options.offered, *_LIMITED),
    "dateTime": (options.offered, *_LIMITED),
    "time": (options.offered, *_LIMITED),
    "boolean": (options.offered,),
    "Attachment": (),
    "Reference": (options.offered,),
}
RULES_FOR: Final[Mapping[ValueKind, tuple[AnswerRule, ...]]] = {
    kind: (answers.type_fits, *rules) for kind, rules in _RULES.items()
}
"""The rules that have something to say of a value of this type, in the order they are told."""

_EMPTY: Final[Mapping[str, Any]] = {}
_NONE: Final[Sequence[ResponseItem]] = ()


class Walk:
    """The walk of one check. ``careful`` asks the rules of every answer, the plain ones too."""

    __slots__ = ("careful", "check", "enablement")

    def __init__(self, check: Check, *, careful: bool = False) -> None:
        self.check = check
        self.careful = careful
        response = check.response
        self.enablement = Enablement(response.items, response.index)

    def level(
        self, plan: Plan, items: Sequence[ResponseItem], trail: Trail, scopes: Scopes, shown: bool
    ) -> None:
        """The items of one place, ``plan`` around them, enabled if ``shown``."""
        children, check, enablement = plan.children, self.check, self.enablement
        last, quick = -1, not (self.careful or check.response.extended)
        for number, item in enumerate(items):
            child = children.get(item.link_id)
            if child is None:
                structure.unknown_item(check, item.link_id, (trail, number, None))
                continue
            if child.index <= last:
                structure.order(check, child, last, (trail, number, None))
            else:
                last = child.index
            enabled = shown and (not child.sources or enablement.enabled(child, scopes))
            if quick and enabled and child.quick and _is_quick(child, item):
                continue
            if shown and not enabled and occurrence.is_answered(item):
                check.tell("answer-while-disabled", (trail, number, None), child)
            self.one(child, item, (trail, number, None), scopes, enabled)
        if shown and plan.demanding:
            self.demands(plan, items, trail, scopes)

    def one(
        self, plan: Plan, item: ResponseItem, trail: Trail, scopes: Scopes, shown: bool
    ) -> None:
        """One item of the response beside the form's."""
        if (
            item.text not in plan.words
            or item.definition is not UNSET
            or item.modifier_extension is not UNSET
            or (item.answers if plan.is_group else item.items) is not UNSET
            or plan.field is None
        ):
            met = Met(plan, item, shown)
            for rule in structure.RULES:
                rule(self.check, met, trail)
        if plan.is_group:
            inner = {**scopes, plan.link_id: item} if plan.repeats else scopes
            self.level(plan, item.items or _NONE, trail, inner, shown)
        elif item.answers is not UNSET:
            self.answers(plan, item.answers, trail, scopes, shown)

    def answers(
        self,
        plan: Plan,
        given: Sequence[ResponseAnswer],
        trail: Any,
        scopes: Scopes,
        shown: bool,
    ) -> None:
        """The answers of one question."""
        for number, answer in enumerate(given):
            if self.careful or not plan.plain or not _plainly_right(plan, answer):
                self.answer(plan, answer, number, trail, shown)
            if plan.children and (answer.items is not UNSET or plan.demanding):
                inner = {**scopes, plan.link_id: answer} if plan.repeats else scopes
                above, item, _ = trail
                self.level(plan, answer.items or _NONE, (above, item, number), inner, shown)
            elif answer.items is not UNSET:
                above, item, _ = trail
                self.level(plan, answer.items, (above, item, number), scopes, shown)
        if len(given) > 1 and not (shown and _several_are_fine(plan, given)):
            self.together(plan, given, trail, shown)
        elif plan.item.min_occurs is not None:
            occurrence.answers_of(self.check, plan, len(given), trail)

    def answer(
        self, plan: Plan, answer: ResponseAnswer, number: int, trail: Any, shown: bool
    ) -> None:
        """One answer, by all rules."""
        found = value_of(answer)
        above, item, _ = trail
        if found is None:
            return
        answered = Answered(plan, *found, number)
        for rule in RULES_FOR[found[0]]:
            rule(self.check, answered, (above, item, number))
        if plan.unresolved and number == 0 and shown:
            self.unresolved(plan, plan.unresolved, trail)

    def together(
        self, plan: Plan, given: Sequence[ResponseAnswer], trail: Trail, shown: bool
    ) -> None:
        """What the answers of a question have to keep among themselves."""
        valued = [
            Answered(plan, *found, number)
            for number, answer in enumerate(given)
            if (found := value_of(answer)) is not None
        ]
        if len(valued) > 1:
            options.together(self.check, plan, valued, trail)
        if shown and valued:
            occurrence.answers_of(self.check, plan, len(valued), trail)

    def demands(
        self, plan: Plan, items: Sequence[ResponseItem], trail: Trail, scopes: Scopes
    ) -> None:
        """What the form asks for at this place, though nothing may have been sent for it."""
        for child in plan.demanding:
            if child.sources and not self.enablement.enabled(child, scopes):
                continue
            numbers = [n for n, item in enumerate(items) if item.link_id == child.link_id]
            place = (trail, numbers[0], None) if numbers else trail
            if child.always and not (child.item.answer_value_set and numbers):
                self.unresolved(child, child.always, place)
            if child.is_group:
                found = [items[number] for number in numbers]
                occurrence.instances_of(self.check, child, found, place)
            elif not any(_has_value(items[number]) for number in numbers):
                occurrence.answers_of(self.check, child, 0, place)

    def unresolved(self, plan: Plan, names: Sequence[str], place: Place) -> None:
        """Tell, once an item, of the rules that are not decided here."""
        said = self.check.unresolved
        if plan.link_id not in said:
            said.add(plan.link_id)
            self.check.tell("expression-not-evaluated", place, plan, names=", ".join(names))

    def doubts(self) -> None:
        """C12: conditions that compare what can not be compared."""
        for plan in self.check.form.plan.weighed:
            self.enablement.enabled(plan, _EMPTY)
        for link_id in sorted(self.enablement.doubts, key=self.check.form.order.__getitem__):
            item = self.check.response.index.get(self.enablement.doubts[link_id])
            if item is not None:
                plan = self.check.form.plans[link_id]
                self.check.tell("units-not-comparable", None, plan)


def _has_value(item: ResponseItem) -> bool:
    return any(value_of(answer) is not None for answer in item.answers or ())


def _is_quick(plan: Plan, item: ResponseItem) -> bool:
    """Whether the item has one answer, plainly right, and nothing besides."""
    given = item.answers
    if given is UNSET or len(given) != 1 or item.items is not UNSET:
        return False
    answer = given[0]
    return (
        item.text in plan.words
        and item.definition is UNSET
        and answer.items is UNSET
        and _plainly_right(plan, answer)
    )


def _several_are_fine(plan: Plan, given: Sequence[ResponseAnswer]) -> bool:
    """Whether several answers are different Codings, none of them exclusive, and not too many."""
    item = plan.item
    if not item.repeats or item.min_occurs is not None:
        return False
    if item.max_occurs is not None and len(given) > item.max_occurs:
        return False
    chosen = set()
    for answer in given:
        coding = answer.coding
        if coding is UNSET or coding.code is UNSET:
            return False
        chosen.add((coding.system, coding.code))
    return len(chosen) == len(given) and chosen.isdisjoint(plan.alone)


def _plainly_right(plan: Plan, answer: ResponseAnswer) -> bool:
    """Whether no rule could have anything against this answer, to an item without limits."""
    coding = answer.coding
    if coding is not UNSET:
        return (coding.system, coding.code, coding.display) in plan.offered
    field = plan.field
    if field == "string":
        value = answer.string
        return (
            value is not UNSET
            and not plan.item.options
            and len(value) <= plan.longest
            and (plan.item.type == "text" or ("\n" not in value and "\r" not in value))
        )
    if field == "integer" and plan.span is not None and not plan.item.options:
        return answer.integer is not UNSET and plan.span[0] <= answer.integer <= plan.span[1]
    return field in _FREE and not plan.item.options and getattr(answer, field) is not UNSET


_FREE: Final = frozenset({"boolean", "decimal", "date"})


def run(check: Check, *, careful: bool = False) -> None:
    """Walk, and gather what is found, in the order of the form."""
    walk = Walk(check, careful=careful)
    root = check.form.plan
    if root.always:
        walk.unresolved(root, root.always, None)
    walk.level(root, check.response.items, None, _EMPTY, True)
    walk.doubts()
