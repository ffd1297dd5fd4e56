"""The fact model: one page for the oncologist, each value with the answers that it was made from.

Text, HTML, PDF, narrative and FHIR document are all made from a Summary, and say the same. What
there are hundreds of in one summary is a Struct, made in a tenth of the time of a dataclass.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, Final, Literal

from msgspec import Struct

from fhir_service.sdc.compiled import Form
from fhir_service.sdc.response_model import ResponseItem
from fhir_service.summary.mapping import SectionKind

Kind = Literal["patient-words", "coded", "derived"]
Mark = Literal["", "unsure", "declined"]
State = Literal["answered", "not-answered", "declined", "not-asked", "not-in-form", "group"]
Direction = Literal["worse", "better", "new", "not named now", "changed", "amended", "same"]


@dataclass(frozen=True, slots=True)
class Person:
    """The patient as the clinic's record names her. ``birth_date`` as FHIR writes it."""

    id: str
    name: str | None = None
    birth_date: str | None = None
    gender: str | None = None


class Origin(Struct, frozen=True, gc=False):
    """Where a value came from: the answer's place in one version of one response.

    ``anchor`` names the line of the appendix that shows the answer in full. ``chart``: the value
    is the EHR's, not the patient's, and ``place`` is the reference of its resource there.
    """

    response: str
    version: int
    link_id: str
    place: str
    anchor: str
    chart: bool = False


class Value(Struct, frozen=True, gc=False):
    """One value shown. ``words`` are unaltered where they are the patient's.

    ``sent`` is the display that came with a code, where it is not the form's own wording.
    """

    words: str
    kind: Kind
    unit: str | None = None
    origin: Origin | None = None
    sent: str | None = None
    mark: Mark = ""


class Cell(Struct, frozen=True):
    """Values under a label of their own: a column of a table row, or a part of a line."""

    label: str
    values: tuple[Value, ...]
    note: bool = False
    bare: bool = False


@dataclass(frozen=True, slots=True)
class Point:
    """What was answered at one time, higher is worse; ``level`` None where nothing was."""

    when: datetime
    level: Decimal | None
    words: str
    origin: Origin | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """How a line differs from what the patient said before.

    ``before`` was answered on the day ``on``. ``course`` are the points, oldest first, between
    ``low`` (best) and ``high`` (worst); empty where there is no such scale.
    """

    direction: Direction
    before: tuple[Value, ...] = ()
    on: str = ""
    course: tuple[Point, ...] = ()
    low: Decimal = Decimal(0)
    high: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True)
class Fact:
    """One line of the page.

    ``says`` is a sentence of ours or of a rule; ``grounds`` are answers that it rests on and that
    are not repeated in it. ``folded``: shown small, after the ones in full.
    ``further``: not of the first minute.
    """

    section: str
    label: str
    kind: Kind
    values: tuple[Value, ...] = ()
    cells: tuple[Cell, ...] = ()
    says: str = ""
    grounds: tuple[Origin, ...] = ()
    rule: str = ""
    important: bool = False
    folded: bool = False
    further: bool = False
    change: Change | None = None

    @property
    def derived_from(self) -> tuple[Origin, ...]:
        """Every answer that this line was made from, in order, each once."""
        return tuple(dict.fromkeys((*self.shown_from, *self.grounds)))

    @property
    def shown_from(self) -> tuple[Origin, ...]:
        """Where what it shows comes from; what it rests on besides is left aside."""
        values = [*self.values, *(value for cell in self.cells for value in cell.values)]
        origins = [one.origin for one in values]
        if self.change is not None:
            origins += [one.origin for one in self.change.before]
            origins += [one.origin for one in self.change.course]
        return tuple(one for one in origins if one is not None)


@dataclass(frozen=True, slots=True)
class Section:
    """One section with its facts, at least one."""

    kind: SectionKind
    facts: tuple[Fact, ...]

    @property
    def columns(self) -> tuple[str, ...]:
        """The column heads of its table rows, in order."""
        heads = (cell.label for fact in self.facts for cell in fact.cells if not cell.note)
        return tuple(dict.fromkeys(heads))


class Asked(Struct, frozen=True):
    """One item in the appendix, in the order of the form, nested by ``depth``."""

    anchor: str
    link_id: str
    text: str
    depth: int
    state: State
    values: tuple[Value, ...] = ()
    calculated: bool = False


@dataclass(frozen=True, slots=True)
class FormAnswers:
    """One response: which form, when, by whom, in which status, and every answer of it."""

    title: str
    url: str
    form_version: str
    response: str
    response_version: int
    status: str
    authored: str
    received: str
    answered_by: str
    language: str | None
    asked: tuple[Asked, ...]


@dataclass(frozen=True, slots=True)
class Source:
    """One response with the form version it answers. ``response`` is its JSON, decimals exact.

    ``replaced`` is what the patient had sent before she amended it. ``items`` are the response's
    as they were decoded, where they were.
    """

    form: Form
    response: Mapping[str, Any]
    id: str
    version: int
    last_updated: datetime
    replaced: Source | None = None
    items: Sequence[ResponseItem] | None = field(default=None, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Charted:
    """Something that the EHR has in the chart: ``reference`` there, in the EHR's words.

    ``kind``: what it is compared with. ``words`` name it, for instance a medicine.
    """

    kind: Literal["medicine"]
    reference: str
    words: str


@dataclass(frozen=True, slots=True)
class Chart:
    """What the EHR has in the chart; ``says`` is told where there is nothing to compare with."""

    found: tuple[Charted, ...] = ()
    says: str = ""


NO_CHART: Final = Chart()
"""Nothing was asked of the EHR."""


@dataclass(frozen=True, slots=True)
class Summary:
    """The page. ``made`` is the moment of its newest source; same sources, same bytes.

    ``earlier`` are answers of earlier responses (``before_sources``) that a line compares with.
    """

    title: str
    language: str
    patient: Person | None
    patient_line: str
    banner: tuple[str, ...]
    sections: tuple[Section, ...]
    appendix: tuple[FormAnswers, ...]
    earlier: tuple[FormAnswers, ...]
    made: datetime
    zone: str
    sources: Sequence[Source] = field(repr=False)
    before_sources: Sequence[Source] = field(repr=False, default=())

    @property
    def facts(self) -> tuple[Fact, ...]:
        """All lines of the page, in order."""
        return tuple(fact for section in self.sections for fact in section.facts)


@dataclass(frozen=True, slots=True)
class Look:
    """How the page is shown: the sheet and all answers in one, or one of them.

    ``answers_at``: the address of the page of all answers, to which the sheet then links.
    ``style``: the address of the style sheet; inside the page where there is none. ``links`` are
    address and words of what is offered besides.
    """

    shown: Literal["all", "sheet", "answers"] = "all"
    answers_at: str = ""
    style: str = ""
    links: tuple[tuple[str, str], ...] = ()


WHOLE = Look()
"""One self-contained page."""
