"""The first section: red flags with their reason, or what can be said where none fired.

A missing safety check is never shown as "nothing ticked".
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from fhir_service.summary.answers import Given
from fhir_service.summary.flags import Fired, fired
from fhir_service.summary.lines import Mapped, label_of, origins, short, words_of
from fhir_service.summary.mapping import SummaryMapping
from fhir_service.summary.model import Cell, Fact, Value
from fhir_service.summary.words import code_of


def attention(
    section: str, mapping: SummaryMapping, visit: Sequence[Mapped], times: Sequence[str]
) -> Iterator[Fact]:
    """Flags, most urgent first, those past the limit folded; then what the safety list says."""
    flags = [(mapped, one) for mapped in visit for one in fired(mapping, mapped.reading)]
    flags.sort(key=lambda pair: pair[1].level.rank)
    found = [one for _, one in flags]
    for number, (mapped, one) in enumerate(flags):
        yield _flag(section, mapped, one, folded=number >= mapping.flags_shown)
    yield from _unowned(section, found)
    flagged = {given for one in found for given in one.because}
    yield from _ticked(section, mapping, visit, times, flagged)


def _flag(section: str, mapped: Mapped, one: Fired, *, folded: bool) -> Fact:
    cells = tuple(_because(mapped, one))
    return Fact(
        section=section,
        label=one.level.words,
        kind="derived",
        cells=cells if not folded else (),
        says=one.rule.title if folded or not cells else one.rule.advice,
        grounds=origins(one.because),
        rule=one.rule.id,
        important=not folded,
        folded=folded,
    )


def _because(mapped: Mapped, one: Fired) -> Iterator[Cell]:
    """The answers that a rule fired on, each question named; a table row by its head."""
    safety = mapped.form.safety.link_id if mapped.form and mapped.form.safety else None
    by_label: dict[str, tuple[Value, ...]] = {}
    for given in one.because:
        link_id = given.item.link_id if given.item is not None else ""
        value = short(given, words_of(mapped.form, given.item))
        label = "" if link_id == safety else label_of(mapped.form, given.item)
        for head in _heads(mapped, given):
            label = ""
            worded = short(head, words_of(mapped.form, head.item))
            by_label[""] = (*by_label.get("", ()), worded)
        by_label[label] = (*by_label.get(label, ()), value)
    for label, values in by_label.items():
        yield Cell(label, tuple(dict.fromkeys(values)), bare=not label)


def _heads(mapped: Mapped, given: Given) -> Iterator[Given]:
    if given.item is None or mapped.form is None:
        return
    for row in mapped.form.rows:
        for instance in mapped.reading.instances.get(row.group, ()):
            if any(given is one for one in instance.get(given.item.link_id, ())):
                yield from (head for head in instance.get(row.head, ()) if head is not given)


def _unowned(section: str, found: Sequence[Fired]) -> Iterator[Fact]:
    bare = dict.fromkeys(one.level.words for one in found if one.level.owner is None)
    if bare:
        some = "" if all(one.level.owner is None for one in found) else f" ({', '.join(bare)})"
        says = f"No owner named{some}, team flags off: nobody was alerted."
        yield Fact(section, "", "derived", says=says)


def _ticked(
    section: str,
    mapping: SummaryMapping,
    visit: Sequence[Mapped],
    times: Sequence[str],
    flagged: set[Given],
) -> Iterator[Fact]:
    """The safety list itself: answered with none, not answered, or not among what came in."""
    lists = [
        (mapped, mapped.form.safety, when)
        for mapped, when in zip(visit, times, strict=True)
        if mapped.form is not None and mapped.form.safety is not None
    ]
    for mapped, safety, when in lists:
        given = mapped.reading.of(safety.link_id)
        rest = tuple(one.value for one in given if one not in flagged)
        if not given:
            yield Fact(section, "", "derived", says=f"Safety check not answered ({when}).")
        elif {code_of(one.answer) for one in given} == {safety.none}:
            says = f"No safety item ticked (patient report, {when})."
            grounds = tuple(one.value.origin for one in given if one.value.origin is not None)
            yield Fact(section, "", "derived", says=says, grounds=grounds)
        elif rest:
            yield Fact(section, f"Also ticked ({when})", "coded", rest)
    if not lists:
        named = any(form.safety is not None for form in mapping.forms)
        mapped_here = any(mapped.form is not None for mapped in visit)
        yield Fact(
            section,
            "",
            "derived",
            says="The form with the safety check has not come in."
            if named and mapped_here
            else "This form has no safety rules in this service.",
        )
