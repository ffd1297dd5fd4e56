"""Who answered which form when: the lines above the page, and the heads of the appendix.

http://hl7.org/fhir/R4/questionnaireresponse.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import datetime, tzinfo

from fhir_service.sdc.items import in_language
from fhir_service.summary.answers import Reading
from fhir_service.summary.lines import Mapped
from fhir_service.summary.mapping import FormMapping
from fhir_service.summary.model import Asked, FormAnswers, Person, Source
from fhir_service.summary.words import code_of

_MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:\d{2})")


def form_answers(
    mapped: Mapped, zone: tzinfo, language: str, asked: Sequence[Asked] | None = None
) -> FormAnswers:
    """One response with its answers; with ``asked`` only with these."""
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
        asked=tuple(mapped.reading.asked if asked is None else asked),
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


def banner_lines(answers: Sequence[FormAnswers]) -> Iterator[str]:
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


def patient_line(patient: Person | None, sources: Sequence[Source]) -> str:
    """Whose page it is: name, birth date, gender and id, as far as they are known here."""
    if patient is not None:
        born = f"born {patient.birth_date}" if patient.birth_date else None
        known = (patient.name or "name not known here", born, patient.gender, f"id {patient.id}")
        return ", ".join(part for part in known if part)
    subjects = dict.fromkeys(
        str((source.response.get("subject") or {}).get("reference", "not stated"))
        for source in sources
    )
    return f"{', '.join(subjects)} (name not known here)"
