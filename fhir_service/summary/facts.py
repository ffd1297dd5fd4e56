"""One page out of the responses of one visit, whichever of its forms have come in.

Every answer of every response stands in the appendix, in the order of its form; what was not
asked, not answered, not known and declined are told apart. Nothing is said that no answer gives.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, tzinfo

from fhir_service.sdc.pairing import pair
from fhir_service.summary.answers import Given, read
from fhir_service.summary.attention import attention
from fhir_service.summary.banner import banner_lines, form_answers, patient_line
from fhir_service.summary.changes import (
    Before,
    answered_at,
    before_cell,
    changes,
    charted,
    first_word,
)
from fhir_service.summary.lines import BeforeOf, Mapped, facts_of, label_of
from fhir_service.summary.mapping import FormMapping, Row, SummaryMapping
from fhir_service.summary.model import (
    NO_CHART,
    Cell,
    Chart,
    Fact,
    FormAnswers,
    Origin,
    Person,
    Section,
    Source,
    Summary,
    Value,
)
from fhir_service.summary.words import Wording

__all__ = ["Person", "Source", "Summary", "summarise"]

STANDING = (
    "Patient-reported. Not reviewed before this visit.",
    "Gives no diagnosis; not watched in real time.",
)


def summarise(
    sources: Sequence[Source],
    mapping: SummaryMapping,
    *,
    patient: Person | None,
    now: datetime,
    zone: tzinfo,
    language: str = "en",
    earlier: Sequence[Source] = (),
    chart: Chart = NO_CHART,
) -> Summary:
    """The summary of one visit's responses, at least one.

    ``language`` is the clinic's: coded answers are shown in it where the form has the words.
    ``now`` is printed and dates the PDF, so that the same input gives the same bytes.
    ``earlier`` are responses of the same patient to compare with, ``chart`` what her EHR has.
    """
    visit = _visit(sources, mapping, language)
    past = _read(sorted(earlier, key=answered_at), mapping, language, len(visit) + 1)
    replaced = _replaced(visit, mapping, language, len(visit) + len(past) + 1)
    answers = tuple(form_answers(mapped, zone, language) for mapped in visit)
    before = _Past(past, visit, zone)
    facts = [
        *_facts(visit, answers, mapping, before.cells),
        *changes(mapping, visit, past, replaced, zone),
        *_charted(visit, chart),
    ]
    sections = tuple(
        Section(kind, found)
        for kind in mapping.sections
        if (found := tuple(fact for fact in facts if fact.section == kind.id))
    )
    compared = (*past, *(one for _, one in replaced))
    used = {one.anchor for fact in facts for one in fact.derived_from}
    told = [(one, [each for each in one.reading.asked if each.anchor in used]) for one in compared]
    return Summary(
        title=mapping.title,
        language=language,
        patient=patient,
        patient_line=patient_line(patient, sources),
        banner=(*STANDING, *banner_lines(answers)),
        sections=sections,
        appendix=answers,
        earlier=tuple(form_answers(one, zone, language, asked) for one, asked in told if asked),
        made=now,
        zone=str(zone),
        sources=tuple(mapped.reading.source for mapped in visit),
        before_sources=tuple(one.reading.source for one, asked in told if asked),
    )


class _Past:
    """The earlier responses, asked for what a row of a table was."""

    def __init__(self, past: Sequence[Mapped], visit: Sequence[Mapped], zone: tzinfo) -> None:
        self._found: dict[str, Before] = {}
        for mapped in visit if past else ():
            for row in mapped.form.rows if mapped.form is not None else ():
                self._found[row.group] = before_cell(row, mapped, past, zone)

    def cells(self, row: Row, heads: Sequence[Given]) -> tuple[Cell, ...]:
        found = self._found.get(row.group)
        return found.cells(heads) if found is not None else ()


def _charted(visit: Sequence[Mapped], chart: Chart) -> Iterator[Fact]:
    for mapped in visit:
        for row in mapped.form.rows if mapped.form is not None else ():
            if chart.says and row.charted is not None:
                yield Fact(row.section, "", "derived", says=chart.says)
            there: dict[str, Value] = {}
            for one in chart.found:
                if one.kind == row.charted:
                    origin = Origin("", 0, "", one.reference, "", chart=True)
                    there.setdefault(
                        first_word(one.words), Value(one.words, "derived", origin=origin)
                    )
            yield from charted(row, mapped, there)


def _visit(
    sources: Sequence[Source], mapping: SummaryMapping, language: str
) -> tuple[Mapped, ...]:
    """Each response read beside its form, in the order that the mapping gives to the forms."""
    ordered = sorted(sources, key=lambda one: _order(mapping.form(one.form.url, one.form.version)))
    return _read(ordered, mapping, language, 1)


def _read(
    sources: Sequence[Source], mapping: SummaryMapping, language: str, start: int
) -> tuple[Mapped, ...]:
    read_ = []
    for number, source in enumerate(sources, start=start):
        words = Wording(source.form, language, mapping.unsure, mapping.declined)
        nodes = pair(source.form, source.response, decoded=source.items)
        reading = read(source, nodes, number, words)
        read_.append(Mapped(reading, mapping.form(source.form.url, source.form.version)))
    return tuple(read_)


def _replaced(
    visit: Sequence[Mapped], mapping: SummaryMapping, language: str, start: int
) -> list[tuple[Mapped, Mapped]]:
    """Each amended response of the visit beside what it was before."""
    amended = [one for one in visit if one.reading.source.replaced is not None]
    before = [one.reading.source.replaced for one in amended if one.reading.source.replaced]
    return list(zip(amended, _read(before, mapping, language, start), strict=True))


def _order(form: FormMapping | None) -> int:
    return form.order if form is not None else 1_000


def _facts(
    visit: Sequence[Mapped],
    answers: Sequence[FormAnswers],
    mapping: SummaryMapping,
    before: BeforeOf,
) -> Iterator[Fact]:
    first, last = mapping.sections[0].id, mapping.sections[-1].id
    flagged = tuple(attention(first, mapping, visit, [one.authored for one in answers]))
    yield from flagged
    told = {origin for fact in flagged for origin in fact.derived_from}
    for mapped in visit:
        for fact in facts_of(mapped, visit, before):
            if fact.section != first or not told.issuperset(fact.derived_from):
                yield fact
    yield from _left_open(last, visit)


def _left_open(section: str, visit: Sequence[Mapped]) -> Iterator[Fact]:
    """Not answered, not known, declined, not asked: each told apart, none shown as "no"."""
    for name, mark in (("Not sure", "unsure"), ("Declined to answer", "declined")):
        given = [
            (label_of(mapped.form, one.item), one.value)
            for mapped in visit
            for answered in mapped.reading.answers.values()
            for one in answered
            if one.value.mark == mark
        ]
        unsaid = [
            label_of(mapped.form, item)
            for mapped in visit
            for item in (mapped.reading.declined if mark == "declined" else ())
        ]
        if given or unsaid:
            labels = tuple(dict.fromkeys([*(label for label, _ in given), *unsaid]))
            grounds = tuple(value.origin for _, value in given if value.origin is not None)
            title = f"{name} ({len(given) + len(unsaid)})"
            yield Fact(section, title, "derived", _named(labels), grounds=grounds)
    yield from _unanswered(section, visit)
    hidden = sum(len(mapped.reading.not_asked) for mapped in visit)
    if hidden:
        says = "ruled out by other answers"
        yield Fact(section, f"Not asked ({hidden})", "derived", says=says)
    strange = sum(one.state == "not-in-form" for mapped in visit for one in mapped.reading.asked)
    if strange:
        says = f"answers without a place in their form: {strange}"
        yield Fact(section, "Outside the form", "derived", says=says)


def _unanswered(section: str, visit: Sequence[Mapped]) -> Iterator[Fact]:
    items = [
        (mapped.form, item)
        for mapped in visit
        for item in mapped.reading.not_answered
        if item.link_id not in _pick_lists(mapped.form)
    ]
    labels = tuple(dict.fromkeys(label_of(form, item) for form, item in items))
    if labels:
        yield Fact(section, f"Not answered ({len(items)})", "derived", _named(labels))


def _pick_lists(form: FormMapping | None) -> tuple[str, ...]:
    """Lists to pick from: nothing picked in one group of them is no question left open."""
    if form is None or form.questions is None:
        return ()
    return (*form.questions.picked, *form.questions.own)


def _named(labels: Sequence[str]) -> tuple[Value, ...]:
    return tuple(Value(label, "derived") for label in labels)
