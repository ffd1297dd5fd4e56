"""Who came by a launch: the patient as our record keeps her, and who answers.

http://hl7.org/fhir/R4/patient.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID, uuid5

import msgspec

from fhir_service.fhir.reading import read_stored
from fhir_service.smart.access import Access
from fhir_service.smart.launch import Fetched
from fhir_service.smart.scopes import read_scopes
from fhir_service.workflow.caller import Caller
from fhir_service.workflow.launch_ports import LaunchEhr, Launchers
from fhir_service.workflow.ports import Record
from fhir_service.workflow.session import Answering
from fhir_service.workflow.site import Site
from fhir_service.workflow.telling import first_version, next_version, tell

_IDS: Final = UUID("6f0cbd0e-2a0b-5a0f-9f57-5a4b4e0c3b11")
"""The name space of the ids that Patients of other EHRs get here."""

_TAKEN: Final = ("name", "birthDate", "gender", "communication")
_encode = msgspec.json.Encoder(decimal_format="number").encode


def patient_id(ehr: LaunchEhr, theirs: str) -> str:
    """Our id of the EHR's Patient: the same one for ``home``, else one made of base and id.

    Made of them, so that two launches at the same moment meet in one Patient.
    """
    return theirs if ehr.home else str(uuid5(_IDS, f"{ehr.base}/Patient/{theirs}"))


def keep_patient(
    site: Site,
    ehr: LaunchEhr,
    theirs: str,
    there: Mapping[str, Any] | None,
    request_id: str | None = None,
) -> str:
    """Our id of this Patient, stored with what banner, links and checks need of her.

    ``there`` is the EHR's Patient, None where it is not given out; then her identifier alone is
    kept. What a client stored of her besides stays.
    """
    id_ = patient_id(ehr, theirs)
    caller = Caller(ehr.client_id, None, Access(read_scopes("system/Patient.cru")), request_id)

    def work(record: Record) -> None:
        current = record.read("Patient", id_)
        before = read_stored(current.body) if current and not current.deleted else {}
        after = _merged(before, ehr, theirs, there)
        if after == before:
            return
        body = _encode(after)
        stored = (
            next_version(site, current, body)
            if current
            else first_version(site, "Patient", body, id_, id_)
        )
        record.keep(stored)
        tell(record, site, caller, "update" if before else "create", stored)

    site.desk.write(work)
    return id_


def answering_of(launchers: Launchers, ehr: LaunchEhr, fetched: Fetched) -> Answering:
    """Herself, or the relative who is signed in: another Patient, a RelatedPerson or a Person."""
    if fetched.user_type in (None, "Practitioner", "PractitionerRole"):
        return Answering()
    if fetched.user == f"{ehr.base}/Patient/{fetched.patient}":
        return Answering()
    name = fetched.name
    if name is None and fetched.user is not None:
        local = fetched.user.removeprefix(f"{ehr.base}/")
        name = _name(launchers.ask.read(ehr, fetched.access_token, local))
    return Answering(name or "A relative, signed in to the portal", "other")


def language_of(patient: Mapping[str, Any] | None) -> str | None:
    """The language that the EHR says she prefers, else the only one it names."""
    entries = (patient or {}).get("communication")
    spoken = [one for one in (entries if isinstance(entries, list) else []) if _code(one)]
    preferred = [one for one in spoken if one.get("preferred") is True] or spoken[:1]
    return _code(preferred[0]) if preferred else None


def _code(entry: Any) -> str | None:
    try:
        code = entry["language"]["coding"][0]["code"]
    except (KeyError, IndexError, TypeError):
        return None
    return code.partition("-")[0].lower() if isinstance(code, str) else None


def _merged(
    before: Mapping[str, Any], ehr: LaunchEhr, theirs: str, there: Mapping[str, Any] | None
) -> dict[str, Any]:
    taken = {name: there[name] for name in _TAKEN if there and name in there}
    identifiers = list(before.get("identifier", ()))
    mark = {"system": ehr.base, "value": theirs}
    if not any(mark.items() <= one.items() for one in identifiers):
        identifiers.append(mark)
    id_ = before.get("id", patient_id(ehr, theirs))
    return {"resourceType": "Patient", "id": id_, **before, **taken, "identifier": identifiers}


def _name(person: Mapping[str, Any] | None) -> str | None:
    names = (person or {}).get("name")
    first = names[0] if isinstance(names, list) and names else None
    if not isinstance(first, Mapping):
        return None
    parts = [*first.get("given", ()), first.get("family", "")]
    return str(first.get("text") or " ".join(p for p in parts if p))[:200] or None
