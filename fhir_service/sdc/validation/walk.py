"""One walk over the two trees: what is plainly right is passed by, all else is asked of the rules.

No place is built before something is found. http://hl7.org/fhir/R4/questionnaireresponse.html#link
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from msgspec import UNSET

from fhir_service.sdc.enablement import Enablement, Scopes
from fhir_service.sdc.plainly import entry_passes, passes, quickly
from fhir_service.sdc.plans import Plan
from fhir_service.sdc.response_model import ResponseAnswer, ResponseItem, value_of
from fhir_service.sdc.response_walk import Doubt, look_at, look_at_answer, look_at_words
from fhir_service.sdc.validation import by_expression, item_modes, occurrence, options, structure
from fhir_service.sdc.validation.by_kind import OTHER_TYPE, RULES_FOR
from fhir_service.sdc.validation.context import (
    Answered,
    Check,
    Met,
    Trail,
    depth_of,
)

_EMPTY: Final[Mapping[str, Any]] = {}
_NONE: Final[Sequence[ResponseItem]] = ()
_NEVER: Final = -(2**31)
"""So many less than met, and no count of answers is all that is wanted."""


class Walk:
    """The walk of one check. ``careful`` asks the rules of every answer, the plain ones too.

    It looks at each item of a response that was only skimmed, and raises Doubt for one that is
    not plainly sound; ``properties`` counts theirs.
    """

    __slots__ = (
        "careful", "check", "doubtful", "enablement", "known", "looking", "properties", "testing",
    )  # fmt: skip

    def __init__(self, check: Check, *, careful: bool = False) -> None:
        self.check = check
        self.careful = careful
        response = check.response
        self.enablement = Enablement(response.items, lambda: response.index, check.evaluation)
        self.enablement.walking = True
        self.testing = not (careful or response.extended)
        self.looking = self.testing or response.sent is not None
        self.properties = 0
        self.known: dict[int, int] = {}
        self.doubtful = False

    def level(
        self, plan: Plan, items: Sequence[ResponseItem], trail: Trail, scopes: Scopes, shown: bool
    ) -> None:
        """The items of one place, ``plan`` around them, enabled if ``shown``."""
        children, table, seen = plan.children, plan.table, self.enablement.seen
        testing = self.testing and shown
        known = self.known if trail is None else {}
        last, met, number = -1, 0, -1
        for item in items:
            number += 1
            child = children.get(item.link_id)
            if child is None:
                self.unknown(item, (trail, number, None))
                continue
            first = child.index > last
            if first:
                last = child.index
                if child.sought:
                    seen[child.link_id] = item
            elif child.index < last or not child.item.repeats or not child.is_group:
                self.enablement.odd = True
                self.check.mixed = True
                structure.order(self.check, child, last, (trail, number, None))
                met = _NEVER
            if not testing:
                count = 0
            elif (entry := table.get(child.link_id)) is not None:
                count = entry_passes(child, entry, item, self.enablement, scopes)
            else:
                count = quickly(child, item, self.enablement, scopes)
            if count:
                self.properties += count
                known[number] = count
                met += first and child.wanted and not child.counted
            else:
                met += self.closely(child, item, (trail, number, None), scopes, shown)
        if shown and plan.demanding and met != len(plan.demanding):
            self.demands(plan, items, trail, scopes)

    def closely(
        self, plan: Plan, item: ResponseItem, trail: Trail, scopes: Scopes, around: bool
    ) -> bool:
        """One item of the response that is not plainly right; as ``expressed`` gives back."""
        shown = around and (not plan.sources or self.enablement.enabled(plan, scopes))
        try:
            if plan.expressions is not None:
                return self.expressed(plan, item, trail, scopes, around, shown)
            self.one(plan, item, trail, scopes, around, shown)
        except Doubt:
            if plan.ancestors[1:]:
                raise
            self.doubtful = True  # the other root items are looked at before it is told
        return False

    def unknown(self, item: ResponseItem, trail: Trail) -> None:
        """An item that the form does not have at this place."""
        self.enablement.odd = True
        if self.looking:
            self.properties += look_at((item,), self.levels_below(trail) + 1)
        structure.unknown_item(self.check, item.link_id, trail)

    def expressed(
        self,
        plan: Plan,
        item: ResponseItem,
        trail: Trail,
        scopes: Scopes,
        around: bool,
        shown: bool,
    ) -> bool:
        """One item of the response on which expressions have a say.

        Whether it is one that was asked for, and nothing more is asked for at this place.
        """
        evaluation = self.check.evaluation
        if evaluation is None:
            raise RuntimeError("a form with expressions is checked without what evaluates them")
        here = evaluation.instances.here(plan, trail, item)
        if plan.asking and shown:
            shown = by_expression.enabled(self.check, plan, here)
        made = plan
        if shown and plan.expressions is not None and plan.expressions.computed:
            made = by_expression.effective(self.check, plan, here)
        count = passes(made, item) if shown and self.testing else 0
        self.properties += count
        if not count:
            self.one(made, item, trail, scopes, around, shown)
        if shown and made.expressions is not None and made.expressions.told:
            self.check.mixed = True
            by_expression.of_item(self.check, made, item, here, trail)
        return plan.wanted and shown and not plan.is_group and (count > 0 or _has_value(item))

    def one(
        self,
        plan: Plan,
        item: ResponseItem,
        trail: Trail,
        scopes: Scopes,
        around: bool,
        shown: bool,
    ) -> None:
        """One item of the response beside the form's; ``around`` if what is around is enabled."""
        if self.looking:
            self.properties += look_at_words(item)
        if around and not shown and occurrence.is_answered(item):
            self.check.tell("answer-while-disabled", trail, plan)
        if (
            not self.testing
            or item.text not in plan.words
            or item.definition is not UNSET
            or item.modifier_extension is not UNSET
            or (item.answers if plan.is_group else item.items) is not UNSET
            or (plan.field is None and not plan.is_group)
        ):
            self.enablement.odd = True
            if self.looking:
                self.look(plan, item, trail)
            met = Met(plan, item, shown)
            for rule in structure.RULES:
                rule(self.check, met, trail)
        if plan.watched:
            for rule in item_modes.RULES:
                rule(self.check, Met(plan, item, shown), trail)
        if plan.is_group:
            inner = {**scopes, plan.link_id: item} if plan.repeats else scopes
            self.level(plan, item.items or _NONE, trail, inner, shown)
        elif item.answers is not UNSET:
            self.answers(plan, item.answers, trail, scopes, shown)

    def look(self, plan: Plan, item: ResponseItem, trail: Trail) -> None:
        """Look at what the walk does not come to, for it stands at a wrong place."""
        if not plan.is_group:
            self.properties += look_at(item.items or _NONE, self.levels_below(trail))
            return
        for answer in item.answers or ():
            self.properties += look_at_answer(answer)
            self.properties += look_at(answer.items or _NONE, self.levels_below(trail))

    def levels_below(self, trail: Trail) -> int:
        """How many levels of items may lie in the one at the end of this trail."""
        return self.check.response.levels - depth_of(trail)

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
            if self.looking:
                self.properties += look_at_answer(answer)
            if self.careful or not plan.plain or not _plainly_right(plan, answer):
                self.answer(plan, answer, number, trail)
            if answer.items is not UNSET or plan.demanding:
                inner = {**scopes, plan.link_id: answer} if plan.repeats else scopes
                above, item, _ = trail
                self.level(plan, answer.items or _NONE, (above, item, number), inner, shown)
        if len(given) > 1:
            self.together(plan, given, trail, shown)
        elif plan.item.min_occurs is not None:
            self.check.mixed = True
            occurrence.answers_of(self.check, plan, len(given), trail)

    def answer(self, plan: Plan, answer: ResponseAnswer, number: int, trail: Any) -> None:
        """One answer, by all rules."""
        found = value_of(answer)
        above, item, _ = trail
        if found is None:
            return
        answered = Answered(plan, *found, number, answer.extension or ())
        other = plan.kinds and found[0] not in plan.kinds  # of another type: that alone is told
        for rule in OTHER_TYPE if other else RULES_FOR[found[0]]:
            rule(self.check, answered, (above, item, number))

    def together(
        self, plan: Plan, given: Sequence[ResponseAnswer], trail: Trail, shown: bool
    ) -> None:
        """What the answers of a question have to keep among themselves."""
        self.check.mixed = True
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
        self.check.mixed = True
        places: dict[str, list[int]] = {}
        for number, item in enumerate(items):
            places.setdefault(item.link_id, []).append(number)
        for child in plan.demanding:
            if child.sources and not self.enablement.enabled(child, scopes):
                continue
            numbers = places.get(child.link_id, ())
            place = (trail, numbers[0], None) if numbers else trail
            sent = bool(numbers)
            asked = by_expression.demanded(self.check, child, place, sent=sent)
            if asked is None:
                continue
            if asked.is_group:
                found = [items[number] for number in numbers]
                occurrence.instances_of(self.check, asked, found, place)
            elif not any(_has_value(items[number]) for number in numbers):
                occurrence.answers_of(self.check, asked, 0, place)

    def doubts(self) -> None:
        """C12, H11: conditions that compare what can not be compared, or hang on themselves."""
        if not (self.check.form.plan.weighed or self.enablement.doubts or self.enablement.circles):
            return
        self.check.mixed = True
        for plan in self.check.form.plan.weighed:
            self.enablement.enabled(plan, _EMPTY)
        for link_id in sorted(self.enablement.doubts, key=self.check.form.order.__getitem__):
            item = self.check.response.index.get(self.enablement.doubts[link_id])
            if item is not None:
                plan = self.check.form.plans[link_id]
                self.check.tell("units-not-comparable", None, plan)
        for link_id in sorted(self.enablement.circles, key=self.check.form.order.__getitem__):
            self.check.tell("conditions-in-circle", None, self.check.form.plans[link_id])


def _has_value(item: ResponseItem) -> bool:
    return any(value_of(answer) is not None for answer in item.answers or ())


def _plainly_right(plan: Plan, answer: ResponseAnswer) -> bool:
    """Whether no rule could have anything against this answer, to an item without limits."""
    coding = answer.coding
    if coding is not UNSET:
        if coding.extension is not UNSET or answer.extension is not UNSET:
            return False  # a weight may have been sent along
        return coding in plan.offered
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
    """Walk, and gather what is found, in the order of the form.

    Raises Doubt for a skimmed response that is not plainly sound.
    """
    walk = Walk(check, careful=careful)
    root = check.form.plan
    if root.expressions is not None:
        check.mixed = True
        by_expression.of_form(check)
    walk.level(root, check.response.items, None, _EMPTY, True)
    if walk.doubtful or (walk.looking and walk.properties != check.response.properties):
        check.known = walk.known
        raise Doubt
    walk.doubts()
