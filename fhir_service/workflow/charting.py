"""The medicines that the EHR has in the chart, to lay them beside what the patient takes.

A person waits for the summary: what the EHR does not tell within seconds is not compared, and the
summary says so. http://hl7.org/fhir/R4/medicationrequest.html
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from typing import Any, Final

from fhir_service.sdc.population.fetching import NotFetched
from fhir_service.summary.model import NO_CHART, Chart, Charted
from fhir_service.workflow.caller import Caller
from fhir_service.workflow.record_queries import RecordQueries
from fhir_service.workflow.site import Site

MOST_SECONDS: Final = 3.0
"""So long the summary waits for the EHR."""

_QUERIES: Final = {
    "MedicationRequest": "MedicationRequest?status=active",
    "MedicationStatement": "MedicationStatement?status=active",
}
_AT_ONCE: Final = threading.BoundedSemaphore(8)
_NO_ANSWER: Final = "Not compared with the chart: the EHR did not answer."
_NONE: Final = "The chart lists no active medicines."


def medicines(
    site: Site, caller: Caller, patient: str | None, most_seconds: float = MOST_SECONDS
) -> Chart:
    """The patient's active medicines in the EHR that the caller may read there, by their names.

    An empty Chart without a word where no EHR is configured, or the caller may read none of them.
    """
    types = tuple(one for one in _QUERIES if _may(caller, one))
    if site.ehr is None or patient is None or not types:
        return NO_CHART
    caller.trail.about = patient
    if not _AT_ONCE.acquire(blocking=False):  # an EHR that hangs must not take every thread
        return Chart(says=_NO_ANSWER)
    told: list[Chart] = []

    def ask() -> None:
        try:
            told.append(_asked(RecordQueries(site, caller, patient, site.ehr), types))
        finally:
            _AT_ONCE.release()

    thread = threading.Thread(target=ask, name="chart", daemon=True)
    thread.start()
    thread.join(most_seconds)
    return told[0] if told else Chart(says=_NO_ANSWER)


def _may(caller: Caller, type_: str) -> bool:
    """Whether a scope reaches this type at all; RecordQueries looks at each resource again."""
    scopes = caller.access.scopes
    return all(any(one.covers(type_, letter) for one in scopes) for letter in ("r", "s"))


def _asked(queries: RecordQueries, types: tuple[str, ...]) -> Chart:
    """What both lists have. One that can not be had leaves a doubt: then nothing is compared."""
    found: list[Charted] = []
    for type_ in types:
        try:
            fetched = queries(_QUERIES[type_])
        except NotFetched:
            return Chart(says=_NO_ANSWER)
        entries = fetched.resource.get("entry", ())
        found += _named([entry["resource"] for entry in entries], type_)
    return Chart(tuple(found), "" if found else _NONE)


def _named(resources: list[Mapping[str, Any]], type_: str) -> Iterator[Charted]:
    for one in resources:
        words = _words(one)
        if one.get("resourceType") == type_ and one.get("status") == "active" and words:
            yield Charted("medicine", f"{type_}/{one.get('id')}", words)


def _words(resource: Mapping[str, Any]) -> str:
    """The medicine's name: as text, of a coding, of what is contained, or of the reference."""
    reference = resource.get("medicationReference", {})
    contained = {f"#{one.get('id')}": one for one in resource.get("contained", ())}
    medication = contained.get(reference.get("reference"), {})
    for concept in (resource.get("medicationCodeableConcept", {}), medication.get("code", {})):
        displays = [one.get("display") for one in concept.get("coding", ())]
        for words in (concept.get("text"), *displays):
            if words:
                return str(words)
    return str(reference.get("display") or "")
