"""The oncologist's summary of one visit, out of every response that belongs to it.

One fact model, four renderings: FHIR document, page, plain text and PDF say the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import msgspec

from fhir_service.fhir.issues import Conflict, NotAllowed
from fhir_service.fhir.reading import MOST_ITEM_LEVELS, read_stored
from fhir_service.sdc.compiled import Form
from fhir_service.sdc.responses import Response, skim
from fhir_service.summary.document import document
from fhir_service.summary.facts import Source, summarise
from fhir_service.summary.listing import listing
from fhir_service.summary.model import WHOLE, Charted, Look, Person, Summary
from fhir_service.workflow import read
from fhir_service.workflow.caller import Caller, within
from fhir_service.workflow.checking import form_of
from fhir_service.workflow.ports import Reader, Stored
from fhir_service.workflow.site import Site
from fhir_service.workflow.visits import earlier, of_one_visit

Format = Literal["document", "html", "text", "pdf", "facts"]

_encode = msgspec.json.Encoder(decimal_format="number").encode
TYPE = "QuestionnaireResponse"
_SUMMED_UP = ("completed", "amended", "stopped")


@dataclass(frozen=True, slots=True)
class Made:
    """A summary as it is sent: its bytes and the content type they are in."""

    body: bytes
    content_type: str
    patient: str | None = None

    def is_of(self, patient: str) -> bool:
        """Whether it is of this patient."""
        return self.patient == patient


def summary(site: Site, caller: Caller, id_: str, form: Format, look: Look = WHOLE) -> Made:
    """The summary of the visit that this response belongs to; ``look`` is for the HTML.

    Raises NotAllowed, NotHere, Gone, and Conflict for a response that was not sent, or was
    entered in error: there is nothing to tell an oncologist yet, or any more.
    """
    reach = caller.must_whole(TYPE, "r")
    if caller.bound is not None:  # the summary is of the whole visit
        raise NotAllowed("A link opens its own form alone.")
    asked = read.read(site, caller, TYPE, id_)
    patient = within(TYPE, reach)
    found = facts(site, asked, patient)
    return Made(*_rendered(site, found, form, look), asked.patient)


def _rendered(site: Site, found: Summary, form: Format, look: Look) -> tuple[bytes, str]:
    """The summary in this form, and its content type."""
    if form == "text":
        return site.renderings.text(found).encode("utf-8"), "text/plain; charset=utf-8"
    if form == "html":
        return site.renderings.html(found, look).encode("utf-8"), "text/html; charset=utf-8"
    if form == "pdf":
        return site.renderings.pdf(found), "application/pdf"
    if form == "facts":
        return _encode(listing(found)), "application/json; charset=utf-8"
    bundle = document(
        found, base_url=f"{site.base_url}/fhir", software_version=site.software_version
    )
    return _encode(bundle), "application/fhir+json; charset=utf-8"


def facts(
    site: Site,
    asked: Stored,
    patient: str | None = None,
    *,
    language: str | None = None,
    chart: Sequence[Charted] = (),
) -> Summary:
    """The facts of the visit that ``asked`` belongs to; ``patient`` narrows what is looked at.

    ``language`` is the clinic's where None. ``chart`` is what the EHR has, read beforehand.
    """
    visit = of_one_visit(site, asked, patient)
    if visit[0][1].status not in _SUMMED_UP:
        raise Conflict(
            f"The response is {visit[0][1].status}; a summary is made of what a patient has sent."
        )
    reader = site.desk.reading()
    sources = [
        replace(source, replaced=_before(site, reader, stored))
        for stored, response in visit
        for source in _source(site, stored, response)
    ]
    ids = {stored.id for stored, _ in visit}
    past = earlier(site, asked, ids, patient)
    return summarise(
        sources,
        site.mapping(),
        patient=person(site.desk.reading(), asked.patient),
        now=max(stored.last_updated for stored, _ in visit),
        zone=site.zone,
        language=language or site.language,
        earlier=[one for stored, response in past for one in _source(site, stored, response)],
        chart=chart,
    )


def _before(site: Site, reader: Reader, stored: Stored) -> Source | None:
    """What the patient had sent before this amendment; None for what was not amended."""
    response = skim(stored.body, MOST_ITEM_LEVELS)
    if response.status != "amended":
        return None
    for version in reader.history(TYPE, stored.id, before_version=stored.version):
        then = skim(version.body, MOST_ITEM_LEVELS) if not version.deleted else None
        if then is not None and then.status in _SUMMED_UP:
            return next(iter(_source(site, version, then)), None)
    return None


def _source(site: Site, stored: Stored, response: Response) -> list[Source]:
    form = form_of(site, response)
    if not isinstance(form, Form):
        return []
    return [
        Source(
            form,
            read_stored(stored.body),
            stored.id,
            stored.version,
            stored.last_updated,
            items=response.items,
        )
    ]


def person(reader: Reader, id_: str | None) -> Person | None:
    """The patient as the record names her; None when she is known by her id alone."""
    stored = reader.read("Patient", id_) if id_ else None
    if stored is None or stored.deleted:
        return None
    patient = read_stored(stored.body)
    return Person(
        id=stored.id,
        name=_name(patient.get("name", ())),
        birth_date=patient.get("birthDate"),
        gender=patient.get("gender"),
    )


def _name(names: Any) -> str | None:
    """The official name, else the first: as its text, else given and family."""
    ranked = sorted(names, key=lambda name: name.get("use") != "official")
    if not ranked:
        return None
    first = ranked[0]
    parts = [*first.get("given", ()), first.get("family", "")]
    return first.get("text") or " ".join(part for part in parts if part) or None
