"""A form as steps of few questions: its pages, and where it has none or they are long, our own.

https://hl7.org/fhir/uv/sdc/STU4/CodeSystem-sdc-temp.html (page) and
https://design-system.service.gov.uk/patterns/question-pages/
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

from fhir_service.sdc import extensions as ext
from fhir_service.sdc.compiled import Form
from fhir_service.sdc.items import Item

MOST_QUESTIONS: Final = 6
"""How many questions that are always asked stand on one step."""

_PAGE: Final = "page"
_HELPS: Final = frozenset({"help", "lower", "upper", "unit", "prompt", "flyover", "legal"})


@dataclass(frozen=True)
class Step:
    """One screen. ``number`` counts from 1. ``around`` is the group whose heading it bears.

    ``tops`` are the linkIds of the items that stand directly on it, in form order; ``within``
    are the linkIds of the groups around them, outermost first.
    """

    number: int
    around: Item | None
    tops: tuple[str, ...]
    within: tuple[str, ...] = ()
    part: int = 0
    items: tuple[Item, ...] = field(default=(), repr=False)

    @cached_property
    def link_ids(self) -> frozenset[str]:
        """Every linkId on this step."""
        return frozenset(item.link_id for top in self.items for item in everything(top))


def steps_of(form: Form) -> tuple[Step, ...]:
    """The steps of a form, at least one where it has anything to show."""
    made: list[Step] = []
    loose: list[Item] = []
    for item in form.items:
        if item.hidden:
            continue
        if item.type == "group" and (item.control == _PAGE or _is_long(item)) and not item.repeats:
            _add(made, None, loose, ())
            loose = []
            _add(made, item, list(item.items), (item.link_id,))
        else:
            loose.append(item)
    _add(made, None, loose, ())
    return tuple(made)


def _add(
    made: list[Step], around: Item | None, items: list[Item], within: tuple[str, ...]
) -> None:
    """The items as steps, each with few questions that are always asked.

    What hangs on a condition stays with what came before it, so that it appears at once. What
    offers earlier answers to choose from begins a step, for they must be there by then.
    """
    parts: list[list[Item]] = [[]]
    count = 0
    for item in items:
        asks = questions_always(item)
        full = count and asks and count + asks > MOST_QUESTIONS
        if full or (parts[-1] and offers_earlier_answers(item) and not _begins(parts[-1])):
            parts.append([])
            count = 0
        parts[-1].append(item)
        count += asks
    for number, part in enumerate(one for one in parts if any(not i.hidden for i in one)):
        tops = tuple(item.link_id for item in part)
        made.append(Step(len(made) + 1, around, tops, within, number, tuple(part)))


def offers_earlier_answers(item: Item) -> bool:
    """Whether something in this item is chosen from what an expression gives."""
    return any(ext.ANSWER_EXPRESSION in one.extensions for one in everything(item))


def _begins(part: list[Item]) -> bool:
    """Whether all questions of a part are of that kind already."""
    return all(offers_earlier_answers(one) for one in part if one.type != "display")


def questions_always(item: Item) -> int:
    """How many questions in this item, itself included, are asked whatever was answered."""
    if item.hidden or item.enable_when or item.type == "display":
        return 0
    own = 0 if item.type == "group" else 1
    return own + sum(questions_always(child) for child in item.items)


def _is_long(item: Item) -> bool:
    return questions_always(item) > MOST_QUESTIONS


def everything(item: Item) -> Iterator[Item]:
    """The item and all that lies in it."""
    yield item
    for child in item.items:
        yield from everything(child)


def is_help(item: Item) -> bool:
    """Whether a display belongs to the question around it: help, or a scale's ends."""
    return item.type == "display" and item.control in _HELPS


def step_with(steps: tuple[Step, ...], link_id: str) -> Step | None:
    """The step on which this item stands."""
    return next((step for step in steps if link_id in step.link_ids), None)
