"""The visit at the EHR: the appointment is known first, its Encounter appears later.

An Encounter is taken only where the response names it, a person named it, or it is linked to the
patient's appointment; never because it merely is there.
http://hl7.org/fhir/R4/encounter.html and http://hl7.org/fhir/R4/appointment.html
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from fhir_service.fhir.dates import moment, span
from fhir_service.workflow.ehr import Ehr, EhrTrouble
from fhir_service.workflow.parcels import Visit

_ENCOUNTER = re.compile(r"(?:^|/)Encounter/([A-Za-z0-9\-.]{1,64})(?:/_history/[\w.\-]+)?$")
_NOT_TO_BE = ("cancelled", "entered-in-error")
_OVER = ("cancelled", "noshow", "entered-in-error", "proposed", "waitlist")
USUAL = timedelta(hours=4)
"""How long a visit lasts where its end is not known."""

_NEAR = timedelta(hours=12)
_MOST = 50


def encounter_id(reference: str | None, base: str) -> str | None:
    """The id of an Encounter of this EHR; None for another server's, or where there is none."""
    if not reference:
        return None
    if "://" in reference and not reference.startswith(base + "/"):
        return None
    found = _ENCOUNTER.search(reference)
    return found[1] if found else None


def appointment_of(
    ehr: Ehr, patient: str, written: datetime, days: int
) -> Mapping[str, Any] | None:
    """The patient's next appointment after the response was written, within these days.

    Raises EhrTrouble.
    """
    first, last = written - timedelta(days=1), written + timedelta(days=days)
    query = {
        "patient": f"Patient/{patient}",
        "date": [f"ge{first.date().isoformat()}", f"le{last.date().isoformat()}"],
    }
    found = [
        (start, one)
        for one in ehr.search("Appointment", query, _MOST)
        if one.get("resourceType") == "Appointment"
        and one.get("status") not in _OVER
        and _is_of(one, patient)
        and (start := _time(one.get("start"))) is not None
        and written <= (_time(one.get("end")) or start + USUAL)
        and start <= last
    ]
    return min(found, key=lambda pair: pair[0])[1] if found else None


def encounter_of(
    ehr: Ehr, patient: str, appointment: Mapping[str, Any]
) -> Mapping[str, Any] | None:
    """The Encounter of this appointment: linked to it, else the only one near its time.

    Raises EhrTrouble.
    """
    start = _time(appointment.get("start"))
    if start is None:
        return None
    day = (start - _NEAR).date().isoformat()
    booked = str(appointment.get("id"))
    candidates: list[Mapping[str, Any]] = []
    for query in ({"appointment": f"Appointment/{booked}"}, {"date": f"ge{day}"}):
        candidates = _encounters(ehr, patient, query)
        linked = [one for one in candidates if booked in _appointments(one)]
        if linked:
            return linked[0]
    near = [
        one
        for one in candidates
        if not one.get("appointment")
        and (began := _time(one.get("period", {}).get("start"))) is not None
        and abs(began - start) <= _NEAR
    ]
    return near[0] if len(near) == 1 else None


def times(appointment: Mapping[str, Any] | None, encounter: Mapping[str, Any] | None) -> Visit:
    """When the visit is: as the appointment says, else the encounter."""
    period = (encounter or {}).get("period", {})
    booked = appointment or {}
    start = _time(booked.get("start")) or _time(period.get("start"))
    end = _time(booked.get("end")) or _time(period.get("end"))
    if end is None and start is not None:
        end = start + USUAL
    return Visit(start, end, str(encounter["id"]) if encounter else None)


def usable(encounter: Mapping[str, Any] | None) -> bool:
    """Whether a note may be filed to it."""
    return encounter is not None and encounter.get("status") not in _NOT_TO_BE


def _encounters(ehr: Ehr, patient: str, query: Mapping[str, str]) -> list[Mapping[str, Any]]:
    """Encounters of this patient; none where the EHR refuses such a search."""
    try:
        found = list(ehr.search("Encounter", {"patient": f"Patient/{patient}", **query}, _MOST))
    except EhrTrouble as trouble:
        if trouble.kind != "refused":
            raise
        return []
    return [
        one
        for one in found
        if one.get("resourceType") == "Encounter"
        and one.get("status") not in _NOT_TO_BE
        and _subject(one) == patient
    ]


def _is_of(appointment: Mapping[str, Any], patient: str) -> bool:
    actors = [
        str(one.get("actor", {}).get("reference", ""))
        for one in appointment.get("participant", ())
    ]
    return any(
        actor == f"Patient/{patient}" or actor.endswith(f"/Patient/{patient}") for actor in actors
    )


def _subject(encounter: Mapping[str, Any]) -> str:
    return str(encounter.get("subject", {}).get("reference", "")).rpartition("Patient/")[2]


def _appointments(encounter: Mapping[str, Any]) -> list[str]:
    return [
        str(one.get("reference", "")).rpartition("Appointment/")[2]
        for one in encounter.get("appointment", ())
    ]


def _time(text: Any) -> datetime | None:
    """The first moment of a dateTime with a time of day; None for what is none."""
    if not isinstance(text, str) or "T" not in text:
        return None
    try:
        return moment(span(text).low)
    except (ValueError, OverflowError):
        return None
