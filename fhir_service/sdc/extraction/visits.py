"""A response beside what its form says of extraction: one visit for each instance of an item.

http://hl7.org/fhir/R4/questionnaireresponse.html#link
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID, uuid5

import msgspec

from fhir_service.fhir.fhirpath import Node, ResponseIndex
from fhir_service.fhir.fhirpath.types import kinds
from fhir_service.fhir.places import objects
from fhir_service.sdc.extraction.plan import Place, Plan
from fhir_service.sdc.population.evaluation import Frame

_NAMESPACE: Final = UUID("6d0f2c39-9f4e-5c1b-8a51-0d2b3e7a4f10")
_encode = msgspec.json.Encoder(order="sorted", decimal_format="number").encode


class Ids:
    """Uuids that hang on the response alone: the same response gives the same ones.

    https://www.rfc-editor.org/rfc/rfc9562#name-uuid-version-5
    """

    def __init__(self, response: Mapping[str, Any]) -> None:
        meant = {name: one for name, one in response.items() if name not in ("meta", "text")}
        self._digest = hashlib.sha256(_encode(meant)).hexdigest()
        self._given: dict[str, int] = {}

    def new(self, name: str) -> str:
        """``urn:uuid:…`` for this name; for the same name another one each time."""
        number = self._given[name] = self._given.get(name, 0) + 1
        return f"urn:uuid:{uuid5(_NAMESPACE, f'{self._digest}/{name}/{number}')}"


class Visit:
    """An instance of an item (or the response itself), what is known there, and what lies in it.

    ``answers`` are its answers, as the engine's items. ``path`` tells instances apart.
    """

    __slots__ = ("above", "answers", "below", "frame", "node", "path", "place")

    def __init__(
        self, place: Place, node: Node, frame: Frame, above: Visit | None, path: str
    ) -> None:
        self.place = place
        self.node = node
        self.frame = frame
        self.above = above
        self.path = path
        self.answers: list[Node] = []
        self.below: list[Visit] = []


def visits(plan: Plan, index: ResponseIndex, ids: Ids) -> Visit:
    """The visit of the response, with all that lie in it and are asked for by the form."""
    root = index.root
    frame = _frame(plan.root, None, ids, "")
    visit = Visit(plan.root, root, frame, None, "")
    _enter(plan.root.below, [root], visit, ids)
    return visit


def _frame(place: Place, outer: Frame | None, ids: Ids, path: str) -> Frame:
    own: dict[str, list[Any]] = {name: [ids.new(f"{path}%{name}")] for name in place.allocated}
    return Frame(own, place.variables, outer)


def _enter(places: tuple[Place, ...], holders: list[Node], above: Visit, ids: Ids) -> None:
    """Add to ``above`` the instances of these items in a response, an item or its answers."""
    by_link_id: dict[str, list[Node]] = {}
    kind = kinds()["QuestionnaireResponse.item"]
    for holder in holders:
        for one in objects(holder.value.get("item")):
            by_link_id.setdefault(str(one.get("linkId")), []).append(Node(one, kind, holder))
    for place in places:
        if place.item is not None:
            for node in by_link_id.get(place.item.link_id, ()):
                above.below.append(_visit(place, place.item.link_id, node, above, ids))


def _visit(place: Place, link_id: str, node: Node, above: Visit, ids: Ids) -> Visit:
    path = f"{above.path}/{link_id}[{len(above.below)}]"
    frame = _frame(place, above.frame, ids, path)
    frame.focus = node
    visit = Visit(place, node, frame, above, path)
    kind = kinds()["QuestionnaireResponse.item.answer"]
    visit.answers = [Node(one, kind, node) for one in objects(node.value.get("answer"))]
    if place.below:
        _enter(place.below, [node, *visit.answers], visit, ids)
    return visit
