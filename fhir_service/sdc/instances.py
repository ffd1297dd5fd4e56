"""The items of one response as the FHIRPath engine has them, found as a walk comes to them.

http://hl7.org/fhir/R4/questionnaireresponse.html#link
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any, Final

from msgspec import UNSET

from fhir_service.fhir.fhirpath import Node, ResponseIndex, node
from fhir_service.sdc.enablement import Scopes
from fhir_service.sdc.plans import Plan
from fhir_service.sdc.response_model import ResponseAnswer, ResponseItem

Json = Mapping[str, Any]

_ITEM: Final = "QuestionnaireResponse.item"


class Instances:
    """Finds the Node of an item; the same item is always the same Node.

    ``read`` gives the response as JSON, decimals as Decimal; it is asked when an item is.
    ``decoded`` are the same items as the walk has them.
    """

    def __init__(self, read: Callable[[], Json], decoded: Sequence[ResponseItem]) -> None:
        self._read = read
        self._decoded = decoded
        self._absent: dict[tuple[str, int], Node] = {}
        self._by_identity: dict[str, dict[int, Node]] = {}

    @cached_property
    def index(self) -> ResponseIndex:
        """The response, and its items by linkId."""
        return ResponseIndex(self._read())

    def at(self, plan: Plan, trail: Any) -> Node:
        """The item of the response that a walk has come to; the response itself for None."""
        if trail is None:
            return self.index.root
        return self.index.only(plan.link_id) or self._of(plan)[id(self._raw(trail))]

    def below(self, plan: Plan, trail: Any) -> Node:
        """An item that was not sent, as one without answers: both mean the same.

        ``trail`` is how a walk came to where it would stand.
        """
        above = self.index.root
        if trail is not None and plan.parent is not None:
            above = self.at(plan.parent, trail)
        return self._without_answer(plan, above)

    def within(self, plan: Plan, scopes: Scopes) -> Node:
        """The first instance of an item inside these instances; without answers if there is none.

        The instances that are not told apart by ``scopes`` are those of the form.
        """
        line = (*plan.ancestors[1:], plan)
        start = max((n for n, one in enumerate(line[:-1]) if one.link_id in scopes), default=-1)
        if start < 0:
            found = self._of(plan)
            if found:
                return next(iter(found.values()))
            above, insides = self.index.root, [self.index.root.value]
        else:
            raw, inside = self._structs[id(scopes[line[start].link_id])]
            above, insides = self.of(line[start], raw), [inside]
        for each in line[start + 1 :]:
            below = _first(each.link_id, insides)
            if below is None:
                above, insides = self._without_answer(each, above), []
            else:
                above, insides = self.of(each, below), [below, *below.get("answer", ())]
        return above

    def of(self, plan: Plan, raw: Json) -> Node:
        """The item of the response that is this JSON object."""
        return self._of(plan)[id(raw)]

    @staticmethod
    def place_of(here: Any) -> str | None:
        """The FHIRPath of a part of the response, down to the answer and not below.

        Of an item that was not sent that of what is around it; None for what is no part of it.
        """
        if type(here) is not Node:
            return None
        steps: list[str] = []
        one = here
        while one.parent is not None:
            above = one.parent.value
            for name in ("item", "answer"):
                given = above.get(name, ()) if isinstance(above, dict) else ()
                steps += [f".{name}[{n}]" for n, other in enumerate(given) if other is one.value]
            one = one.parent
        return "QuestionnaireResponse" + "".join(reversed(steps))

    def _of(self, plan: Plan) -> dict[int, Node]:
        known = self._by_identity.get(plan.link_id)
        if known is None:
            found = self.index.anywhere((plan.link_id,))
            known = self._by_identity[plan.link_id] = {id(one.value): one for one in found}
        return known

    def _without_answer(self, plan: Plan, above: Node) -> Node:
        key = plan.link_id, id(above)
        found = self._absent.get(key)
        if found is None:
            found = self._absent[key] = node({"linkId": plan.link_id}, _ITEM, above)
        return found

    def _raw(self, trail: Any) -> Json:
        if trail is None:
            return self.index.root.value  # type: ignore[no-any-return]
        above, item, _ = trail
        around = self._raw(above)
        if above is not None and above[2] is not None:
            around = around["answer"][above[2]]
        return around["item"][item]  # type: ignore[no-any-return]

    @cached_property
    def _structs(self) -> dict[int, tuple[Json, Json]]:
        """For each item or answer that was decoded, the JSON of the item, and its own."""
        made: dict[int, tuple[Json, Json]] = {}
        waiting: list[tuple[ResponseItem, Json]] = [
            *zip(self._decoded, self.index.root.value.get("item", ()), strict=True)
        ]
        while waiting:
            item, raw = waiting.pop()
            made[id(item)] = raw, raw
            for answer, inner in _answers(item, raw):
                made[id(answer)] = raw, inner
                if answer.items is not UNSET:
                    waiting += zip(answer.items, inner["item"], strict=True)
            if item.items is not UNSET:
                waiting += zip(item.items, raw["item"], strict=True)
        return made


def _first(link_id: str, insides: Sequence[Json]) -> Json | None:
    """The first item of this linkId directly in one of these items or answers."""
    for inside in insides:
        for item in inside.get("item", ()):
            if item.get("linkId") == link_id:
                return item  # type: ignore[no-any-return]
    return None


def _answers(item: ResponseItem, raw: Json) -> Iterator[tuple[ResponseAnswer, Json]]:
    if item.answers is not UNSET:
        yield from zip(item.answers, raw["answer"], strict=True)


def around(here: Node, level: int) -> Node:
    """The instance around this one that lies so many items deep; the response for 0."""
    line: list[Node] = []
    above: Node | None = here
    while above is not None:
        if above.kind.name == _ITEM or above.parent is None:
            line.append(above)
        above = above.parent
    return line[-1 - level]
