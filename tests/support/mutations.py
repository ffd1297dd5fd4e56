"""Single faults put into a response that fits its form, each with the one finding it must make.

A mutation looks at one spot (an item of the response beside the form's), changes it in place and
gives back (key, place), or None where it can not be made there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass
from random import Random

from tests.support.random_forms import sources_of, walk
from tests.support.random_questions import Json

Expected = tuple[str, str]


@dataclass
class Spot:
    """One item of a response: ``entry``, number ``number`` of ``siblings``, answers ``asked``.

    ``around`` is the FHIRPath of what holds the siblings, ``level`` the form's items there.
    ``under`` are the form's items around it, outermost first.
    """

    asked: Json
    entry: Json
    siblings: list[Json]
    number: int
    around: str
    level: list[Json]
    under: tuple[Json, ...]
    form: Json

    @property
    def place(self) -> str:
        return f"{self.around}.item[{self.number}]"

    @property
    def answers(self) -> list[Json]:
        found: list[Json] = self.entry.get("answer", [])
        return found

    @property
    def demanded(self) -> bool:
        """Whether something around it demands an answer within."""
        return any(one.get("required") for one in self.under if one["type"] == "group")

    def answer_place(self, number: int) -> str:
        return f"{self.place}.answer[{number}]"


Mutation = Callable[[Random, Spot], Expected | None]

MUTATIONS: dict[str, Mutation] = {}
"""Every kind of fault, by its name."""


def mutation(function: Mutation) -> Mutation:
    """Add a kind of fault to the list."""
    MUTATIONS[function.__name__] = function
    return function


def spots(form: Json, response: Json) -> Iterator[Spot]:
    """Every item of the response that is the form's, at every depth."""
    yield from _spots(form, form["item"], response, "QuestionnaireResponse", ())


def _spots(
    form: Json, level: list[Json], holder: Json, around: str, under: tuple[Json, ...]
) -> Iterator[Spot]:
    by_link_id = {one["linkId"]: one for one in level}
    siblings = holder.get("item", [])
    for number, entry in enumerate(siblings):
        asked = by_link_id.get(entry["linkId"])
        if asked is None:
            continue
        yield Spot(asked, entry, siblings, number, around, level, under, form)
        here, inner = f"{around}.item[{number}]", asked.get("item", [])
        yield from _spots(form, inner, entry, here, (*under, asked))
        for count, answer in enumerate(entry.get("answer", [])):
            yield from _spots(form, inner, answer, f"{here}.answer[{count}]", (*under, asked))


@dataclass
class Mutated:
    """A response with one fault, and the finding that it must make."""

    response: Json
    key: str
    place: str


def mutated(
    random: Random, form: Json, response: Json, fault: Mutation, *, free: bool = True
) -> Mutated | None:
    """A copy of the response with this fault at one place; None where it can not be made.

    ``free``: only where no condition of the form depends on anything that is touched.
    """
    changed = deepcopy(response)
    sources = sources_of(form)
    candidates = list(spots(form, changed))
    random.shuffle(candidates)
    for spot in candidates:
        if free and sources & {one["linkId"] for one in walk([spot.asked])}:
            continue
        expected = fault(random, spot)
        if expected is not None:
            return Mutated(changed, *expected)
    return None
