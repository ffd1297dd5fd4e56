"""The items of one response by linkId, found once.

Most expressions ask for the answers of a linkId: https://build.fhir.org/ig/HL7/sdc/expressions.html
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from fhir_service.fhir.fhirpath.nodes import Node, members
from fhir_service.fhir.fhirpath.types import kinds

_Placed = tuple[int, int, Node]
"""(level, place in the document, item); the level is -1 where an answer lies above the item."""


class ResponseIndex:
    """A QuestionnaireResponse as a Node (``root``), and its items by linkId.

    ``complete`` says whether every linkId of the document is that of an item: a contained form has
    linkIds too, and then the index answers nothing. The response must not change afterwards.
    """

    __slots__ = ("_items", "complete", "root")

    def __init__(self, response: Mapping[str, Any]) -> None:
        self.root = Node(response, kinds()["QuestionnaireResponse"])
        self.complete = "contained" not in response
        self._items: dict[str, list[_Placed]] = {}
        top: list[Node] = []
        members(self.root, "item", top)
        waiting = [(item, 0) for item in reversed(top)]
        place = 0
        while waiting:
            item, level = waiting.pop()
            if not isinstance(item.value, dict):
                continue
            link_id = item.value.get("linkId")
            if isinstance(link_id, str):
                self._items.setdefault(link_id, []).append((level, place, item))
            place += 1
            waiting.extend(reversed(_below(item, level)))

    def anywhere(self, link_ids: Iterable[str]) -> list[Node]:
        """Items of these linkIds anywhere in the response, in the order of the document."""
        return [item for _, _, item in sorted(self._placed(link_ids), key=_by_place)]

    def on_top(self, link_ids: Iterable[str]) -> list[Node]:
        """Items of these linkIds directly below the response, in the order of the document."""
        found = (one for one in self._placed(link_ids) if one[0] == 0)
        return [item for _, _, item in sorted(found, key=_by_place)]

    def through_items(self, link_ids: Iterable[str]) -> list[Node]:
        """Items of these linkIds with no answer above them, level by level."""
        found = (one for one in self._placed(link_ids) if one[0] >= 0)
        return [item for _, _, item in sorted(found, key=_by_level)]

    def _placed(self, link_ids: Iterable[str]) -> Iterable[_Placed]:
        return (one for link_id in dict.fromkeys(link_ids) for one in self._items.get(link_id, ()))


def _by_place(one: _Placed) -> int:
    return one[1]


def _by_level(one: _Placed) -> tuple[int, int]:
    return one[0], one[1]


def _below(item: Node, level: int) -> list[tuple[Node, int]]:
    """Items directly below this one, in the order of the document, with their levels."""
    found: list[tuple[Node, int]] = []
    for name in item.value:
        inner: list[Node] = []
        if name == "item":
            members(item, name, inner)
            found.extend((one, level + 1 if level >= 0 else -1) for one in inner)
        elif name == "answer":
            members(item, name, inner)
            for answer in inner:
                nested: list[Node] = []
                members(answer, "item", nested)
                found.extend((one, -1) for one in nested)
    return found
