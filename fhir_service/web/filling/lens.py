"""A response beside its form, as a page needs it: what is enabled, offered, computed.

Everything is decided by the checker's own parts; there is no second set of rules.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from functools import cached_property
from typing import Any, Final

from fhir_service.fhir.fhirpath import Node as PathNode
from fhir_service.sdc import computed
from fhir_service.sdc.compiled import Form
from fhir_service.sdc.evaluation import Evaluation
from fhir_service.sdc.expressions import NotDecided
from fhir_service.sdc.instances import Instances
from fhir_service.sdc.items import Item
from fhir_service.sdc.pairing import Node, pair
from fhir_service.sdc.plans import Plan
from fhir_service.sdc.response_model import items_from

Json = dict[str, Any]

_STEP: Final = re.compile(r"\.(item|answer)\[(\d+)\]")


@dataclass(frozen=True)
class Lens:
    """One response beside its form at one moment. Nothing in it changes."""

    form: Form
    response: Json
    now: datetime
    zone: tzinfo

    @cached_property
    def nodes(self) -> tuple[Node, ...]:
        """The root items with what was answered."""
        return pair(self.form, self.response, now=self.now, zone=self.zone)

    @cached_property
    def evaluation(self) -> Evaluation | None:
        """What evaluates the form's expressions; None for a form without any."""
        if not self.form.plan.expressive:
            return None
        decoded = items_from(self.response.get("item", []))
        instances = Instances(lambda: self.response, decoded)
        return Evaluation(
            self.form.plan, self.form.questionnaire, instances, now=self.now, zone=self.zone
        )

    def all(self) -> Iterator[Node]:
        """Every node, those around before those within."""
        return iter(self._everything)

    @cached_property
    def _everything(self) -> tuple[Node, ...]:
        return tuple(_walk(self.nodes))

    def at(self, place: str | None) -> Json | None:
        """The JSON that stands at this place of the response."""
        if place is None:
            return None
        found: Any = self.response
        for name, number in _STEP.findall(place):
            found = found[name][int(number)]
        return found if isinstance(found, dict) else None

    def item_now(self, node: Node) -> Item:
        """The item with the elements that its expressions give now."""
        plan = self.form.plans[node.item.link_id]
        if self.evaluation is None or plan.expressions is None or not plan.expressions.computed:
            return node.item
        return computed.effective(plan, self.evaluation, self._here(plan, node)).item

    def given_by(self, node: Node, kind: str) -> list[Any] | None:
        """What the ``answers`` or ``calculated`` expression of an item gives, as JSON values.

        None where it has none, or where that can not be told.
        """
        plan, evaluation = self.form.plans[node.item.link_id], self.evaluation
        if evaluation is None or plan.expressions is None:
            return None
        found: list[Any] | None = None
        for formula in getattr(plan.expressions, kind):
            try:
                found = [*(found or []), *evaluation.json(formula, self._here(plan, node))]
            except NotDecided:
                return None
        return found

    def switched(self, node: Node) -> Sequence[tuple[Sequence[tuple[Any, Any]], bool]]:
        """The options that toggles name, and whether each toggle is on; undecided ones are."""
        plan, evaluation = self.form.plans[node.item.link_id], self.evaluation
        if evaluation is None or plan.expressions is None:
            return ()
        made = []
        for toggle in plan.expressions.toggles:
            try:
                on = evaluation.truth(toggle.formula, self._here(plan, node)) is True
            except NotDecided:
                on = True
            made.append((tuple(toggle.options), on))
        return made

    def _here(self, plan: Plan, node: Node) -> PathNode:
        """The instance that expressions of this item are evaluated at."""
        assert self.evaluation is not None  # noqa: S101  both callers have looked
        instances = self.evaluation.instances
        raw = self.at(node.place)
        if raw is not None:
            try:
                return instances.of(plan, raw)
            except KeyError:  # the engine holds a copy: the first instance will do
                return instances.within(plan, {})
        return instances.within(plan, {})


def _walk(nodes: Sequence[Node]) -> Iterator[Node]:
    for node in nodes:
        yield node
        yield from _walk(node.nodes)
        for answer in node.answers:
            yield from _walk(answer.nodes)


def answers_of(items: Sequence[Mapping[str, Any]], link_id: str) -> list[Mapping[str, Any]]:
    """The answers directly under the item of this linkId, among these items."""
    return [
        answer
        for item in items
        if item.get("linkId") == link_id
        for answer in item.get("answer", ())
    ]
