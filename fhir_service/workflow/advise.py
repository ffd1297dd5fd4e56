"""What an EHR is told when it calls one of our CDS services: a visit that is near, or nothing.

Out of our own store alone; the EHR is not asked. https://cds-hooks.hl7.org/2.0/
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from fhir_service.cds.cards import Ways, answer, card
from fhir_service.cds.services import Call
from fhir_service.fhir.issues import Issue, Stale
from fhir_service.workflow import summaries, summarise
from fhir_service.workflow.caller import Caller, within
from fhir_service.workflow.launch_ports import Launchers
from fhir_service.workflow.launched import patient_id
from fhir_service.workflow.site import Site
from fhir_service.workflow.telling import saw


def advise(
    site: Site,
    caller: Caller,
    launchers: Launchers,
    call: Call,
    ways: Callable[[str, bool], Ways],
) -> dict[str, Any]:
    """The card of the newest answers, where they were sent at most ``visit_days`` ago; or none.

    ``ways`` gives the links for a response, the flag telling that the EHR can launch us. None is
    shown to a patient who books for herself. Raises NotAllowed, and Stale (412)
    for a call from a server that is not set up here: its data can not be had.
    """
    reach = caller.must_whole(summarise.TYPE, "r")
    caller.must_whole(summarise.TYPE, "s")
    patient = _ours(site, launchers, call)
    caller.trail.about = patient
    if not call.by_staff or within(summarise.TYPE, reach) not in (None, patient):
        return answer()
    stored = summaries.newest(site, patient)
    if stored is None or stored.patient != patient:
        return answer()
    if site.clock.now() - stored.last_updated > timedelta(days=site.visit_days):
        return answer()
    saw(caller, stored)
    found = summarise.facts(site, stored, patient)
    launches = call.fhir_server is not None and call.fhir_server in launchers.ehrs
    levels = site.mapping().levels
    return answer(card(found, levels, stored.id, stored.version, ways(stored.id, launches)))


def _ours(site: Site, launchers: Launchers, call: Call) -> str:
    """Our id of the patient. Raises Stale where nothing says whose ids they are."""
    ehr = launchers.ehrs.get(call.fhir_server or "")
    if ehr is not None:
        return patient_id(ehr, call.patient)
    if call.fhir_server in site.patient_bases:
        return call.patient
    alone = all(one.home for one in launchers.ehrs.values())
    if call.fhir_server is None and alone:
        return call.patient
    says = "The answers of this server's patients can not be found: it is not set up here."
    raise Stale(says, Issue(key="cds-unknown-server", code="not-found", says=says))
