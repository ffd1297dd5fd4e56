"""What stands on the page, and what goes to the appendix because the page has an end.

The text's first minute has 45 lines, the paper one sheet. What does not fit is counted
on the page ("and 3 more in the appendix") and stands in full at the start of the appendix; a long
answer is cut on the page, visibly, and stands whole among all answers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from fhir_service.summary.mapping import SectionKind
from fhir_service.summary.model import Cell, Fact, Section, Summary, Value

MOST_LETTERS = 240
MOST_CELL_LETTERS = 90
MOST_VALUES = 8
MOST_OF_FLAG = 4
CUT = " [...]"

Count = Callable[[Section, Sequence[Fact]], int]


@dataclass(frozen=True, slots=True)
class Page:
    """``first``: of the first minute; ``further``: below; ``rest``: what had no room."""

    first: tuple[Section, ...]
    further: tuple[Section, ...]
    rest: tuple[Section, ...]
    order: tuple[SectionKind, ...]

    @property
    def sections(self) -> tuple[Section, ...]:
        """The page's sections in their order, what is further after what is first in each."""
        return self.joined(self.first, self.further)

    def joined(self, first: Sequence[Section], more: Sequence[Section]) -> tuple[Section, ...]:
        """Two parts of the page as one, section by section."""
        found: dict[str, tuple[Fact, ...]] = {}
        for one in (*first, *more):
            both = (*found.get(one.kind.id, ()), *one.facts)
            found[one.kind.id] = tuple(sorted(both, key=_is_count))  # what is missing is said last
        return tuple(Section(kind, found[kind.id]) for kind in self.order if kind.id in found)


def _is_count(fact: Fact) -> bool:
    return fact.folded and fact.kind == "derived" and not (fact.label or fact.values or fact.rule)


def fit(summary: Summary, first_lines: int, further_lines: int | None, count: Count) -> Page:
    """The page of this summary; ``count`` tells how many lines of text some facts take.

    ``further_lines`` None: what is further has no limit, and no part of it is cut.
    """
    short = further_lines is not None
    first = [_Shelf(one, _first(one), count) for one in summary.sections]
    further = [_Shelf(one, _further(one), count, short=short) for one in summary.sections]
    _squeeze([one for one in first if one.facts], first_lines)
    if further_lines is not None:
        _squeeze([one for one in further if one.facts], further_lines)
    rest = [
        Section(one.kind, tuple(dropped))
        for one, top, low in zip(summary.sections, first, further, strict=True)
        if (dropped := [*top.dropped, *low.dropped])
    ]
    return Page(
        tuple(one.section() for one in first if one.facts or one.dropped),
        tuple(one.section() for one in further if one.facts or one.dropped),
        tuple(rest),
        tuple(one.kind for one in summary.sections),
    )


def _first(section: Section) -> list[Fact]:
    return [one for one in section.facts if not (section.kind.further or one.further)]


def _further(section: Section) -> list[Fact]:
    return [one for one in section.facts if section.kind.further or one.further]


class _Shelf:
    """The facts of one section that stand on the page, and those that had to leave it."""

    def __init__(
        self, section: Section, facts: Sequence[Fact], count: Count, *, short: bool = True
    ) -> None:
        self._section = section
        self._whole = list(facts)
        self.facts = [_short(one) if short else one for one in facts]
        self.dropped: list[Fact] = []
        self._count = count
        self._known = -1

    @property
    def lines(self) -> int:
        """How many lines it takes as it stands."""
        if self._known < 0:
            shown = self.section().facts
            self._known = self._count(self._section, shown) if shown else 0
        return self._known

    @property
    def spare(self) -> bool:
        """Whether a fact can leave; flags in full and her ranked questions stay to the end."""
        kept = self._section.kind.style in {"flags", "questions"}
        return bool(self.facts) and not (kept and self.facts[-1].important)

    def drop(self) -> None:
        """Let the last fact go."""
        self.facts.pop()
        self.dropped.insert(0, self._whole[len(self.facts)])
        self._known = -1

    def section(self) -> Section:
        """As it stands on the page, with the number of what is missing."""
        if not self.dropped:
            return Section(self._section.kind, tuple(self.facts))
        says = f"{'and ' if self.facts else ''}{len(self.dropped)} more in the appendix"
        more = Fact(self._section.kind.id, "", "derived", says=says, folded=True)
        return Section(self._section.kind, (*self.facts, more))


def _squeeze(shelves: Sequence[_Shelf], room: int) -> None:
    """Take away the last fact of the fullest section until all fit, or nothing can leave.

    A line of a later section weighs more: they stand in the order of their importance.
    """
    weight = {id(one): place for place, one in enumerate(shelves, start=1)}
    while sum(one.lines for one in shelves) > room:
        able = [one for one in shelves if one.spare] or [one for one in shelves if one.facts]
        if not able:
            return
        plain = [one for one in able if one is not shelves[0]] or able
        max(reversed(plain), key=lambda one: one.lines * weight[id(one)]).drop()


def _short(fact: Fact) -> Fact:
    """The fact with long answers cut and long lists ended, each visibly."""
    most = MOST_OF_FLAG if fact.rule else MOST_VALUES
    cells = tuple(
        Cell(cell.label, _few(cell.values, most, MOST_CELL_LETTERS), cell.note, cell.bare)
        for cell in fact.cells
    )
    change = fact.change
    if change is not None:
        change = replace(change, before=_few(change.before, 3, MOST_CELL_LETTERS))
    values = _few(fact.values, most, MOST_LETTERS)
    if (values, cells, change) == (fact.values, fact.cells, fact.change):
        return fact
    return replace(fact, values=values, cells=cells, change=change)


def _few(values: tuple[Value, ...], most: int, letters: int) -> tuple[Value, ...]:
    shown = tuple(_cut(one, letters) for one in values[:most])
    if len(values) > most:
        return (*shown, Value(f"and {len(values) - most} more in the appendix", "derived"))
    return shown


def _cut(value: Value, letters: int) -> Value:
    words = value.words
    if len(words) > letters or words.count("\n") > 3:  # noqa: PLR2004  four lines are enough
        lines = "\n".join(words.split("\n")[:4])
        words = lines[: letters - len(CUT)].rstrip() + CUT
        return Value(words, value.kind, value.unit, value.origin, value.sent, value.mark)
    return value
