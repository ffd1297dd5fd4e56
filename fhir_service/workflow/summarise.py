"""The oncologist's summary of one visit, out of every response that belongs to it.

One fact model, four renderings: FHIR document, page, plain text and PDF say the same.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal

import msgspec

from fhir_service.fhir.issues import Conflict, NotAllowed
from fhir_service.fhir.reading import MOST_ITEM_LEVELS, read_stored
from fhir_service.sdc.compiled import Form
from fhir_service.sdc.responses import Response, skim
from fhir_service.summary.document import document, number
from fhir_service.summary.facts import Source, summarise
from fhir_service.summary.listing import listing
from fhir_service.summary.model import NO_CHART, WHOLE, Chart, Look, Person, Summary
from fhir_service.workflow import read
from fhir_service.workflow.caller import Caller, within
from fhir_service.workflow.checking import form_of
from fhir_service.workflow.ports import Reader, Stored
from fhir_service.workflow.site import Site
from fhir_service.workflow.visits import earlier, of_one_visit

Format = Literal["document", "html", "text", "pdf", "facts"]
Visit = tuple[tuple[Stored, Response], ...]

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
    visit = of_one_visit(site, asked, patient)
    if form == "document":  # of what she sent alone: the same as what is delivered
        made = _encode(_document(site, visit, patient, _facts(site, visit, patient)))
        return Made(made, "application/fhir+json; charset=utf-8", asked.patient)
    found = _facts(site, visit, patient, chart=_chart(site, caller, asked.patient))
    return Made(*_rendered(site, found, form, look), asked.patient)


def _chart(site: Site, caller: Caller, patient: str | None) -> Chart:
    if site.ehr is None:
        return NO_CHART
    from fhir_service.workflow.charting import (  # noqa: PLC0415  what asks the EHR needs us
        medicines,
    )

    return medicines(site, caller, patient)


def _rendered(site: Site, found: Summary, form: Format, look: Look) -> tuple[bytes, str]:
    """The summary in this form, and its content type."""
    if form == "text":
        return site.renderings.text(found).encode("utf-8"), "text/plain; charset=utf-8"
    if form == "html":
        return site.renderings.html(found, look).encode("utf-8"), "text/html; charset=utf-8"
    if form == "pdf":
        return site.renderings.pdf(found), "application/pdf"
    return _encode(listing(found)), "application/json; charset=utf-8"


def _document(site: Site, visit: Visit, patient: str | None, found: Summary) -> dict[str, Any]:
    """The document, which takes the place of the one of the visit as it was before."""
    reader, base_url = site.desk.reading(), f"{site.base_url}/fhir"
    before = _as_it_was(reader, visit)
    return document(
        found,
        base_url=base_url,
        software_version=site.software_version,
        replaces=number(_facts(site, before, patient), base_url) if before else None,
        began=min((_came(reader, stored), stored.id) for stored, _ in visit)[1],
    )


def _as_it_was(reader: Reader, visit: Visit) -> Visit:
    """The visit before the last response came in, or was changed; empty where there was none.

    A second response to the same form hides the first: then the visit is taken without that form.
    """
    last = max(visit, key=lambda one: (one[0].last_updated, one[0].id))
    earlier_ = _sent_before(reader, last[0])
    was = [earlier_ if one is last else one for one in visit]
    return tuple(one for one in was if one is not None)


def _came(reader: Reader, stored: Stored) -> datetime:
    """When the first version of this response was stored."""
    first = reader.history(TYPE, stored.id, before_version=2) if stored.version > 1 else ()
    return first[-1].last_updated if first else stored.last_updated


def facts(
    site: Site,
    asked: Stored,
    patient: str | None = None,
    *,
    language: str | None = None,
    chart: Chart = NO_CHART,
) -> Summary:
    """The facts of the visit that ``asked`` belongs to; ``patient`` narrows what is looked at.

    ``language`` is the clinic's where None. ``chart`` is what the EHR has, read beforehand.
    """
    visit = of_one_visit(site, asked, patient)
    return _facts(site, visit, patient, language=language, chart=chart)


def _facts(
    site: Site,
    visit: Visit,
    patient: str | None,
    *,
    language: str | None = None,
    chart: Chart = NO_CHART,
) -> Summary:
    asked = visit[0][0]
    if visit[0][1].status not in _SUMMED_UP:
        raise Conflict(
            f"The response is {visit[0][1].status}; a summary is made of what a patient has sent."
        )
    reader = site.desk.reading()
    sources = [
        replace(source, replaced=_before(site, reader, stored, response))
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


def _before(site: Site, reader: Reader, stored: Stored, response: Response) -> Source | None:
    """What the patient had sent before this amendment; None for what was not amended."""
    if response.status != "amended":
        return None
    then = _sent_before(reader, stored)
    return next(iter(_source(site, *then)), None) if then is not None else None


def _sent_before(reader: Reader, stored: Stored) -> tuple[Stored, Response] | None:
    """The version of this response that was sent before it; None where it is the first sent."""
    for version in reader.history(TYPE, stored.id, before_version=stored.version):
        then = skim(version.body, MOST_ITEM_LEVELS) if not version.deleted else None
        if then is not None and then.status in _SUMMED_UP:
            return version, then
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
