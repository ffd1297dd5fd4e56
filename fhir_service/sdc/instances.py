"""The items of one response as the FHIRPath engine has them, found as a walk comes to them.

http://hl7.org/fhir/R4/questionnaireresponse.html#link
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from functools import cache, cached_property, partial
from operator import itemgetter
from typing import Any, Final, get_args

import msgspec
from msgspec import UNSET

from fhir_service.fhir.fhirpath import Node, ResponseIndex, node
from fhir_service.fhir.fhirpath.types import Kind, kinds
from fhir_service.sdc.enablement import Scopes
from fhir_service.sdc.items import ValueKind
from fhir_service.sdc.plans import Plan
from fhir_service.sdc.response_model import ResponseAnswer, ResponseItem, value_of

Json = Mapping[str, Any]

_ITEM: Final = "QuestionnaireResponse.item"


class Here:
    """Where a walk has come to: its Node is found when an expression asks for it.

    ``make`` gives ``node``, which may know its surroundings by way of its parent alone; ``find``
    gives ``real``, the one that the items around it hold.
    """

    __slots__ = ("_find", "_make", "_node")

    def __init__(self, make: Callable[[], Node], find: Callable[[], Node] | None = None) -> None:
        self._make = make
        self._find = find
        self._node: Node | None = None

    @property
    def node(self) -> Node:
        """The item as expressions have it."""
        if self._node is None:
            self._node = self._make()
        return self._node

    @property
    def real(self) -> Node:
        """The same item inside the response."""
        return self.node if self._find is None else self._find()


def node_of(here: Node | Here) -> Node:
    """The Node of a place."""
    return here if type(here) is Node else here.node  # type: ignore[union-attr]


class Instances:
    """Finds the Node of an item; the same item is always the same Node.

    ``read`` gives the response as JSON, decimals as Decimal; it is asked when the whole is.
    ``decoded`` are the same items as the walk has them; ``plain`` when they have no extension and
    nothing else in the response has a linkId.
    """

    def __init__(
        self, read: Callable[[], Json], decoded: Sequence[ResponseItem], *, plain: bool = False
    ) -> None:
        self._read = read
        self._decoded = decoded
        self._light: dict[int, Node] = {}
        self.answers = Answers(decoded, self._answer_node) if plain else None
        self._absent: dict[tuple[str, int], Node] = {}
        self._by_identity: dict[str, dict[int, Node]] = {}

    @cached_property
    def index(self) -> ResponseIndex:
        """The response, and its items by linkId."""
        return ResponseIndex(self._read())

    def here(self, plan: Plan, trail: Any, item: ResponseItem) -> Here:
        """The place of an item that was sent; ``trail`` is how a walk came to it."""
        return Here(partial(self.light, plan, trail, item), partial(self.at, plan, trail))

    def light(self, plan: Plan, trail: Any, item: ResponseItem) -> Node:
        """As ``at`` gives it; out of the decoded item where the response as a whole is not due."""
        if self.answers is None or plan.is_group or "index" in self.__dict__:
            return self.at(plan, trail)
        found = self._light.get(id(item))
        if found is None:
            read = _exactly.decode(_encoder.encode(item))
            found = Node(read, kinds()[_ITEM], lambda: self._above(plan, trail))
            self._light[id(item)] = found
        return found

    def _above(self, plan: Plan, trail: Any) -> Node:
        above = self.at(plan, trail).parent
        return self.index.root if above is None else above

    def _answer_node(self, answer: ResponseAnswer, link_id: str) -> Node:
        """The answer of the response that was decoded to this one."""
        item, raw = self._structs[id(answer)]
        found = next(one for one in self.index.anywhere((link_id,)) if one.value is item)
        return self.index.answer(raw, found)

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
        if type(here) is Here:
            here = here.real
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


_encoder: Final = msgspec.json.Encoder()


def _number(text: str) -> Decimal:
    return Decimal(text)


_exactly: Final = msgspec.json.Decoder(float_hook=_number)


class Answers:
    """The values of answers by linkId, out of decoded items without extensions.

    ``above`` gives the Node of an answer, in the item of this linkId.
    """

    def __init__(
        self,
        items: Sequence[ResponseItem],
        above: Callable[[ResponseAnswer, str], Node],
    ) -> None:
        self._items = items
        self._above = above
        self._known: dict[tuple[str, ...], list[Any] | None] = {}

    def __call__(self, link_ids: tuple[str, ...]) -> list[Any] | None:
        """The values of all answers to these, in the order of the document.

        None where one can not be told so.
        """
        if link_ids not in self._known:
            self._known[link_ids] = self._found(link_ids)
        return self._known[link_ids]

    @cached_property
    def _numbered(self) -> dict[str, list[tuple[int, ResponseItem]]]:
        made: dict[str, list[tuple[int, ResponseItem]]] = {}
        _enter(self._items, made, 0)
        return made

    def _found(self, link_ids: tuple[str, ...]) -> list[Any] | None:
        if len(link_ids) == 1:
            items = self._numbered.get(link_ids[0], ())
        else:
            found = [one for each in set(link_ids) for one in self._numbered.get(each, ())]
            items = sorted(found, key=itemgetter(0))
        made: list[Any] = []
        for _, item in items:
            if item.answers is not UNSET:
                for answer in item.answers:
                    value = _value(answer)
                    if value is None:
                        return None
                    made.append(Node(value[1], value[0], _Above(self._above, answer, item)))
        return made


class _Above:
    """Finds the Node of an answer when it is called."""

    __slots__ = ("_answer", "_find", "_item")

    def __init__(
        self,
        find: Callable[[ResponseAnswer, str], Node],
        answer: ResponseAnswer,
        item: ResponseItem,
    ) -> None:
        self._find = find
        self._answer = answer
        self._item = item

    def __call__(self) -> Node:
        return self._find(self._answer, self._item.link_id)


def _enter(
    items: Sequence[ResponseItem], made: dict[str, list[tuple[int, ResponseItem]]], number: int
) -> int:
    for item in items:
        link_id = item.link_id
        if link_id in made:
            made[link_id].append((number, item))
        else:
            made[link_id] = [(number, item)]
        number += 1
        if item.answers is not UNSET:
            for answer in item.answers:
                if answer.items is not UNSET:
                    number = _enter(answer.items, made, number)
        if item.items is not UNSET:
            number = _enter(item.items, made, number)
    return number


def _value(answer: ResponseAnswer) -> tuple[Kind, Any] | None:
    """(type, JSON) of the value of an answer; None where it has none, or is not told at once."""
    if answer.integer is not UNSET:
        return _kinds()["integer"], answer.integer
    found = value_of(answer)
    if found is None:
        return None
    kind, value = found
    if kind == "Coding":
        value = {
            name: one
            for name in ("system", "version", "code", "display")
            if (one := getattr(value, name)) is not UNSET
        }
        if answer.coding is not UNSET and answer.coding.user_selected is not UNSET:
            value["userSelected"] = answer.coding.user_selected
    elif kind in ("Quantity", "decimal"):
        try:
            value = _exactly.decode(_encoder.encode(value))
        except (msgspec.DecodeError, ArithmeticError):
            return None
    return _kinds()[kind], value


@cache
def _kinds() -> Mapping[str, Kind]:
    """The type of each kind of value."""
    of = kinds()["QuestionnaireResponse.item.answer"].children["value"]
    if not isinstance(of, dict):
        raise TypeError("the value of an answer is a choice")
    return {kind: of["value" + kind[0].upper() + kind[1:]] for kind in get_args(ValueKind)}


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
