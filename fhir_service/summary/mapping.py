"""What a summary mapping is: sections, the lines that each form gives to them, and red-flag rules.

The data lies in mappings/summary; catalogue/summary_mappings.py reads it into these.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import cached_property
from typing import Literal

Style = Literal["flags", "questions", "changes", "quotes", "table", "lines", "run"]


@dataclass(frozen=True, slots=True)
class SectionKind:
    """One section of the page. ``code`` is the Composition section's code, in ``system``.

    ``style``: flags and questions are special; ``table`` shows rows in columns, ``quotes`` the
    patient's sentences, ``lines`` one fact a line, ``run`` facts one after the other.
    ``further``: not of the first minute; plain text, which has 45 lines for that, puts it after.
    """

    id: str
    title: str
    system: str
    code: str
    display: str
    style: Style = "run"
    further: bool = False


@dataclass(frozen=True, slots=True)
class Line:
    """One question of a form on the page.

    ``words`` are the clinic's short words for coded answers, by code ("true"/"false" for a
    boolean); an answer without one is shown in the form's own words. ``besides`` names a
    repeating group: answers that head one of its rows are not said again. ``further``: as for a
    section.
    """

    section: str
    link_id: str
    label: str
    words: Mapping[str, str] = field(default_factory=dict)
    important: bool = False
    besides: str | None = None
    further: bool = False


@dataclass(frozen=True, slots=True)
class RowCell:
    """One column of a table row, read from one question inside the repeating group.

    ``bare``: its values speak for themselves where there are no column heads. ``note``: a sentence
    under the row instead of a column.
    """

    link_id: str
    label: str
    words: Mapping[str, str] = field(default_factory=dict)
    note: bool = False
    bare: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """A repeating group as rows of a table: ``head`` names the row, ``cells`` are its columns.

    ``first`` are codes, most concerning first: rows that have one stand before those without.
    ``differing``: only those are of the first minute.
    ``charted``: rows are compared with what the chart has under this name ("medicine").
    """

    section: str
    group: str
    label: str
    head: str
    cells: tuple[RowCell, ...]
    words: Mapping[str, str] = field(default_factory=dict)
    first: tuple[str, ...] = ()
    charted: str | None = None
    differing: bool = False


@dataclass(frozen=True, slots=True)
class Measure:
    """One question followed over time, this patient against herself.

    ``scale`` are codes, best first: the place in it is the level. ``high`` makes a number a
    level between ``low`` and ``high``, higher is worse. With neither only "changed" is told.
    ``group`` and ``head``: followed for each row of a repeating group by its name.
    ``listed``: what is named now and was not before is new, and the other way round.
    ``ignored`` are codes that say that there is nothing. ``same_in`` are earlier versions of the
    form in which the question means the same though its words differ.
    """

    link_id: str
    label: str
    scale: tuple[str, ...] = ()
    low: Decimal = Decimal(0)
    high: Decimal | None = None
    group: str | None = None
    head: str | None = None
    listed: bool = False
    ignored: tuple[str, ...] = ()
    same_in: tuple[str, ...] = ()
    words: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Score:
    """A total of scored answers. The options' weights in the form give the points."""

    section: str
    label: str
    total: str
    of: tuple[RowCell, ...]
    highest: int
    positive_from: int


@dataclass(frozen=True, slots=True)
class Loss:
    """A loss told with what is left, both in one unit: shown as a percentage of what there was."""

    section: str
    label: str
    amount: str
    left: str


@dataclass(frozen=True, slots=True)
class Questions:
    """The patient's questions: her ranked ones, the picked ones, her own, and what to heed.

    ``sensitive`` are codes that are raised only after ``heed`` was read, whose lines may come
    from another form of the same visit.
    """

    section: str
    ranked: tuple[str, ...]
    picked: tuple[str, ...]
    own: tuple[str, ...]
    sensitive: tuple[str, ...] = ()
    heed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Respondent:
    """The question that says who answered. ``screens_note`` is added to scores for ``helper``."""

    link_id: str
    relation: str | None
    words: Mapping[str, str]
    helper: str | None = None
    screens_note: str = ""


@dataclass(frozen=True, slots=True)
class SafetyList:
    """The tick list that every rule stands beside. ``none`` is its "none of these"."""

    link_id: str
    none: str


@dataclass(frozen=True)
class FormMapping:
    """How one form version fills the page; what is asked of it again and again is made once."""

    url: str
    version: str
    lines: tuple[Line, ...] = ()
    rows: tuple[Row, ...] = ()
    scores: tuple[Score, ...] = ()
    losses: tuple[Loss, ...] = ()
    measures: tuple[Measure, ...] = ()
    questions: Questions | None = None
    respondent: Respondent | None = None
    safety: SafetyList | None = None
    order: int = 0

    @cached_property
    def labels(self) -> Mapping[str, str]:
        """The short name of each mapped question, by linkId."""
        found = {line.link_id: line.label for line in self.lines}
        for row in self.rows:
            found[row.group] = found[row.head] = row.label
            found |= {cell.link_id: f"{row.label}: {cell.label}" for cell in row.cells}
        for score in self.scores:
            found |= {cell.link_id: f"{score.label}: {cell.label}" for cell in score.of}
        return found

    @cached_property
    def words(self) -> Mapping[str, Mapping[str, str]]:
        """The short words of the answers of each mapped question, by linkId."""
        found: dict[str, Mapping[str, str]] = {
            row.head: row.words for row in self.rows if row.words
        }
        cells = [cell for row in self.rows for cell in row.cells]
        asked: list[RowCell | Line] = [*cells, *self.lines]
        for one in asked:
            found.setdefault(one.link_id, one.words)
        return found


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition of a rule over the answers of its form; exactly one of its shapes is set.

    ``any_of``: an answer of ``link_id`` has one of the codes. ``at_least``: an answer is that
    or more. ``is_``: an answer equals it. ``group``/``has``: one instance of the repeating
    group meets ``has``. ``lost``/``left``/``percent``: lost x 100 >= (left + lost) x percent,
    of the first answers, both in one unit code. ``all``, ``any``, ``none`` combine.
    """

    link_id: str | None = None
    any_of: tuple[str, ...] = ()
    at_least: Decimal | None = None
    is_: bool | None = None
    all: tuple[Condition, ...] = ()
    any: tuple[Condition, ...] = ()
    none: tuple[Condition, ...] = ()
    group: str | None = None
    has: Condition | None = None
    lost: str | None = None
    left: str | None = None
    percent: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Level:
    """How soon. ``rank`` 1 is most urgent; ``owner`` is whom the clinic named, None for nobody.

    ``emergency``: a card in the chart interrupts for it.
    """

    id: str
    rank: int
    words: str
    patient: str
    team: str
    owner: str | None = None
    emergency: bool = False


@dataclass(frozen=True, slots=True)
class Rule:
    """One red-flag rule: when it fires, how urgent it is, what it says, and on whose word.

    ``title`` names it in few words; ``says`` tells what was reported, ``advice`` what follows.

    ``messages`` are the linkIds of what the patient sees on her screen when it fires.
    """

    id: str
    url: str
    version: str
    level: str
    title: str
    says: str
    advice: str
    when: Condition
    messages: tuple[str, ...]
    sources: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SummaryMapping:
    """Everything the page is made by. ``unsure`` and ``declined`` are answer codes.

    ``changes`` is the section that tells what changed, in ``changes_shown`` lines.
    """

    title: str
    sections: tuple[SectionKind, ...]
    forms: tuple[FormMapping, ...]
    levels: tuple[Level, ...] = ()
    rules: tuple[Rule, ...] = ()
    sources: Mapping[str, str] = field(default_factory=dict)
    unsure: tuple[str, ...] = ()
    declined: tuple[str, ...] = ()
    flags_shown: int = 3
    changes: str | None = None
    changes_shown: int = 5

    def form(self, url: str | None, version: str | None) -> FormMapping | None:
        """The mapping of this form version; a site's filling (1.0.0+site.4) is the same form."""
        for form in self.forms:
            if form.url == url and same_version(form.version, version):
                return form
        return None

    def based_on(self, shipped: str, site: str) -> SummaryMapping:
        """The same mapping for a site whose canonicals begin with ``site``, not ``shipped``."""
        if shipped == site:
            return self
        return replace(
            self,
            sections=tuple(
                replace(one, system=one.system.replace(shipped, site)) for one in self.sections
            ),
            forms=tuple(replace(one, url=one.url.replace(shipped, site)) for one in self.forms),
        )


def same_version(mapped: str, version: str | None) -> bool:
    """Whether a form's version is the mapped one, semver build metadata left aside.

    https://semver.org/#spec-item-10
    """
    return version is not None and version.split("+", maxsplit=1)[0] == mapped
