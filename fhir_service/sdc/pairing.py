"""Form and response side by side: every item of the form, with the answers given and their places.

The slow, complete lens, for the summary and for collecting every finding; the hot path walks the
decoded response itself. http://hl7.org/fhir/R4/questionnaireresponse.html#link
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, tzinfo
from functools import cache
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from fhir_service.sdc.compiled import Form
from fhir_service.sdc.enablement import Enablement, Scopes
from fhir_service.sdc.item_reading import choice
from fhir_service.sdc.items import Item, ValueKind
from fhir_service.sdc.plans import Plan
from fhir_service.sdc.response_model import ResponseAnswer, ResponseItem, items_from
from fhir_service.sdc.response_walk import index_of

if TYPE_CHECKING:
    from fhir_service.sdc.evaluation import Evaluation


class Answer(Struct, frozen=True):
    """One answer. ``place`` is its FHIRPath (``QuestionnaireResponse.item[0].answer[1]``).

    ``value`` is the JSON value, decimals as Decimal; None where an answer carries only extensions.
    """

    kind: ValueKind | None
    value: Any
    place: str
    nodes: tuple[Node, ...] = ()


class Node(Struct, frozen=True):
    """One item, or one instance of a repeating group, beside what was answered.

    ``place`` is None when the response does not have the item. ``enabled`` is what the form's
    conditions say of it, its ancestors included. ``nodes`` are a group's children; a
    question's children lie under its answers (under the question itself while unanswered).
    """

    item: Item
    place: str | None
    enabled: bool
    answers: tuple[Answer, ...] = ()
    nodes: tuple[Node, ...] = ()


def pair(
    form: Form,
    response: Mapping[str, Any],
    *,
    now: datetime | None = None,
    zone: tzinfo | None = None,
    decoded: Sequence[ResponseItem] | None = None,
) -> tuple[Node, ...]:
    """The Nodes of the form's root items, in form order, beside a response (from read_json).

    Every item of the form is there at least once, a repeating group once per instance. Items that
    the form does not know are left out; the check tells of them. ``now`` is what expressions take
    for the present: when the response was written, where it is None. An item is enabled where its
    enableWhenExpression can not be told. ``decoded`` are the same items as ``decode`` gave them,
    where somebody has.
    """
    raw = response.get("item", [])
    items = items_from(raw) if decoded is None else decoded
    evaluation = _evaluation(form, response, items, (now, zone))
    lens = _Lens(Enablement(items, cache(lambda: index_of(items)), evaluation), evaluation)
    level = _level(raw, items, "QuestionnaireResponse")
    return lens.nodes(form.plan, level, {}, enabled=True)


def _evaluation(
    form: Form,
    response: Mapping[str, Any],
    decoded: Sequence[ResponseItem],
    clock: tuple[datetime | None, tzinfo | None],
) -> Evaluation | None:
    """What evaluates the form's expressions on this response; None for a form without any."""
    if not form.plan.expressive:
        return None
    from fhir_service.sdc.evaluation import (  # noqa: PLC0415  only a form with one needs it
        Evaluation,
        written_at,
    )
    from fhir_service.sdc.instances import Instances  # noqa: PLC0415  the same

    now, zone = clock
    written = written_at(response.get("authored"), zone)
    instances = Instances(lambda: response, decoded)
    return Evaluation(form.plan, form.questionnaire, instances, now=now or written, zone=zone)


_Found = tuple[Mapping[str, Any], ResponseItem, str]
"""An item of the response, plain and decoded, and its place."""

_Level = Mapping[str, Sequence[_Found]]
"""The items of one place in the response by linkId."""


def _level(raw: Sequence[Mapping[str, Any]], decoded: Sequence[ResponseItem], at: str) -> _Level:
    level: dict[str, list[_Found]] = {}
    for number, (one, item) in enumerate(zip(raw, decoded, strict=True)):
        level.setdefault(item.link_id, []).append((one, item, f"{at}.item[{number}]"))
    return level


def _inside(raw: Mapping[str, Any], decoded: ResponseItem | ResponseAnswer, place: str) -> _Level:
    return _level(raw["item"], decoded.items or (), place) if "item" in raw else _NOTHING


_NOTHING: _Level = {}


class _Lens:
    """Walks both trees; holds what the conditions need."""

    def __init__(self, enablement: Enablement, evaluation: Evaluation | None) -> None:
        self._enablement = enablement
        self._evaluation = evaluation

    def nodes(
        self, around: Plan, level: _Level, scopes: Scopes, *, enabled: bool
    ) -> tuple[Node, ...]:
        if not around.children:
            return ()
        made: list[Node] = []
        for plan in around.children.values():
            found = level.get(plan.link_id, ())
            one_by_one = bool(found) and plan.is_group and plan.repeats
            shown = enabled and self._enablement.enabled(plan, scopes, one_by_one=one_by_one)
            if not found:
                below = self.nodes(plan, _NOTHING, scopes, enabled=shown)
                made.append(Node(plan.item, None, shown, nodes=below))
            elif plan.is_group:
                made.extend(self._group(plan, *one, scopes, enabled=shown) for one in found)
            else:
                made.append(self._question(plan, found, scopes, enabled=shown))
        return tuple(made)

    def _group(
        self,
        plan: Plan,
        raw: Mapping[str, Any],
        item: ResponseItem,
        place: str,
        scopes: Scopes,
        *,
        enabled: bool,
    ) -> Node:
        inner = {**scopes, plan.link_id: item} if plan.repeats else scopes
        if enabled and plan.asking and plan.repeats and self._evaluation is not None:
            here = self._evaluation.instances.of(plan, raw)
            enabled = self._evaluation.enabled(plan, here) is not False
        below = self.nodes(plan, _inside(raw, item, place), inner, enabled=enabled)
        return Node(plan.item, place, enabled, nodes=below)

    def _question(
        self,
        plan: Plan,
        found: Sequence[_Found],
        scopes: Scopes,
        *,
        enabled: bool,
    ) -> Node:
        """One Node for a question, also where a sender has split its answers over items."""
        answers = [
            self._answer(
                plan, given, decoded, f"{place}.answer[{number}]", scopes, enabled=enabled
            )
            for raw, item, place in found
            for number, (given, decoded) in enumerate(
                zip(raw.get("answer", ()), item.answers or (), strict=True)
            )
        ]
        below = () if answers else self.nodes(plan, _NOTHING, scopes, enabled=enabled)
        return Node(plan.item, found[0][2], enabled, tuple(answers), below)

    def _answer(
        self,
        plan: Plan,
        raw: Mapping[str, Any],
        decoded: ResponseAnswer,
        place: str,
        scopes: Scopes,
        *,
        enabled: bool,
    ) -> Answer:
        inner = {**scopes, plan.link_id: decoded} if plan.repeats else scopes
        below = self.nodes(plan, _inside(raw, decoded, place), inner, enabled=enabled)
        kind, value = choice(raw, "value") or (None, None)
        return Answer(kind, value, place, below)
