"""A page that came back, put into the draft: what stood on it is replaced, all else stays.

http://hl7.org/fhir/R4/questionnaireresponse.html#link
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import tzinfo
from typing import Any, Final

from fhir_service.sdc.items import Item
from fhir_service.sdc.pairing import Node
from fhir_service.web.filling import fields
from fhir_service.web.filling.drafts import (
    confirmed,
    declined,
    is_declined,
    typed_in,
    value_alone,
    with_typed,
)
from fhir_service.web.filling.fields import Entries, name_of
from fhir_service.web.filling.files import Files
from fhir_service.web.filling.lens import Lens
from fhir_service.web.filling.offered import Choice
from fhir_service.web.filling.steps import Step, is_help
from fhir_service.web.filling.values import read_answers

Json = dict[str, Any]
Offer = Callable[[Node], Sequence[Choice]]

MOST_INSTANCES: Final = 100

_SUFFIXES: Final = (
    "", fields.OWN_WORDS, fields.UNIT, fields.DAY, fields.MONTH, fields.YEAR, fields.CLOCK,
)  # fmt: skip


@dataclass
class Reading:
    """One page as it came back. ``offer`` gives the choices of a question as they were shown."""

    lens: Lens
    step: Step
    entries: Entries
    files: Files
    offer: Offer
    language: str | None
    zone: tzinfo
    typed: dict[str, list[str]] = field(default_factory=dict)
    """What was typed and can be no answer, by the name of its input."""

    def draft(self) -> Json:
        """The draft with what this page says."""
        before = self.lens.response
        self.typed = dict(typed_in(before))
        nodes = list(self.lens.nodes)
        items = self._level(self.lens.form.items, before.get("item", []), nodes, "", whole=False)
        made = {name: value for name, value in before.items() if name != "item"}
        if items:
            made["item"] = items
        return with_typed(made, self.typed)

    def _level(
        self,
        items: Sequence[Item],
        given: Sequence[Json],
        nodes: Sequence[Node],
        around: str,
        *,
        whole: bool,
    ) -> list[Json]:
        """The items of one place. ``whole``: all of it stood on the page."""
        made: list[Json] = []
        for item in items:
            own = [one for one in given if one.get("linkId") == item.link_id]
            beside = [node for node in nodes if node.item.link_id == item.link_id]
            if whole or item.link_id in self.step.tops:
                made.extend(self._shown(item, own, beside, around))
            elif item.link_id in self.step.within:
                made.extend(self._around(item, own, beside, around))
            else:
                made.extend(own)
        return made

    def _around(
        self, item: Item, own: Sequence[Json], nodes: Sequence[Node], around: str
    ) -> list[Json]:
        """A group of which only a part stood on the page."""
        before = own[0] if own else {}
        name = name_of(around, item)
        inner = self._level(
            item.items, before.get("item", []), nodes[0].nodes if nodes else (), name, whole=False
        )
        return [self._group(item, before, inner)] if inner else []

    def _shown(
        self, item: Item, own: Sequence[Json], nodes: Sequence[Node], around: str
    ) -> list[Json]:
        if item.type == "display" or item.hidden or item.read_only or not nodes:
            return list(own)
        if item.type != "group":
            return self._question(item, own, nodes[0], name_of(around, item))
        if item.repeats:
            return self._instances(item, own, nodes, around)
        before = own[0] if own else {}
        inner = self._level(
            item.items, before.get("item", []), nodes[0].nodes, name_of(around, item), whole=True
        )
        return [self._group(item, before, inner)] if inner else []

    def _instances(
        self, item: Item, own: Sequence[Json], nodes: Sequence[Node], around: str
    ) -> list[Json]:
        """The instances of a repeating group, without the one that is to go, with a new one."""
        root = name_of(around, item)
        count = self.entries.count(root, MOST_INSTANCES)
        if count is None:
            return list(own)
        made = []
        for number in range(count):
            name = name_of(around, item, number)
            if f"{name}~remove" in self.entries.posted:
                self._forget(name)
                continue
            before = own[number] if number < len(own) else {}
            node = nodes[min(number, len(nodes) - 1)]
            given = before.get("item", [])
            inner = self._level(item.items, given, node.nodes, name, whole=True)
            made.append(self._group(item, before, inner))
        made += own[count:]
        if f"{root}~add" in self.entries.posted:
            made.append(self._group(item, {}, []))
        while made and "item" not in made[-1] and f"{root}~add" not in self.entries.posted:
            made.pop()  # an instance that was opened and left empty says nothing
        return made

    def _group(self, item: Item, before: Mapping[str, Any], inner: list[Json]) -> Json:
        made: Json = {"linkId": item.link_id, **_text(item, self.language)}
        made |= {name: before[name] for name in ("id", "extension") if name in before}
        return {**made, "item": inner} if inner else made

    def _question(self, item: Item, own: Sequence[Json], node: Node, name: str) -> list[Json]:
        before = own[0] if own else {}
        answers = self._answers(item, before, node, name)
        made: Json = {"linkId": item.link_id, **_text(item, self.language)}
        if answers:
            below = [child for child in item.items if not is_help(child)]
            if below:
                nodes = node.answers[0].nodes if node.answers else node.nodes
                given = answers[0].get("item", [])
                inner = self._level(below, given, nodes, name, whole=True)
                answers[0] = {k: v for k, v in answers[0].items() if k != "item"}
                answers[0] |= {"item": inner} if inner else {}
            return [{**made, "answer": answers}]
        refuses = name in self.entries.posted.get(fields.DECLINED, ())
        return [{**made, "extension": [declined()]}] if refuses else []

    def _answers(self, item: Item, before: Json, node: Node, name: str) -> list[Json]:
        """What was answered; what can be no answer is kept as typed, and the old one goes."""
        self.typed = {key: v for key, v in self.typed.items() if not _is_of(key, name)}
        old = before.get("answer", [])
        if item.type == "attachment":
            return self.files.answers(item, name, self.entries, old)
        read = read_answers(item, name, self.entries, self.offer(node), self.zone)
        if read is None:
            self.typed |= self.entries.some([name + suffix for suffix in _SUFFIXES])
            return []
        says_right = f"{name}{fields.CONFIRM}" in self.entries.posted
        return [_kept(answer, old, confirm=says_right) for answer in read]

    def _forget(self, name: str) -> None:
        """What was typed in an instance that goes, and the numbers of those behind it."""
        self.typed = {key: v for key, v in self.typed.items() if not key.startswith(name)}


def _kept(answer: Json, old: Sequence[Json], *, confirm: bool) -> Json:
    """The answer as it stands in the draft already, where it is the same; else the new one."""
    for one in old:
        if value_alone(one) == answer:
            return confirmed(dict(one)) if confirm else dict(one)
    first = old[0] if len(old) == 1 else {}
    return {**answer, **({"item": first["item"]} if "item" in first else {})}


def _is_of(key: str, name: str) -> bool:
    return key == name or key.startswith(f"{name}~")


def _text(item: Item, language: str | None) -> Json:
    text = item.text(language)
    return {"text": text} if text.strip() else {}


def was_declined(given: Sequence[Json], link_id: str) -> bool:
    """Whether one of these items is a question that the patient would rather not answer."""
    return any(one.get("linkId") == link_id and is_declined(one) for one in given)
