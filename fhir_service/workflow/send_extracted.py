"""Extracted resources sent to the EHR, where a person asks for it and the target allows it.

Every resource is created only where none with its identifier is there, so that sending again after
a lost answer makes nothing twice; Provenance, which has no identifier, goes the first time alone.
http://hl7.org/fhir/R4/http.html#transaction
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from hashlib import sha256
from typing import Any, Protocol

import msgspec

from fhir_service.fhir.issues import Conflict
from fhir_service.fhir.reading import MOST_ITEM_LEVELS
from fhir_service.sdc.responses import decode
from fhir_service.workflow.corrections import Aside
from fhir_service.workflow.ehr import Ehr, EhrTrouble
from fhir_service.workflow.extract import of_stored
from fhir_service.workflow.outbox import Attempt, Entry, Outcome, Sending
from fhir_service.workflow.patient_there import patient_at_ehr
from fhir_service.workflow.plan import declared
from fhir_service.workflow.ports import Stored
from fhir_service.workflow.site import Site
from fhir_service.workflow.targets import Target

ROUTE = "extracted"
TYPE = "QuestionnaireResponse"

_encode = msgspec.json.Encoder(decimal_format="number").encode
_decode = msgspec.json.Decoder(dict[str, Any], float_hook=Decimal).decode
_SENT = ("completed", "amended")
_ABOUT = ("subject", "patient", "for")


class Ledger(Protocol):
    """Where the attempts of an entry stand."""

    def attempts(self, number: int) -> tuple[Attempt, ...]:
        """Those of this entry, oldest first."""

    def note(self, entry: Entry, sending: Sending) -> int:
        """Note that it is sent now; the attempt's number."""

    def end(self, entry: Entry, attempt: int, outcome: Outcome) -> None:
        """Note how it ended."""


@dataclass(frozen=True, slots=True)
class Sent:
    """How many resources the EHR said that it has now, and how many there were before."""

    created: int
    found: int


def send_extracted(
    site: Site, target: Target, statement: Mapping[str, Any], ledger: Ledger, entry: Entry
) -> Sent:
    """Send what is extracted from the response of this entry, once.

    Raises Conflict where target, EHR, response or ledger speak against it; EhrTrouble when it
    failed: after one that may have been done it can be asked for again.
    """
    ehr = _must_take(site, target, statement)
    stored = _must_be_current(site, entry)
    before = [one for one in ledger.attempts(entry.number) if one.route == ROUTE]
    if any(one.result == "delivered" for one in before):
        raise Conflict("What is extracted from this version was sent already.")
    made = of_stored(site, stored, provenance=not before, conditional=True).bundle
    if not made.get("entry"):
        raise Conflict("Nothing is extracted from this response.")
    try:
        patient = patient_at_ehr(site, entry.patient)
    except Aside as aside:
        raise Conflict(f"Nothing was sent: {aside.reason}.") from None
    bundle = _for_the_ehr(site, made, entry.patient, patient)
    _must_fit(bundle, statement, patient)
    body = _encode(bundle)
    attempt = ledger.note(entry, Sending(ROUTE, sha256(body).digest(), len(body)))
    now = site.clock.now()
    try:
        told = ehr.transaction(_decode(body))
    except EhrTrouble as trouble:
        state = "refused" if trouble.surely_not_done else "unknown"
        ledger.end(entry, attempt, Outcome(state, now, trouble.kind, trouble.status))  # type: ignore[arg-type]
        raise
    ledger.end(entry, attempt, Outcome("delivered", now, status=200))
    statuses = [str(one.get("response", {}).get("status", "")) for one in told.get("entry", ())]
    return Sent(
        created=sum(one.startswith("201") for one in statuses),
        found=sum(one.startswith("200") for one in statuses),
    )


def _must_take(site: Site, target: Target, statement: Mapping[str, Any]) -> Ehr:
    if not target.extracted:
        raise Conflict(f"The target {target.name} takes no extracted resources.")
    system = {
        str(one.get("code"))
        for rest in statement.get("rest", ())
        for one in rest.get("interaction", ())
    }
    if "transaction" not in system:
        raise Conflict("The EHR declares no transaction, so nothing extracted is sent.")
    if site.ehr is None:
        raise Conflict("No EHR is configured.")
    return site.ehr


def _must_be_current(site: Site, entry: Entry) -> Stored:
    """The response as it stands; only its newest version, as the patient sent it, is extracted."""
    stored = site.desk.reading().read(TYPE, entry.resource_id)
    if stored is None or stored.deleted or stored.version != entry.resource_version:
        raise Conflict("A later version of this response is there; name its entry.")
    if decode(stored.body, MOST_ITEM_LEVELS).status not in _SENT:
        raise Conflict("The response is not one that a patient has sent.")
    return stored


def _must_fit(bundle: Mapping[str, Any], statement: Mapping[str, Any], patient: str) -> None:
    """Refuse what the EHR does not declare, and a resource that is about anybody else."""
    for entry in bundle["entry"]:
        resource, request = entry["resource"], entry["request"]
        kind = str(resource["resourceType"])
        said = declared(statement, kind)
        if "create" not in said.interactions:
            raise Conflict(f"{kind} can not be created at the EHR.")
        if "ifNoneExist" in request and not said.conditional_create:
            raise Conflict(f"{kind} can not be created conditionally at the EHR.")
        about = [resource[name] for name in _ABOUT if name in resource]
        if any(one.get("reference") != f"Patient/{patient}" for one in about):
            raise Conflict("An extracted resource is about another patient; nothing was sent.")


def _for_the_ehr(site: Site, value: Any, ours: str, theirs: str) -> Any:
    """The same with references as the EHR understands them: its Patient, and our addresses."""
    if isinstance(value, list):
        return [_for_the_ehr(site, one, ours, theirs) for one in value]
    if not isinstance(value, dict):
        return value
    made = {name: _for_the_ehr(site, one, ours, theirs) for name, one in value.items()}
    reference = made.get("reference")
    if isinstance(reference, str):
        made["reference"] = _reference(site, reference, ours, theirs)
    return made


def _reference(site: Site, reference: str, ours: str, theirs: str) -> str:
    if reference == f"Patient/{ours}":
        return f"Patient/{theirs}"
    if "/" not in reference or ":" in reference or reference.startswith("#"):
        return reference
    return f"{site.base_url}/fhir/{reference}"
