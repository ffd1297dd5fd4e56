"""Lines of the page: what each mapped question, table row, score and ranking says.

Each function gives Facts in the order of the mapping; a question without answer gives none here,
it is told among what was not answered.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import ROUND_HALF_UP, Decimal
from itertools import chain

from fhir_service.sdc.compiled import Form
from fhir_service.sdc.items import Item
from fhir_service.summary.answers import Answers, Given, Reading
from fhir_service.summary.flags import share_lost
from fhir_service.summary.mapping import (
    FormMapping,
    Line,
    Loss,
    Questions,
    Row,
    RowCell,
    Score,
)
from fhir_service.summary.model import Cell, Fact, Kind, Origin, Value
from fhir_service.summary.words import code_of, own_option


@dataclass(frozen=True, slots=True)
class Mapped:
    """One response with the mapping of its form version; None for a form without one."""

    reading: Reading
    form: FormMapping | None


BeforeOf = Callable[[Row, Sequence[Given]], tuple[Cell, ...]]
"""The cells that tell what the row with this head was at the last time."""


def facts_of(mapped: Mapped, visit: Sequence[Mapped], before: BeforeOf) -> Iterator[Fact]:
    """Every fact of one response, over all sections. ``visit``: all responses of the visit."""
    form, reading = mapped.form, mapped.reading
    if form is None:
        return
    if form.questions is not None:
        yield from questions(form.questions, reading, visit)
    for row in form.rows:
        lists = [line.link_id for line in form.lines if line.besides == row.group]
        ticked = [given for one in lists for given in reading.of(one)]
        yield from rows(row, reading, ticked, before)
    for score in form.scores:
        yield from scores(score, mapped)
    for line in form.lines:
        yield from plain_line(line, reading)
    for loss in form.losses:
        yield from losses(loss, reading)


def short(given: Given, words: Mapping[str, str]) -> Value:
    """The answer in the clinic's short words where the mapping has some, else as in the form."""
    code = code_of(given.answer)
    if code is not None and code in words:
        value = given.value
        return Value(words[code], value.kind, value.unit, value.origin, value.sent, value.mark)
    return given.value


def origins(givens: Sequence[Given]) -> tuple[Origin, ...]:
    """Where these answers lie."""
    return tuple(given.value.origin for given in givens if given.value.origin is not None)


def kind_of(values: Sequence[Value]) -> Kind:
    """The patient's words if any of the values is, else coded."""
    return "patient-words" if any(one.kind == "patient-words" for one in values) else "coded"


def plain_line(line: Line, reading: Reading) -> Iterator[Fact]:
    """One question with all its answers."""
    heads = {
        code_of(head.answer)
        for instance in reading.instances.get(line.besides or "", ())
        for givens in instance.values()
        for head in givens
    } - {None}
    given_here = reading.of(line.link_id)
    rest = [given for given in given_here if code_of(given.answer) not in heads]
    values = tuple(short(given, line.words) for given in rest)
    if values:
        yield Fact(
            line.section,
            line.label,
            kind_of(values),
            values,
            important=line.important,
            further=line.further,
        )


def rows(row: Row, reading: Reading, ticked: Sequence[Given], before: BeforeOf) -> Iterator[Fact]:
    """One fact for each instance of a repeating group that has an answer, concerning ones first.

    ``ticked`` are answers of a list that the rows tell more of: those a row is headed by are its
    grounds.
    """
    instances = list(enumerate(reading.instances.get(row.group, ()), start=1))
    instances.sort(key=lambda one: _concern(row, one[1]))
    for number, instance in instances:
        head = tuple(short(given, row.words) for given in instance.get(row.head, ()))
        cells = tuple(
            Cell(cell.label, found, cell.note, cell.bare)
            for cell in row.cells
            if (found := _shown(cell, instance)) or not cell.note
        )
        heads_here = instance.get(row.head, ())
        if head or any(cell.values for cell in cells):
            label = "" if head else f"{row.label} {number}"
            shown = (*head, *chain.from_iterable(cell.values for cell in cells))
            heads = {code_of(given.answer) for given in instance.get(row.head, ())} - {None}
            same = [given for given in ticked if code_of(given.answer) in heads]
            cells = _with(cells, before(row, heads_here))
            yield Fact(
                row.section,
                label,
                kind_of(shown),
                head,
                cells,
                grounds=origins(same),
                further=row.differing and _concern(row, instance) == len(row.first),
            )


def _concern(row: Row, instance: Answers) -> int:
    """The place of a row: that of the first of its codes in ``row.first``, else after all."""
    codes = {code_of(given.answer) for givens in instance.values() for given in givens}
    places = (place for place, code in enumerate(row.first) if code in codes)
    return next(places, len(row.first))


def _with(cells: tuple[Cell, ...], more: tuple[Cell, ...]) -> tuple[Cell, ...]:
    """What was before stands right beside what is now, behind the first column."""
    return (*cells[:1], *more, *cells[1:]) if more else cells


def _shown(cell: RowCell, answers: Answers) -> tuple[Value, ...]:
    return tuple(short(given, cell.words) for given in answers.get(cell.link_id, ()))


def scores(score: Score, mapped: Mapped) -> Iterator[Fact]:
    """The total as sent beside what the answers add up to; none is made of incomplete answers."""
    reading = mapped.reading
    parts = origins([given for cell in score.of for given in reading.of(cell.link_id)])
    sent = reading.of(score.total)
    if not parts and not sent:
        return
    form = reading.source.form
    points = [_points(form, given) for cell in score.of for given in reading.of(cell.link_id)[:1]]
    added = sum(filter(None, points)) if len(points) == len(score.of) else None
    if None in points:
        added = None
    values, remark = _total(score, sent, added)
    says = "; ".join(part for part in (remark, _helper(mapped)) if part)
    yield Fact(score.section, score.label, "derived", values, says=says, grounds=parts)


def _points(form: Form, given: Given) -> int | None:
    value = given.answer.value
    if not isinstance(value, Mapping):
        return None
    option = own_option(form, given.item, value)
    return int(option.weight) if option is not None and option.weight is not None else None


def _total(
    score: Score, sent: tuple[Given, ...], added: int | None
) -> tuple[tuple[Value, ...], str]:
    number = str(sent[0].value.words) if sent else None if added is None else str(added)
    if number is None:
        return (), "not scored, an answer is missing"
    origin = sent[0].value.origin if sent else None
    value = Value(f"{number} of {score.highest}", "derived", origin=origin)
    if sent and added is not None and number != str(added):
        return (value,), f"sent as {number}, the answers add up to {added}"
    positive = number.isdigit() and int(number) >= score.positive_from
    return (value,), f"positive from {score.positive_from}" if positive else ""


def _helper(mapped: Mapped) -> str:
    respondent = mapped.form.respondent if mapped.form else None
    if respondent is None or respondent.helper is None:
        return ""
    codes = {code_of(given.answer) for given in mapped.reading.of(respondent.link_id)}
    return respondent.screens_note if respondent.helper in codes else ""


def losses(loss: Loss, reading: Reading) -> Iterator[Fact]:
    """The loss in percent of what there was, one decimal; none where the units differ."""
    lost, left = reading.of(loss.amount)[:1], reading.of(loss.left)[:1]
    share = share_lost(lost, left)
    if share is None:
        return
    percent = share.quantize(Decimal("0.1"), ROUND_HALF_UP)
    about = Value(f"about {percent} %", "derived", origin=lost[0].value.origin)
    yield Fact(loss.section, loss.label, "derived", (about,), grounds=origins((*lost, *left)))


def questions(asking: Questions, reading: Reading, visit: Sequence[Mapped]) -> Iterator[Fact]:
    """Her ranked questions first, in her order and words; then what she picked besides."""
    ranked = [given for link_id in asking.ranked for given in reading.of(link_id)]
    listed = [given for link_id in (*asking.own, *asking.picked) for given in reading.of(link_id)]
    others = [given for given in listed if not any(_same(given, top) for top in ranked)]
    yield from _heed(asking, [*ranked, *others], visit)
    for number, given in enumerate(ranked, start=1):
        same = origins([one for one in listed if _same(one, given)])
        shown = (given.value,)
        kind = given.value.kind
        yield Fact(asking.section, f"{number}.", kind, shown, grounds=same, important=True)
    if others:
        label = "Also wants to ask" if ranked else "Wants to ask (not ranked)"
        values = tuple(given.value for given in others)
        more = bool(ranked)
        yield Fact(asking.section, label, kind_of(values), values, folded=more, further=more)


def _same(one: Given, two: Given) -> bool:
    codes = (code_of(one.answer), code_of(two.answer))
    if codes[0] is not None or codes[1] is not None:
        return codes[0] == codes[1]
    return bool(one.answer.value == two.answer.value)


def _heed(asking: Questions, asked: Sequence[Given], visit: Sequence[Mapped]) -> Iterator[Fact]:
    """What she wants to know, ahead of questions that touch it."""
    if not any(code_of(given.answer) in asking.sensitive for given in asked):
        return
    for mapped in visit:
        lines = mapped.form.lines if mapped.form else ()
        for line in lines:
            if line.link_id in asking.heed:
                for fact in plain_line(line, mapped.reading):
                    yield replace(fact, section=asking.section, important=False)


def label_of(form: FormMapping | None, item: Item | None) -> str:
    """The mapping's short name of a question, else its text."""
    if item is None:
        return "a question that the form does not have"
    if form is not None and item.link_id in form.labels:
        return form.labels[item.link_id]
    return item.text() or item.link_id


def words_of(form: FormMapping | None, item: Item | None) -> Mapping[str, str]:
    """The mapping's short words for the answers of a question; empty when it has none."""
    if form is None or item is None:
        return {}
    return form.words.get(item.link_id, {})
