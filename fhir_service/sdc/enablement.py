"""Whether an item is enabled, as enableWhen and enableWhenExpression say of the answers given.

A condition looks for its question in the nearest instance of a repeating group around both. What
a disabled question was answered does not count. http://hl7.org/fhir/R4/questionnaire-definitions.html#Questionnaire.item.enableWhen
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from msgspec import UNSET

from fhir_service.sdc.comparing import UnitsDiffer, equal, order
from fhir_service.sdc.conditions import Asked
from fhir_service.sdc.items import Condition, ValueKind
from fhir_service.sdc.plans import Plan, Source
from fhir_service.sdc.response_model import ResponseAnswer, ResponseItem, value_of

if TYPE_CHECKING:
    from fhir_service.sdc.evaluation import Evaluation

Scopes = Mapping[str, ResponseItem | ResponseAnswer]
"""The instance of each repeating item that one stands in, by linkId."""

Given = tuple[ValueKind, Any]

Index = Callable[[], Mapping[str, ResponseItem]]
"""Gives every item by linkId."""

_NOWHERE: Scopes = {}


def holds(condition: Condition, given: Sequence[Given]) -> bool:
    """Whether one condition is met by the answers given to its question.

    ``!=`` asks that no answer equals the value, so an unanswered question meets it; form players
    differ here, and checking a form warns where its sense hangs on it. The orderings ask for at
    least one answer: R4 prints "at least no answer", R5 corrects it. What is not known (a date of
    less precision) does not meet a condition. Raises UnitsDiffer where units can not be compared.
    https://hl7.org/fhir/R5/valueset-questionnaire-enable-operator.html
    """
    operator = condition.operator
    if operator == "exists":
        return bool(given) is condition.value
    if operator in ("=", "!="):
        found = [equal(kind, value, condition.kind, condition.value) for kind, value in given]
        if operator == "=":
            return any(found)
        return all(one is False for one in found)
    signs = [order(kind, value, condition.kind, condition.value) for kind, value in given]
    return any(sign in _MET[operator] for sign in signs if sign is not None)


_MET: Mapping[str, tuple[int, ...]] = {">": (1,), "<": (-1,), ">=": (0, 1), "<=": (-1, 0)}


class Enablement:
    """The conditions of a form against one response."""

    def __init__(
        self, items: Sequence[ResponseItem], index: Index, evaluation: Evaluation | None = None
    ) -> None:
        self._items = items
        self._index = index
        self._evaluation = evaluation
        self._known: dict[str, bool] = {}
        self._open: set[str] = set()
        self.seen: dict[str, ResponseItem] = {}
        """What a walk in the form's order has met of the index, which need not be made then."""
        self.walking = False
        """Whether ``seen`` is filled by a walk: what is not in it then, though earlier, is not."""
        self.odd = False
        """Whether such a walk has met what stands at a wrong place; then the index is asked."""
        self.doubts: dict[str, str] = {}
        """linkIds whose conditions compare units that can not be compared, with the question's."""
        self.circles: set[str] = set()
        """linkIds whose conditions were asked for while they were being decided."""

    def enabled(self, plan: Plan, scopes: Scopes, *, one_by_one: bool = False) -> bool:
        """Whether the item's own conditions are met; those of items around it are not asked.

        Of a repeating item its first instance; ``one_by_one`` leaves its enableWhenExpression to a
        caller who asks for each instance. What can not be told enables.
        """
        evaluation = None if one_by_one or not plan.asking else self._evaluation
        if evaluation is not None and evaluation.enabled_within(plan, scopes) is False:
            return False
        if not plan.sources:
            return True
        if scopes:
            return self._decide(plan, scopes)
        known = self._known.get(plan.link_id)
        if known is None:
            known = self._known[plan.link_id] = self._decide(plan, scopes)
        return known

    def _decide(self, plan: Plan, scopes: Scopes) -> bool:
        if plan.link_id in self._open:  # a circle of conditions: the answers inside it count
            self.circles.add(plan.link_id)
            return True
        self._open.add(plan.link_id)
        enough = plan.item.enable_behavior == "any"
        try:
            for source in plan.sources:
                if self._meets(plan, source, scopes) is enough:
                    return enough
            return not enough
        finally:
            self._open.discard(plan.link_id)

    def _meets(self, plan: Plan, source: Source, scopes: Scopes) -> bool:
        if source.asked is not None:
            met = self._simply(source, source.asked)
            if met is not None:
                return met
        try:
            return holds(source.condition, self._given(source, scopes))
        except UnitsDiffer:
            self.doubts[plan.link_id] = source.condition.question
            return False

    def _simply(self, source: Source, asked: Asked) -> bool | None:
        """One of the common conditions, on a question that stands at one place."""
        item = self._item(source)
        answers = () if item is None or item.answers is UNSET else item.answers
        if answers and source.plan is not None:
            for one in source.plan.conditional:
                if not self.enabled(one, _NOWHERE):
                    answers = ()
        return asked(answers)

    def _item(self, source: Source) -> ResponseItem | None:
        link_id = source.condition.question
        item = self.seen.get(link_id)
        if item is None and not (source.earlier and self.walking and not self.odd):
            item = self._index().get(link_id)
        return item

    def _given(self, source: Source, scopes: Scopes) -> list[Given]:
        if source.plan is None:
            return []
        found: list[Given] = []
        for answers, around in self._answers(source, scopes):
            if all(self.enabled(one, around) for one in source.plan.conditional):
                found.extend(
                    value for answer in answers if (value := value_of(answer)) is not None
                )
        return found

    def _answers(
        self, source: Source, scopes: Scopes
    ) -> Iterator[tuple[Sequence[ResponseAnswer], Scopes]]:
        if source.flat:
            item = self._item(source)
            if item is not None and item.answers is not UNSET:
                yield item.answers, {}
            return
        if source.base is None:
            start: Sequence[ResponseItem] = self._items
        else:
            around = scopes.get(source.base.link_id)
            if around is None:
                return
            if source.own:
                if isinstance(around, ResponseAnswer):
                    yield (around,), scopes
                return
            start = around.items or ()
        yield from _find(start, source.path, scopes)


def _find(
    items: Sequence[ResponseItem], path: Sequence[Plan], scopes: Scopes
) -> Iterator[tuple[Sequence[ResponseAnswer], Scopes]]:
    """The answers to the last of ``path``, in each instance there is, with what is around them."""
    head, rest = path[0], path[1:]
    for item in items:
        if item.link_id != head.link_id:
            continue
        if not rest:
            yield item.answers or (), scopes
            continue
        for inside in [item] if head.is_group else item.answers or ():
            around = {**scopes, head.link_id: inside} if head.repeats else scopes
            yield from _find(inside.items or (), rest, around)
