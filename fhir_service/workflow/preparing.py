"""Makes one entry ready to be sent: still wanted, in time, its patient and encounter as they are.

Everything is read anew: the response, the patient at the EHR, the encounter. Whatever speaks
against sending comes out as Aside, with what becomes of the entry.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import msgspec

from fhir_service.fhir.dates import moment
from fhir_service.fhir.issues import Conflict, NotValid
from fhir_service.fhir.reading import MOST_ITEM_LEVELS, read_stored
from fhir_service.sdc.responses import Response, decode
from fhir_service.sdc.solicitation import read_task
from fhir_service.summary.document import document
from fhir_service.summary.model import Summary
from fhir_service.workflow.corrections import (
    Aside,
    as_it_was_sent,
    left_to_tell,
    note_before,
)
from fhir_service.workflow.ehr import Ehr, EhrTrouble
from fhir_service.workflow.outbox import Entry, Outbox
from fhir_service.workflow.parcels import (
    Parcel,
    Visit,
    body_of,
    identifier_of,
    must_be_of_one_patient,
)
from fhir_service.workflow.patient_there import must_ehr, patient_at_ehr
from fhir_service.workflow.ports import Stored
from fhir_service.workflow.site import Site
from fhir_service.workflow.subjects import subject_of
from fhir_service.workflow.summarise import facts
from fhir_service.workflow.targets import Rendering, Route
from fhir_service.workflow.visit_lookup import (
    USUAL,
    appointment_of,
    encounter_id,
    encounter_of,
    times,
    usable,
)
from fhir_service.workflow.visits import FIRST, LAST

TYPE = "QuestionnaireResponse"

_encode = msgspec.json.Encoder(decimal_format="number").encode
_SENT = ("completed", "amended")
_LATE = timedelta(hours=12)
_MOST_TASKS = 100


@dataclass(frozen=True, slots=True)
class Ready:
    """What is sent. ``body`` is what is posted; a withdrawal names the note it withdraws."""

    entry: Entry
    route: Route
    parcel: Parcel
    body: bytes
    if_none_exist: str | None = None
    withdraws: str | None = None


def prepare(site: Site, outbox: Outbox, entry: Entry, route: Route, now: datetime) -> Ready:
    """The entry, ready. Raises Aside, EhrTrouble, DoesNotFit, WrongPatient."""
    stored = site.desk.reading().vread(TYPE, entry.resource_id, entry.resource_version)
    if stored is None or stored.deleted or stored.patient != entry.patient:
        raise Aside("superseded", "response-gone")
    response = decode(stored.body, MOST_ITEM_LEVELS)
    _must_be_hers(site, response, entry.patient)
    others = [one for one in outbox.of_patient(entry.patient) if one.number != entry.number]
    if any(one.resource_id == entry.resource_id for one in others):
        _must_be_meant(site, entry)
    told, wanted = stored, entry
    if response.status in _SENT:
        before = note_before(site, others, entry, stored, route) if others else None
    else:
        was = as_it_was_sent(site, stored)
        before = note_before(site, others, entry, was, route) if others else None
        left = left_to_tell(site, others, entry, was, before, route)
        if left is None:
            return _withdrawal(site, entry, route, stored, before)
        told, response = left, decode(left.body, MOST_ITEM_LEVELS)
        _must_be_hers(site, response, entry.patient)
        if before is not None:  # what is wrong in the chart is mended after the visit, too
            wanted = replace(entry, released=entry.released or now)
    _must_be_in_time(wanted, _last_moment(site, entry), now)
    if now - entry.created > _LATE:
        _must_be_in_time(wanted, _visit_of_its_task(site, entry), now)
    patient = patient_at_ehr(site, entry.patient) if route.kind != "folder" else entry.patient
    visit, encounter = _visit(site, wanted, route, response, patient, told.last_updated, now)
    parcel = Parcel(
        patient=patient,
        identifier=name_of(site, entry),
        made=stored.last_updated,
        visit=visit,
        renderings=_renderings(site, route, facts_of(site, told)),
        response=read_stored(told.body) if route.kind == "response" else {},
        replaces=before.ehr_id if before else None,
    )
    body = body_of(route, parcel)
    if route.kind in ("note", "response"):
        must_be_of_one_patient(patient, msgspec.json.decode(body), encounter)
    condition = None
    if route.conditional_create:
        said = identifier_of(parcel.identifier)
        condition = f"identifier={said['system']}|{said['value']}"
    return Ready(entry, route, parcel, body, condition)


def name_of(site: Site, entry: Entry) -> str:
    """Our identifier's value for a delivery: unique for installation, response and version."""
    return f"{site.base_url}/fhir/{TYPE}/{entry.resource_id}/_history/{entry.resource_version}"


def facts_of(site: Site, stored: Stored) -> Summary:
    """The facts of the visit. Raises Aside where there is nothing to tell."""
    try:
        return facts(site, stored, stored.patient)
    except Conflict:
        raise Aside("superseded", "nothing-to-tell") from None


def _must_be_hers(site: Site, response: Response, patient: str) -> None:
    """Raise Aside unless the response itself says that it is about this patient."""
    try:
        said = subject_of(response, site.patient_bases)
    except NotValid:  # it was sent under an address that is not ours any more
        raise Aside("refused", "subject-not-understood") from None
    if said != patient:
        raise Aside("refused", "wrong-patient:response")


def _must_be_meant(site: Site, entry: Entry) -> None:
    """Raise Aside where a later version says that the response was entered in error."""
    current = site.desk.reading().read(TYPE, entry.resource_id)
    if current is None or current.version == entry.resource_version:
        return
    if current.deleted or decode(current.body, MOST_ITEM_LEVELS).status not in _SENT:
        raise Aside("superseded", "entered-in-error")


def _withdrawal(
    site: Site, entry: Entry, route: Route, stored: Stored, before: Entry | None
) -> Ready:
    """What withdraws the note of a visit of which nothing is true any more. Raises Aside."""
    if before is None or before.ehr_id is None:
        raise Aside("superseded", "nothing-was-filed")
    if route.withdrawal == "by-hand":
        raise Aside("refused", "withdraw-by-hand")
    parcel = Parcel(
        patient=entry.patient,
        identifier=name_of(site, entry),
        made=stored.last_updated,
        visit=Visit(),
        renderings={},
        response={},
        replaces=before.ehr_id,
    )
    body = f"entered-in-error {before.ehr_type}/{before.ehr_id}".encode()
    return Ready(entry, route, parcel, body, withdraws=before.ehr_id)


def _must_be_in_time(entry: Entry, deadline: datetime | None, now: datetime) -> None:
    if deadline is not None and now > deadline and entry.released is None:
        raise Aside("given-up", "visit-passed", deadline=deadline)


def _last_moment(site: Site, entry: Entry) -> datetime:
    """Its deadline; what was owed before there were any has the days of a visit."""
    return entry.deadline or entry.created + timedelta(days=site.visit_days)


def _visit_of_its_task(site: Site, entry: Entry) -> datetime | None:
    """When the visit is over that the Task of this response was for; None where none says."""
    reader = site.desk.reading()
    for stored in reader.stored_between("Task", entry.patient, FIRST, LAST, _MOST_TASKS):
        asked = read_task(read_stored(stored.body))
        if asked.response == entry.resource_id and asked.deadline is not None:
            return moment(asked.deadline) + USUAL
    return None


def _visit(
    site: Site,
    entry: Entry,
    route: Route,
    response: Response,
    patient: str,
    written: datetime,
    now: datetime,
) -> tuple[Visit, Mapping[str, Any] | None]:
    """When the visit is, and its Encounter as it was just read.

    Raises Aside where one is needed and not there yet, or where the visit is over.
    """
    if route.kind == "folder":
        return Visit(), None
    ehr = must_ehr(site)
    id_ = entry.encounter or encounter_id(response.encounter_reference, ehr.base)
    appointment = None
    needed = "required" in (route.encounter, route.period)
    if id_ is None and (needed or now - entry.created > _LATE):
        appointment = _appointment(site, ehr, patient, written, needed=needed)
    if id_ is None and appointment is not None and needed:
        found = encounter_of(ehr, patient, appointment)
        id_ = None if found is None else str(found["id"])
    encounter = ehr.read("Encounter", id_) if id_ and route.encounter != "never" else None
    visit = times(appointment, encounter if usable(encounter) else None)
    _must_be_in_time(entry, visit.end, now)
    if encounter is None and id_ is not None and route.encounter != "never":
        raise Aside("refused", "encounter-not-at-ehr")
    if encounter is not None and not usable(encounter):
        raise Aside("refused", "encounter-cancelled")
    missing = (route.encounter == "required" and encounter is None) or (
        route.period == "required" and visit.end is None
    )
    if missing:
        reason = "no-appointment" if appointment is None else "no-encounter-yet"
        raise Aside("waiting-for-encounter", reason, deadline=visit.end)
    return visit, encounter


def _appointment(
    site: Site, ehr: Ehr, patient: str, written: datetime, *, needed: bool
) -> Mapping[str, Any] | None:
    """The appointment of the visit; where it is not needed, an EHR that tells none is no trouble.

    What comes late asks for it too: the visit may be over.
    """
    try:
        return appointment_of(ehr, patient, written, site.visit_days)
    except EhrTrouble as trouble:
        if needed or not trouble.surely_not_done or trouble.passes:
            raise
        return None


def _renderings(site: Site, route: Route, summary: Summary) -> dict[Rendering, bytes]:
    """What the route needs of the summary, and no more."""
    wanted = {one.rendering for one in route.contents}
    if route.kind == "document":
        wanted.add("document")
    made: dict[Rendering, bytes] = {}
    if "text" in wanted:
        made["text"] = site.renderings.text(summary).encode("utf-8")
    if "html" in wanted:
        made["html"] = site.renderings.html(summary).encode("utf-8")
    if "pdf" in wanted:
        made["pdf"] = site.renderings.pdf(summary)
    if "document" in wanted:
        bundle = document(
            summary, base_url=f"{site.base_url}/fhir", software_version=site.software_version
        )
        made["document"] = _encode(bundle)
    return made
