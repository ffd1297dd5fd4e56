"""The first section: red flags with their reason, or what can be said where none fired.

A missing safety check is never shown as "nothing ticked".
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from fhir_service.summary.answers import Given
from fhir_service.summary.flags import Fired, fired
from fhir_service.summary.lines import Mapped
from fhir_service.summary.mapping import SummaryMapping
from fhir_service.summary.model import Cell, Fact
from fhir_service.summary.words import code_of


def attention(
    section: str, mapping: SummaryMapping, visit: Sequence[Mapped], times: Sequence[str]
) -> Iterator[Fact]:
    """Flags, most urgent first, those past the limit folded; then what the safety list says."""
    found = [one for mapped in visit for one in fired(mapping, mapped.reading)]
    found.sort(key=lambda one: one.level.rank)
    for number, one in enumerate(found):
        yield _flag(section, one, folded=number >= mapping.flags_shown)
    yield from _unowned(section, found)
    flagged = {given for one in found for given in one.because}
    yield from _ticked(section, mapping, visit, times, flagged)


def _flag(section: str, one: Fired, *, folded: bool) -> Fact:
    values = tuple(given.value for given in one.because)
    title = one.rule.title if folded else one.rule.says
    return Fact(
        section=section,
        label=one.level.words,
        kind="derived",
        cells=(Cell("Patient's answer", values),) if values else (),
        says=title,
        rule=one.rule.id,
        important=not folded,
        folded=folded,
    )


def _unowned(section: str, found: Sequence[Fired]) -> Iterator[Fact]:
    bare = dict.fromkeys(one.level.words for one in found if one.level.owner is None)
    if bare:
        says = (
            "Nobody was alerted: this clinic has named no one for "
            f"{', '.join(bare)}. Team flags are off."
        )
        yield Fact(section, "", "derived", says=says)


def _ticked(
    section: str, mapping: SummaryMapping, visit: Sequence[Mapped], times: Sequence[str], flagged: set[Given]
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
