"""All answers of a response to look through: before it is sent, and as the patient's own copy."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from fhir_service.sdc.items import Item
from fhir_service.sdc.pairing import Node
from fhir_service.web.filling.drafts import is_declined
from fhir_service.web.filling.lens import Lens
from fhir_service.web.filling.page_of import Screen
from fhir_service.web.filling.showing import words_of
from fhir_service.web.filling.steps import Step, is_help


@dataclass
class Row:
    """One question with its answers in words, and where it can be changed."""

    label: str
    answers: list[str]
    href: str
    declined: bool = False


@dataclass
class Section:
    """The questions under one heading."""

    title: str
    rows: list[Row] = field(default_factory=list)


def sections(screen: Screen, lens: Lens) -> list[Section]:
    """Every question that is asked, by heading, in the order of the form."""
    made: list[Section] = []
    offer = screen.offer(lens)
    for step in screen.steps:
        title = title_of(screen, step)
        section = made[-1] if made and made[-1].title == title else Section(title)
        href = screen.address(step.number)
        nodes: Sequence[Node] = lens.nodes
        for link_id in step.within:
            nodes = next(one for one in nodes if one.item.link_id == link_id).nodes
        for node in nodes:
            if node.item.link_id in step.tops:
                _rows(screen, lens, node, "", href, offer, section)
        if section.rows and section not in made:
            made.append(section)
    return made


def title_of(screen: Screen, step: Step) -> str:
    """The heading of a step: its group's words, else the form's title."""
    text = step.around.text(screen.language) if step.around is not None else ""
    return text if text.strip() else screen.form.title_in(screen.language)


def _rows(
    screen: Screen,
    lens: Lens,
    node: Node,
    prefix: str,
    href: str,
    offer: Callable[[Node], Sequence[object]],
    section: Section,
) -> None:
    item = node.item
    if item.hidden or not node.enabled or is_help(item) or item.type == "display":
        return
    if item.type == "group":
        if item.repeats and node.place is None:
            return
        number = _number(lens, node)
        inner = f"{prefix}{number}" if number else prefix
        for child in node.nodes:
            _rows(screen, lens, child, inner, href, offer, section)
        return
    raw = lens.at(node.place) or {}
    label = f"{prefix}{item.text(screen.language)}"
    answers = [words_of(one, offer(node)) for one in node.answers]  # type: ignore[arg-type]
    if item.type == "boolean":
        yes, no = screen.words["yes"], screen.words["no"]
        answers = [yes if one.value is True else no for one in node.answers]
    section.rows.append(Row(label, answers, href, is_declined(raw)))
    for child in node.answers[0].nodes if node.answers else node.nodes:
        _rows(screen, lens, child, prefix, href, offer, section)


def _number(lens: Lens, node: Node) -> str:
    """Which instance of a repeating group this is, as words before its questions."""
    if not node.item.repeats or node.place is None:
        return ""
    beside = [one for one in lens.all() if one.item.link_id == node.item.link_id]
    return f"{1 + [one.place for one in beside].index(node.place)}. "


def advice(screen: Screen, lens: Lens) -> list[str]:
    """The messages that the answers have brought up, those of the most urgent rules first."""
    return [item.text(screen.language) for item in advised(screen, lens)]


def advised(screen: Screen, lens: Lens) -> list[Item]:
    """The displays with these messages, in the same order."""
    found = [node.item for node in lens.all() if node.enabled and screen.is_advice(node.item)]
    return sorted(found, key=screen.urgency)
