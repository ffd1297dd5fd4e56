"""The items of one response by linkId, found once.

Most expressions ask for the answers of a linkId: https://build.fhir.org/ig/HL7/sdc/expressions.html
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from fhir_service.fhir.fhirpath.nodes import Node
from fhir_service.fhir.fhirpath.types import kinds

_Entry = tuple[dict[str, Any], int, dict[str, Any] | None, int]
"""(item, number of the item above or -1, answer it lies in, level); the level is -1 where an
answer lies above the item. Entries stand in the order of the document."""

_Frame = tuple[Iterator[dict[str, Any]], int, dict[str, Any] | None, int]
"""The items of one place that are still to be entered, and what their entries have in common."""


class ResponseIndex:
    """A QuestionnaireResponse as a Node (``root``), and its items by linkId.

    ``complete`` says whether every linkId of the document is that of an item: a contained form has
    linkIds too, and then the index answers nothing. An item is always given as the same Node. The
    response must not change afterwards.
    """

    __slots__ = ("_answers", "_entries", "_nodes", "_numbers", "complete", "root")

    def __init__(self, response: Mapping[str, Any]) -> None:
        self.root = Node(response, kinds()["QuestionnaireResponse"])
        self.complete = "contained" not in response
        self._entries: list[_Entry] = []
        self._numbers: dict[str, list[int]] = {}
        self._nodes: dict[int, Node] = {}
        self._answers: dict[int, Node] = {}
        self._fill(response)

    def _fill(self, response: Mapping[str, Any]) -> None:
        entries, numbers = self._entries, self._numbers
        waiting: list[_Frame] = [(iter(_objects(response.get("item"))), -1, None, 0)]
        while waiting:
            items, above, answer, level = waiting[-1]
            for item in items:
                number = len(entries)
                entries.append((item, above, answer, level))
                link_id = item.get("linkId")
                if type(link_id) is str:
                    if link_id in numbers:
                        numbers[link_id].append(number)
                    else:
                        numbers[link_id] = [number]
                if "item" in item or ("answer" in item and _has_items(item["answer"])):
                    waiting += reversed(_below(item, number, level))
                    break  # first what lies in the item; the rest of its own level waits
            else:
                waiting.pop()

    def anywhere(self, link_ids: Iterable[str]) -> list[Node]:
        """Items of these linkIds anywhere in the response, in the order of the document."""
        numbers = self._placed(link_ids)
        if len(numbers) > 1:
            numbers.sort()
        return [self._node(number) for number in numbers]

    def only(self, link_id: str) -> Node | None:
        """The one item of this linkId; None where there is none, or several."""
        numbers = self._numbers.get(link_id, ())
        return self._node(numbers[0]) if len(numbers) == 1 else None

    def on_top(self, link_ids: Iterable[str]) -> list[Node]:
        """Items of these linkIds directly below the response, in the order of the document."""
        found = (number for number in self._placed(link_ids) if self._entries[number][3] == 0)
        return [self._node(number) for number in sorted(found)]

    def through_items(self, link_ids: Iterable[str]) -> list[Node]:
        """Items of these linkIds with no answer above them, level by level."""
        entries = self._entries
        found = [number for number in self._placed(link_ids) if entries[number][3] >= 0]
        found.sort(key=lambda number: (entries[number][3], number))
        return [self._node(number) for number in found]

    def _placed(self, link_ids: Iterable[str]) -> list[int]:
        numbers = self._numbers
        placed: list[int] = []
        for link_id in set(link_ids):
            placed += numbers.get(link_id, ())
        return placed

    def _node(self, number: int) -> Node:
        """The Node of an item, made when it is first asked for, with those above it."""
        found = self._nodes.get(number)
        if found is not None:
            return found
        way = []
        while number >= 0 and number not in self._nodes:
            way.append(number)
            number = self._entries[number][1]
        above = self._nodes[number] if number >= 0 else self.root
        for each in reversed(way):
            item, _, answer, _ = self._entries[each]
            if answer is not None:
                above = self.answer(answer, above)
            above = self._nodes[each] = Node(item, kinds()["QuestionnaireResponse.item"], above)
        return above

    def answer(self, answer: Mapping[str, Any], item: Node) -> Node:
        """The Node of an answer of this item."""
        found = self._answers.get(id(answer))
        if found is None:
            kind = kinds()["QuestionnaireResponse.item.answer"]
            found = self._answers[id(answer)] = Node(answer, kind, item)
        return found


def _has_items(answers: Any) -> bool:
    """Whether anything may lie under these answers."""
    if type(answers) is not list:
        return True
    for answer in answers:  # noqa: SIM110  faster so, and asked of every item
        if type(answer) is dict and "item" in answer:
            return True
    return False


def _below(item: dict[str, Any], number: int, level: int) -> list[_Frame]:
    """The items directly below an item, in the order of the document."""
    below: list[_Frame] = []
    for name in item:
        if name == "answer":
            below += [
                (iter(_objects(answer.get("item"))), number, answer, -1)
                for answer in _objects(item["answer"])
            ]
        elif name == "item":
            inner = level + 1 if level >= 0 else -1
            below.append((iter(_objects(item["item"])), number, None, inner))
    return below


def _objects(value: Any) -> list[dict[str, Any]]:
    """The objects of an array; of a single one itself."""
    if type(value) is list:
        return [one for one in value if type(one) is dict]
    return [value] if type(value) is dict else []
