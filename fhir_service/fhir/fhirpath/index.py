"""The items of one response by linkId, found once.

Most expressions ask for the answers of a linkId: https://build.fhir.org/ig/HL7/sdc/expressions.html
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from fhir_service.fhir.fhirpath.nodes import Node
from fhir_service.fhir.fhirpath.types import kinds

_Entry = tuple[dict[str, Any], int, dict[str, Any] | None, int]
"""(item, number of the item above or -1, answer it lies in, level); the level is -1 where an
answer lies above the item. Entries stand in the order of the document."""


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
        top: list[_Entry] = [(item, -1, None, 0) for item in _objects(response.get("item"))]
        self._fill(top[::-1])

    def _fill(self, waiting: list[_Entry]) -> None:
        entries, numbers = self._entries, self._numbers
        while waiting:
            entry = waiting.pop()
            number = len(entries)
            entries.append(entry)
            item = entry[0]
            link_id = item.get("linkId")
            if type(link_id) is str:
                numbers.setdefault(link_id, []).append(number)
            if "answer" in item or "item" in item:
                below = _below(item, number, entry[3])
                if below:
                    below.reverse()
                    waiting += below

    def anywhere(self, link_ids: Iterable[str]) -> list[Node]:
        """Items of these linkIds anywhere in the response, in the order of the document."""
        return [self._node(number) for number in sorted(self._placed(link_ids))]

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
        return [
            number for link_id in dict.fromkeys(link_ids) for number in numbers.get(link_id, ())
        ]

    def _node(self, number: int) -> Node:
        """The Node of an item, made when it is first asked for, with those above it."""
        way = []
        while number >= 0 and number not in self._nodes:
            way.append(number)
            number = self._entries[number][1]
        above = self._nodes[number] if number >= 0 else self.root
        for each in reversed(way):
            item, _, answer, _ = self._entries[each]
            if answer is not None:
                above = self._answer(answer, above)
            above = self._nodes[each] = Node(item, kinds()["QuestionnaireResponse.item"], above)
        return above

    def _answer(self, answer: dict[str, Any], item: Node) -> Node:
        found = self._answers.get(id(answer))
        if found is None:
            kind = kinds()["QuestionnaireResponse.item.answer"]
            found = self._answers[id(answer)] = Node(answer, kind, item)
        return found


def _below(item: dict[str, Any], number: int, level: int) -> list[_Entry]:
    """The entries directly below an item, in the order of the document."""
    below: list[_Entry] = []
    for name in item:
        if name == "answer":
            answers = item["answer"]
            for answer in answers if type(answers) is list else _objects(answers):
                if type(answer) is dict and "item" in answer:
                    below += [(one, number, answer, -1) for one in _objects(answer["item"])]
        elif name == "item":
            inner = level + 1 if level >= 0 else -1
            below += [(one, number, None, inner) for one in _objects(item["item"])]
    return below


def _objects(value: Any) -> list[dict[str, Any]]:
    """The objects of an array; of a single one itself."""
    if type(value) is list:
        return [one for one in value if type(one) is dict]
    return [value] if type(value) is dict else []
