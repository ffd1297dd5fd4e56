"""A response read beside its form: each answer with its origin, and what was left open.

Nothing is dropped: an answer that has no place in the form is listed as such.
http://hl7.org/fhir/R4/questionnaireresponse.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from msgspec import Struct

from fhir_service.sdc import extensions as ext
from fhir_service.sdc.items import Item, ValueKind
from fhir_service.sdc.pairing import Answer, Node
from fhir_service.summary.model import Asked, Origin, Source, Value
from fhir_service.summary.words import Wording


class Given(Struct, frozen=True, eq=False):
    """One answer: as it lies in the response, and in words. ``item`` None: not in the form."""

    item: Item | None
    answer: Answer
    value: Value


Answers = Mapping[str, tuple[Given, ...]]


@dataclass(slots=True)
class Reading:
    """A response as the summary needs it.

    ``answers`` by linkId, as FHIRPath's descendants() would find them; ``instances`` the answers
    of each instance of a repeating group. ``not_answered`` were asked, ``declined``
    too, and the patient said that she would rather not answer; ``not_asked`` were ruled
    out by other answers, each with what lies in it as one.
    """

    source: Source
    number: int
    answers: dict[str, tuple[Given, ...]] = field(default_factory=dict)
    instances: dict[str, list[Answers]] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)
    not_answered: list[Item] = field(default_factory=list)
    declined: list[Item] = field(default_factory=list)
    not_asked: list[Item] = field(default_factory=list)

    def of(self, link_id: str | None) -> tuple[Given, ...]:
        """The answers to one question, in order; empty when there are none."""
        return self.answers.get(link_id, ()) if link_id else ()


def read(source: Source, nodes: tuple[Node, ...], number: int, wording: Wording) -> Reading:
    """The reading of one source; ``number`` (from 1) makes its anchors unlike another's."""
    walk = _Walk(Reading(source, number), wording)
    for node in nodes:
        walk.node(node, 0, ())
    walk.rest(source.response)
    return walk.reading


class _Walk:
    """One walk over the nodes, in the order of the form."""

    def __init__(self, reading: Reading, wording: Wording) -> None:
        self.reading = reading
        self._wording = wording
        self._met: set[str] = set()

    def node(
        self, node: Node, depth: int, within: tuple[dict[str, tuple[Given, ...]], ...]
    ) -> None:
        """Note one item and all below it; ``within`` are the repeating groups it lies in."""
        item = node.item
        if item.type == "display":
            return
        if not node.enabled and not _answered(node):
            self._not_asked(item, depth)
            return
        if item.type == "group":
            self._group(node, depth, within)
            return
        givens = self._note(item, node, depth)
        for answers in (self.reading.answers, *within):
            answers[item.link_id] = (*answers.get(item.link_id, ()), *givens)
        for below in (*(below for answer in node.answers for below in answer.nodes), *node.nodes):
            self.node(below, depth + 1, within)

    def _group(
        self, node: Node, depth: int, within: tuple[dict[str, tuple[Given, ...]], ...]
    ) -> None:
        item = node.item
        self._add(item, depth, "group")
        if item.repeats:
            if node.place is None:
                self.reading.not_answered.append(item)
                self._add(item, depth + 1, "not-answered", text="(none given)")
                return
            instance: dict[str, tuple[Given, ...]] = {}
            self.reading.instances.setdefault(item.link_id, []).append(instance)
            within = (*within, instance)
        for below in node.nodes:
            self.node(below, depth + 1, within)

    def _note(self, item: Item, node: Node, depth: int) -> tuple[Given, ...]:
        anchor = self._anchor()
        givens = tuple(self._given(item, answer, anchor) for answer in node.answers)
        self._met.update(answer.place for answer in node.answers)
        if givens or not (item.hidden or item.read_only):
            state = "declined" if self._declined(node) else _state(node)
            self._add(item, depth, state, tuple(given.value for given in givens))
        if not givens and not (item.hidden or item.read_only):
            left = self.reading.declined if self._declined(node) else self.reading.not_answered
            left.append(item)
        return givens

    def _declined(self, node: Node) -> bool:
        """Whether the patient said of this question that she would rather not answer.

        http://hl7.org/fhir/R4/extension-data-absent-reason.html
        """
        if node.answers or node.place is None:
            return False
        said = ext.by_url(_at(self.reading.source.response, node.place).get("extension"))
        return bool(ext.value(said, ext.DATA_ABSENT_REASON) == "asked-declined")

    def _given(self, item: Item | None, answer: Answer, anchor: str, link_id: str = "") -> Given:
        origin = Origin(
            response=self.reading.source.id,
            version=self.reading.source.version,
            link_id=item.link_id if item else link_id,
            place=answer.place,
            anchor=anchor,
        )
        return Given(item, answer, self._wording.value(item, answer, origin))

    def _not_asked(self, item: Item, depth: int) -> None:
        if item.hidden or not _asks(item):
            return
        self.reading.not_asked.append(item)
        self._add(item, depth, "not-asked")

    def _anchor(self) -> str:
        return f"a{self.reading.number}-{len(self.reading.asked) + 1}"

    def _add(
        self,
        item: Item,
        depth: int,
        state: Any,
        values: tuple[Value, ...] = (),
        text: str | None = None,
    ) -> None:
        words = item.text(self._wording.language) or item.link_id if text is None else text
        self.reading.asked.append(
            Asked(
                anchor=self._anchor(),
                link_id=item.link_id,
                text=words,
                depth=depth,
                state=state,
                values=values,
                calculated=item.hidden or item.read_only,
            )
        )

    def rest(self, response: Mapping[str, Any]) -> None:
        """Note every answer that no item of the form stands beside, so that none is lost."""
        if len(self._met) == _count(response):
            return
        for link_id, answer, text in _places(response, "QuestionnaireResponse"):
            if answer.place in self._met:
                continue
            anchor = self._anchor()
            item = self.reading.source.form.by_link_id.get(link_id)
            given = self._given(item, answer, anchor, link_id)
            known = self.reading.answers.get(link_id, ())
            self.reading.answers[link_id] = (*known, given)
            self.reading.asked.append(
                Asked(anchor, link_id, text or link_id, 0, "not-in-form", (given.value,))
            )


_STEP = re.compile(r"\.(item|answer)\[(\d+)\]")


def _at(response: Mapping[str, Any], place: str) -> Mapping[str, Any]:
    """The element of a response at this place, which the pairing has found there."""
    found: Any = response
    for name, number in _STEP.findall(place):
        found = found[name][int(number)]
    return dict(found)


def _state(node: Node) -> Any:
    return "answered" if node.answers else "not-answered"


def _answered(node: Node) -> bool:
    below = (*node.nodes, *(below for answer in node.answers for below in answer.nodes))
    return bool(node.answers) or any(_answered(one) for one in below)


def _asks(item: Item) -> bool:
    return item.type not in {"group", "display"} or any(_asks(below) for below in item.items)


def _count(holder: Mapping[str, Any]) -> int:
    """How many answers lie in the items of this."""
    found = 0
    for item in holder.get("item", ()):
        answers = item.get("answer", ())
        found += len(answers)
        for answer in answers:
            if "item" in answer:
                found += _count(answer)
        if "item" in item:
            found += _count(item)
    return found


def _places(holder: Mapping[str, Any], at: str) -> Iterator[tuple[str, Answer, str | None]]:
    for number, item in enumerate(holder.get("item", ())):
        place = f"{at}.item[{number}]"
        for index, answer in enumerate(item.get("answer", ())):
            there = f"{place}.answer[{index}]"
            yield item.get("linkId", ""), raw_answer(answer, there), item.get("text")
            yield from _places(answer, there)
        yield from _places(item, place)


def raw_answer(answer: Mapping[str, Any], place: str) -> Answer:
    """One answer as it lies in the JSON."""
    for key, value in answer.items():
        if key.startswith("value"):
            kind = key.removeprefix("value")
            plain = kind if kind in _STRUCTURES else kind[0].lower() + kind[1:]
            return Answer(cast("ValueKind", plain), value, place)
    return Answer(None, None, place)


_STRUCTURES = {"Attachment", "Coding", "Quantity", "Reference"}
