"""What changed: this time against this patient's earlier answers, and what she amended.

Two answers are compared only where both were given and the question meant the same: the same
linkId, type, codes and words in both form versions, or as the mapping's ``same_in`` says. What was
not answered is a gap, never "no". http://hl7.org/fhir/R4/questionnaireresponse.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, tzinfo
from decimal import Decimal

from fhir_service.sdc.compiled import Form
from fhir_service.sdc.items import Item
from fhir_service.summary.answers import Given, Reading
from fhir_service.summary.lines import Mapped, kind_of, label_of, origins, short
from fhir_service.summary.mapping import Measure, Row, SummaryMapping, same_version
from fhir_service.summary.model import Cell, Change, Direction, Fact, Point, Source, Value
from fhir_service.summary.words import code_of

_ORDER: tuple[Direction, ...] = (
    "amended",
    "worse",
    "new",
    "changed",
    "not named now",
    "better",
    "same",
)

Named = Mapping[str, Given]


def answered_at(source: Source) -> datetime:
    """When the patient answered; when it was received, where she sent no exact moment."""
    try:
        moment = datetime.fromisoformat(str(source.response.get("authored")))
    except ValueError:
        return source.last_updated
    return moment if moment.tzinfo is not None else source.last_updated


def day(source: Source, zone: tzinfo) -> str:
    """The day of the answers in the clinic's zone, as FHIR writes it."""
    return f"{answered_at(source).astimezone(zone):%Y-%m-%d}"


def changes(
    mapping: SummaryMapping,
    visit: Sequence[Mapped],
    earlier: Sequence[Mapped],
    replaced: Sequence[tuple[Mapped, Mapped]],
    zone: tzinfo,
) -> Iterator[Fact]:
    """The lines of what changed, most concerning first; those past the limit are further.

    ``earlier``: the patient's earlier responses, oldest first. ``replaced``: each amended response
    of the visit with what it was before.
    """
    section = mapping.changes
    if section is None:
        return
    found = [fact for pair in replaced for fact in _amended(section, *pair, zone)]
    compared = False
    for mapped in visit:
        before = _of_form(earlier, mapped)
        compared = compared or bool(before)
        for measure in mapped.form.measures if mapped.form is not None else ():
            found.extend(_followed(section, measure, mapped, before, zone))
    if not compared and any(mapped.form and mapped.form.measures for mapped in visit):
        found.append(Fact(section, "", "derived", says="No earlier answers to compare with."))
    yield from _ranked(section, found, mapping.changes_shown)


def _ranked(section: str, found: Sequence[Fact], shown: int) -> Iterator[Fact]:
    told = [fact for fact in found if fact.change is None or fact.change.direction != "same"]
    same = [fact for fact in found if fact not in told]
    told.sort(key=lambda fact: _ORDER.index(fact.change.direction) if fact.change else 0)
    for number, fact in enumerate(told):
        yield replace(fact, further=number >= shown)
    if same:
        labels = tuple(Value(fact.label, "derived") for fact in same)
        grounds = tuple(one for fact in same for one in fact.derived_from)
        yield Fact(section, "Same as before", "derived", labels, grounds=grounds, folded=True)


def _of_form(earlier: Sequence[Mapped], mapped: Mapped) -> list[Mapped]:
    url = mapped.reading.source.form.url
    return [one for one in earlier if one.reading.source.form.url == url]


def _followed(
    section: str, measure: Measure, mapped: Mapped, earlier: Sequence[Mapped], zone: tzinfo
) -> Iterator[Fact]:
    same = [one for one in earlier if comparable(measure, mapped, one)]
    if measure.listed:
        yield from _listed(section, measure, mapped, same, zone)
    elif measure.group is not None:
        for key, given in named(measure, mapped.reading).items():
            past = [(one, named(measure, one.reading).get(key)) for one in same]
            head = _head_words(measure, mapped, key)
            yield from _compared(section, measure, (head, given), past, mapped, zone)
    else:
        for given in mapped.reading.of(measure.link_id)[:1]:
            past = [(one, next(iter(one.reading.of(measure.link_id)), None)) for one in same]
            yield from _compared(section, measure, (measure.label, given), past, mapped, zone)


def _compared(
    section: str,
    measure: Measure,
    now: tuple[str, Given],
    past: Sequence[tuple[Mapped, Given | None]],
    mapped: Mapped,
    zone: tzinfo,
) -> Iterator[Fact]:
    label, given = now
    last = next(((one, then) for one, then in reversed(past) if then is not None), None)
    if last is None:
        return
    source, then = last[0].reading.source, last[1]
    course = [*past, (mapped, given)]
    points = tuple(_point(measure, one.reading.source, each) for one, each in course)
    yield Fact(
        section=section,
        label=label,
        kind="derived",
        values=(short(given, measure.words),),
        change=Change(
            direction=_direction(measure, given, then),
            before=(short(then, measure.words),),
            on=day(source, zone),
            course=points if _scaled(measure) else (),
            low=measure.low if measure.high is not None else Decimal(0),
            high=measure.high if measure.high is not None else Decimal(len(measure.scale) - 1),
        ),
    )


def _scaled(measure: Measure) -> bool:
    return bool(measure.scale) or measure.high is not None


def _point(measure: Measure, source: Source, given: Given | None) -> Point:
    if given is None:
        return Point(answered_at(source), None, "not answered")
    level, words = level_of(measure, given), short(given, measure.words).words
    return Point(answered_at(source), level, words, given.value.origin)


def level_of(measure: Measure, given: Given) -> Decimal | None:
    """The level of an answer, higher is worse; None where it has none ("not sure")."""
    if measure.scale:
        code = code_of(given.answer)
        return Decimal(measure.scale.index(code)) if code in measure.scale else None
    value = given.answer.value
    if measure.high is None or isinstance(value, bool) or not isinstance(value, int | Decimal):
        return None
    return Decimal(value)


def _direction(measure: Measure, now: Given, then: Given) -> Direction:
    levels = level_of(measure, now), level_of(measure, then)
    if levels[0] is not None and levels[1] is not None:
        if levels[0] == levels[1]:
            return "same"
        return "worse" if levels[0] > levels[1] else "better"
    return "same" if _key(now) == _key(then) else "changed"


def _key(given: Given) -> str:
    code = code_of(given.answer)
    return code if code is not None else " ".join(given.value.words.split()).casefold()


def named(measure: Measure, reading: Reading) -> Named:
    """The followed answer of each row of a group, by the name of the row; the first of a name."""
    found: dict[str, Given] = {}
    for instance in reading.instances.get(measure.group or "", ()):
        for head in instance.get(measure.head or "", ())[:1]:
            for given in instance.get(measure.link_id, ())[:1]:
                found.setdefault(_key(head), given)
    return found


def _head_words(measure: Measure, mapped: Mapped, key: str) -> str:
    words = next((row.words for row in _rows(mapped) if row.group == measure.group), {})
    for head in mapped.reading.of(measure.head):
        if _key(head) == key:
            return short(head, words).words
    return key


def _rows(mapped: Mapped) -> tuple[Row, ...]:
    return mapped.form.rows if mapped.form is not None else ()


def _listed(
    section: str, measure: Measure, mapped: Mapped, earlier: Sequence[Mapped], zone: tzinfo
) -> Iterator[Fact]:
    """New where both lists were answered; what is not named now is said so, never "gone"."""
    now = mapped.reading.of(measure.link_id)
    last = next((one for one in reversed(earlier) if one.reading.of(measure.link_id)), None)
    if last is None or not now:
        return
    here, there = _on(measure, now), _on(measure, last.reading.of(measure.link_id))
    on = day(last.reading.source, zone)
    new = tuple(short(given, measure.words) for key, given in here.items() if key not in there)
    gone = tuple(short(given, measure.words) for key, given in there.items() if key not in here)
    if new:
        change = Change("new", (Value("not named", "derived"),), on)
        yield Fact(section, measure.label, "derived", new, change=change)
    if gone:
        yield Fact(section, measure.label, "derived", change=Change("not named now", gone, on))


def _on(measure: Measure, givens: Sequence[Given]) -> Named:
    found: dict[str, Given] = {}
    for given in givens:
        if code_of(given.answer) not in measure.ignored:
            found.setdefault(_key(given), given)
    return found


def comparable(measure: Measure, now: Mapped, then: Mapped) -> bool:
    """Whether the followed question means the same in both form versions."""
    forms = now.reading.source.form, then.reading.source.form
    if same_version((forms[0].version or "").split("+", maxsplit=1)[0], forms[1].version):
        return True
    asked = [name for name in (measure.link_id, measure.head) if name is not None]
    said = any(same_version(one, forms[1].version) for one in measure.same_in)
    return all(_same_question(*_both(forms, name), said=said) for name in asked)


def _both(forms: tuple[Form, Form], link_id: str) -> tuple[Item | None, Item | None]:
    return forms[0].by_link_id.get(link_id), forms[1].by_link_id.get(link_id)


def _same_question(now: Item | None, then: Item | None, *, said: bool) -> bool:
    if now is None or then is None or now.type != then.type:
        return False
    if said:
        return True
    codes = [{(one.get("system"), one.get("code")) for one in item.codes} for item in (now, then)]
    return codes[0] == codes[1] and now.text() == then.text()


def _amended(section: str, mapped: Mapped, before: Mapped, zone: tzinfo) -> Iterator[Fact]:
    """Each question whose answers the patient changed after she had sent them."""
    on = day(before.reading.source, zone)
    keys = dict.fromkeys((*mapped.reading.answers, *before.reading.answers))
    for link_id in keys:
        now, then = mapped.reading.of(link_id), before.reading.of(link_id)
        if [_said(one) for one in now] == [_said(one) for one in then]:
            continue
        given = next(iter((*now, *then)))
        label = label_of(mapped.form, given.item)
        values = tuple(one.value for one in now) or (Value("no answer now", "derived"),)
        were = tuple(one.value for one in then) or (Value("not answered", "derived"),)
        change = Change("amended", were, on)
        yield Fact(section, label, "derived", values, change=change)


def _said(given: Given) -> tuple[str, str | None]:
    return given.value.words, given.value.unit


def before_cell(row: Row, mapped: Mapped, earlier: Sequence[Mapped], zone: tzinfo) -> Before:
    """What each row of a table was at the last time; nothing where there was none."""
    measures = mapped.form.measures if mapped.form is not None else ()
    for measure in measures:
        if measure.group == row.group and not measure.listed:
            for one in reversed(_of_form(earlier, mapped)):
                if comparable(measure, mapped, one):
                    found = named(measure, one.reading)
                    label = f"on {day(one.reading.source, zone)}"
                    return Before(
                        label, {key: short(g, measure.words) for key, g in found.items()}
                    )
    return Before("", {})


class Before:
    """The cell that a row gets: its value of last time under the day of that."""

    def __init__(self, label: str, values: Mapping[str, Value]) -> None:
        self._label = label
        self._values = values

    def cells(self, heads: Sequence[Given]) -> tuple[Cell, ...]:
        """The cell for the row with this head; none where there is nothing to compare with."""
        if not self._label:
            return ()
        key = _key(heads[0]) if heads else ""
        value = self._values.get(key, Value("not named", "derived"))
        return (Cell(self._label, (value,)),)


def charted(row: Row, mapped: Mapped, chart: Mapping[str, Value]) -> Iterator[Fact]:
    """Where the chart's list and the patient's differ: by name, in both directions.

    ``chart`` are the EHR's words by the first word of the name. Nothing is said of a list that
    the patient did not answer but that it was not.
    """
    if not chart:
        return
    heads = [
        head
        for instance in mapped.reading.instances.get(row.group, ())
        for head in instance.get(row.head, ())[:1]
    ]
    names = {first_word(head.value.words) for head in heads}
    missing = tuple(value for key, value in chart.items() if key not in names)
    if missing:
        label = "In the chart, not named by the patient" if heads else "In the chart (not asked)"
        yield Fact(row.section, label, "derived", missing, grounds=origins(heads), important=True)
    extra = tuple(head.value for head in heads if first_word(head.value.words) not in chart)
    if extra:
        yield Fact(row.section, "Not in the chart", kind_of(extra), extra, important=True)


def first_word(words: str) -> str:
    """What a medicine is compared by: its first word, without case."""
    return next(iter(words.split()), "").strip(".,;:()").casefold()
