"""The order in which findings are told: that of the form, an item before what lies in it.

Asked only where several things were found. http://hl7.org/fhir/R4/questionnaireresponse.html#link
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Final

from fhir_service.sdc.plans import Plan
from fhir_service.sdc.response_model import ResponseItem

Step = tuple[int, int, int]
"""Of one level: the item's number in the form, in the response, and the answer's; -1 for none."""

_STEP = re.compile(r"\.(item|answer)\[(\d+)\]")
_NOWHERE: Final = -1


class Ordering:
    """Gives the place of a finding in the form; ``root`` is the form, ``items`` the response's."""

    def __init__(self, root: Plan, items: Sequence[ResponseItem]) -> None:
        self._root = root
        self._items = items
        self._numbers: dict[int, list[int]] = {}

    def of(self, place: Any, plan: Plan | None) -> tuple[Step, ...]:
        """A sort key for a finding on ``plan`` at a place: a trail of the walk, or a FHIRPath.

        What is missing comes where it belongs: before the first that is behind it in the form.
        """
        steps, here, _ = self._at(_trail(place) if isinstance(place, str) else place)
        if plan is None or here is None or plan is here or plan.link_id == here.link_id:
            return steps
        return (*steps, *_way(here, plan))

    def _at(self, trail: Any) -> tuple[tuple[Step, ...], Plan | None, Any]:
        """(key, item of the form, or None for an unknown one, items below) of a trail."""
        if trail is None:
            return (), self._root, self._items
        above, number, answer = trail
        steps, around, items = self._at(above)
        item = items[number]
        plan = None if around is None else around.children.get(item.link_id)
        place = self._places(items, around)[number]
        made = (*steps, (place, number, _NOWHERE if answer is None else answer))
        below = item if answer is None else item.answers[answer]
        return made, plan, below.items or ()

    def _places(self, items: Sequence[ResponseItem], around: Plan | None) -> list[int]:
        """The numbers in the form of items side by side; an unknown one has that before it."""
        found = self._numbers.get(id(items))
        if found is None:
            children = {} if around is None else around.children
            last, found = _NOWHERE, []
            for item in items:
                plan = children.get(item.link_id)
                last = last if plan is None else plan.index
                found.append(last)
            self._numbers[id(items)] = found
        return found


def _trail(place: str) -> Any:
    """The trail of a FHIRPath; of one that leads out of the items, as far as it lies in them."""
    trail: Any = None
    at = place.find(".")
    while at >= 0 and (match := _STEP.match(place, at)) is not None:
        number = int(match[2])
        trail = (trail, number, None) if match[1] == "item" else (trail[0], trail[1], number)
        at = match.end()
    return trail


def _way(here: Plan, plan: Plan) -> tuple[Step, ...]:
    """The steps down to an item that was not sent; none where it does not lie there."""
    line = (*plan.ancestors, plan)
    below = line[line.index(here) + 1 :] if here in line else ()
    return tuple((one.index, _NOWHERE, _NOWHERE) for one in below)
