"""What has come in lately: one line for each visit whose answers were sent, the newest first."""

from __future__ import annotations

from dataclasses import dataclass

from fhir_service.fhir.searching import Criterion, Search
from fhir_service.workflow.caller import Caller, within
from fhir_service.workflow.ports import Stored
from fhir_service.workflow.site import Site
from fhir_service.workflow.summarise import TYPE, person
from fhir_service.workflow.visits import SENT

_MOST = 50


@dataclass(frozen=True, slots=True)
class Visit:
    """A visit's newest sent response, whose it is, and the day it came in at the clinic."""

    response: str
    patient: str
    name: str
    day: str


def lately(site: Site, caller: Caller, patient: str | None = None) -> tuple[Visit, ...]:
    """The newest sent response of each patient, at most 50; of one patient where she is given.

    Raises NotAllowed.
    """
    reach = caller.must_whole(TYPE, "s", "r")
    narrowed = within(TYPE, reach) or patient
    criteria = [Criterion("status", "token", SENT)]
    if narrowed is not None:
        criteria.append(Criterion("patient", "reference", (narrowed,)))
    search = Search(TYPE, tuple(criteria), sort=(("_lastUpdated", True),), count=4 * _MOST)
    newest: dict[str, Stored] = {}
    for stored in site.desk.reading().search(search, narrowed).found:
        if stored.patient is not None:
            newest.setdefault(stored.patient, stored)
    return tuple(_visit(site, stored) for stored in list(newest.values())[:_MOST])


def newest(site: Site, patient: str) -> Stored | None:
    """The newest sent response of this patient that is near now; None where there is none."""
    search = Search(
        TYPE,
        (Criterion("status", "token", SENT), Criterion("patient", "reference", (patient,))),
        sort=(("_lastUpdated", True),),
        count=1,
    )
    return next(iter(site.desk.reading().search(search, patient).found), None)


def _visit(site: Site, stored: Stored) -> Visit:
    whose = person(site.desk.reading(), stored.patient)
    name = whose.name if whose is not None else None
    day = f"{stored.last_updated.astimezone(site.zone):%Y-%m-%d}"
    return Visit(stored.id, stored.patient or "", name or f"id {stored.patient}", day)
