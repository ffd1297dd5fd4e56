"""One page out of the responses of one visit, whichever of its forms have come in.

Every answer of every response stands in the appendix, in the order of its form; what was not
asked, not answered, not known and declined are told apart. Nothing is said that no answer gives.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import datetime, tzinfo

from fhir_service.sdc.items import in_language
from fhir_service.sdc.pairing import pair
from fhir_service.summary.answers import Reading, read
from fhir_service.summary.attention import attention
from fhir_service.summary.lines import Mapped, facts_of, label_of
from fhir_service.summary.mapping import FormMapping, SummaryMapping
from fhir_service.summary.model import (
    Fact,
    FormAnswers,
    Person,
    Section,
    Source,
    Summary,
    Value,
)
from fhir_service.summary.words import code_of, wording

__all__ = ["Person", "Source", "Summary", "summarise"]

STANDING = (
    "Patient-reported. Not reviewed before this visit.",
    "Gives no diagnosis; not watched in real time.",
)

_MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:\d{2})")


def summarise(
    sources: Sequence[Source],
    mapping: SummaryMapping,
    *,
    patient: Person | None,
    now: datetime,
    zone: tzinfo,
    language: str = "en",
) -> Summary:
    """The summary of one visit's responses, at least one.

    ``language`` is the clinic's: coded answers are shown in it where the form has the words.
    ``now`` is printed and dates the PDF, so that the same input gives the same bytes.
    """
    visit = _visit(sources, mapping, language)
    answers = tuple(_form_answers(mapped, zone, language) for mapped in visit)
    facts = list(_facts(visit, answers, mapping))
    sections = tuple(
        Section(kind, found)
        for kind in mapping.sections
        if (found := tuple(fact for fact in facts if fact.section == kind.id))
    )
    return Summary(
        title=mapping.title,
        language=language,
        patient=patient,
        patient_line=_patient_line(patient, sources),
        banner=(*STANDING, *_banner_lines(answers)),
        sections=sections,
        appendix=answers,
        made=now,
        zone=str(zone),
        sources=tuple(mapped.reading.source for mapped in visit),
    )


def _visit(
    sources: Sequence[Source], mapping: SummaryMapping, language: str
) -> tuple[Mapped, ...]:
    """Each response read beside its form, in the order that the mapping gives to the forms."""
    ordered = sorted(sources, key=lambda one: _order(mapping.form(one.form.url, one.form.version)))
    visit = []
    for number, source in enumerate(ordered, start=1):
        words = wording(source.form, language, mapping.unsure, mapping.declined)
        reading = read(source, pair(source.form, source.response), number, words)
        visit.append(Mapped(reading, mapping.form(source.form.url, source.form.version)))
    return tuple(visit)


def _order(form: FormMapping | None) -> int:
    return form.order if form is not None else 1_000


def _facts(
    visit: Sequence[Mapped], answers: Sequence[FormAnswers], mapping: SummaryMapping
) -> Iterator[Fact]:
    first, last = mapping.sections[0].id, mapping.sections[-1].id
    flagged = tuple(attention(first, mapping, visit, [one.authored for one in answers]))
    yield from flagged
    told = {origin for fact in flagged for origin in fact.derived_from}
    for mapped in visit:
        for fact in facts_of(mapped, visit):
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
        if given:
            labels = tuple(dict.fromkeys(label for label, _ in given))
            grounds = tuple(value.origin for _, value in given if value.origin is not None)
            yield Fact(
                section, f"{name} ({len(given)})", "derived", _named(labels), grounds=grounds
            )
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


def _form_answers(mapped: Mapped, zone: tzinfo, language: str) -> FormAnswers:
    source = mapped.reading.source
    authored = source.response.get("authored")
    return FormAnswers(
        title=in_language(source.form.titles, language) or source.form.title,
        url=source.form.url or "",
        form_version=source.form.version or "",
        response=source.id,
        response_version=source.version,
        status=str(source.response.get("status", "")),
        authored=local(authored, zone) if authored else "at a time not stated",
        received=_moment(source.last_updated, zone),
        answered_by=_answered_by(mapped.form, mapped.reading),
        language=source.response.get("language"),
        asked=tuple(mapped.reading.asked),
    )


def local(moment: str, zone: tzinfo) -> str:
    """A FHIR dateTime in the clinic's zone, zone named; as it was sent where it has no time."""
    if _MOMENT.fullmatch(moment):
        return _moment(datetime.fromisoformat(moment), zone)
    return moment


def _moment(moment: datetime, zone: tzinfo) -> str:
    return f"{moment.astimezone(zone):%Y-%m-%d %H:%M %Z}"


def _answered_by(form: FormMapping | None, reading: Reading) -> str:
    """Who answered: as the form asked it, else as the response's source says."""
    if form is not None and form.respondent is not None:
        for given in reading.of(form.respondent.link_id):
            words = form.respondent.words.get(code_of(given.answer) or "", given.value.words)
            relation = [one.value.words for one in reading.of(form.respondent.relation)]
            return f"{words} ({'; '.join(relation)})" if relation else words
    reference = reading.source.response.get("source") or {}
    kind = str(reference.get("type") or reference.get("reference", "").rpartition("/")[0])
    return _WHO.get(kind.rpartition("/")[2], _NOT_STATED)


_NOT_STATED = "someone not stated"
_WHO = {
    "Patient": "the patient",
    "RelatedPerson": "someone else, for the patient",
    "Practitioner": "a practitioner",
    "PractitionerRole": "a practitioner",
}


def _banner_lines(answers: Sequence[FormAnswers]) -> Iterator[str]:
    """Who answered, which form in which version, when; one line for each who."""
    by_whom: dict[str, list[FormAnswers]] = {}
    for one in answers:
        by_whom.setdefault(one.answered_by, []).append(one)
    for whom, forms in by_whom.items():
        day, _, _ = forms[0].authored.partition(" ")
        zone = forms[0].authored.rpartition(" ")[2]
        told = [f"{_which(one)}, {one.authored}" for one in forms[:1]]
        for one in forms[1:]:
            when = one.authored
            if when.startswith(f"{day} ") and when.endswith(f" {zone}"):
                when = when.removeprefix(f"{day} ").removesuffix(f" {zone}")
            told.append(f"{_which(one)}, {when}")
        yield f"By {whom}: {'; '.join(told)}"


def _which(one: FormAnswers) -> str:
    about = [] if one.language in {None, "en"} else [f"in language {one.language}"]
    if one.status != "completed":
        about.append(one.status)
    return f"{one.title} {one.form_version}".strip() + (f" ({', '.join(about)})" if about else "")


def _patient_line(patient: Person | None, sources: Sequence[Source]) -> str:
    if patient is not None:
        born = f"born {patient.birth_date}" if patient.birth_date else None
        known = (patient.name or "name not known here", born, patient.gender, f"id {patient.id}")
        return ", ".join(part for part in known if part)
    subjects = dict.fromkeys(
        str((source.response.get("subject") or {}).get("reference", "not stated"))
        for source in sources
    )
    return f"{', '.join(subjects)} (name not known here)"
