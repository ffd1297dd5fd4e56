"""Patients, as far as this service needs them: for the banner, for links, for checks of identity.

http://hl7.org/fhir/R4/patient.html
"""

from __future__ import annotations

from dataclasses import replace

from fhir_service.fhir.issues import NotUnderstood, NotValid
from fhir_service.fhir.reading import read_json
from fhir_service.fhir.resources import check_resource
from fhir_service.workflow.caller import Caller
from fhir_service.workflow.ports import Record, Stored
from fhir_service.workflow.publish import must_match, must_name
from fhir_service.workflow.site import Site
from fhir_service.workflow.telling import Kept, first_version, next_version, tell


def create(site: Site, caller: Caller, body: bytes) -> Kept:
    """Store a new Patient. Raises NotAllowed, NotUnderstood, NotValid."""
    caller.must("Patient", "c")
    _understood(site, body)
    id_ = site.ids.new()
    new = replace(first_version(site, "Patient", body, id_, id_), method="POST")
    return _keep(site, caller, new, created=True)


def update(site: Site, caller: Caller, id_: str, body: bytes, if_match: int | None = None) -> Kept:
    """Store the next version, or the first under the client's id. Raises Stale as well."""
    caller.must("Patient", "u")
    must_name(_understood(site, body), id_)
    current = site.desk.reading().read("Patient", id_)
    must_match(current, if_match)
    if current is None:
        return _keep(site, caller, first_version(site, "Patient", body, id_, id_), created=True)
    if current.body == body:
        return Kept(current, created=False, changed=False)
    return _keep(site, caller, next_version(site, current, body), created=current.deleted)


def _understood(site: Site, body: bytes) -> dict[str, object]:
    resource = read_json(body, max_depth=site.max_json_depth)
    if resource.get("resourceType") != "Patient":
        raise NotUnderstood("This address takes a Patient.", expression="resourceType")
    findings = check_resource(resource)
    if any(issue.severity in ("error", "fatal") for issue in findings):
        raise NotValid("The Patient breaks rules and was not stored.", *findings)
    return resource


def _keep(site: Site, caller: Caller, stored: Stored, *, created: bool) -> Kept:
    def work(record: Record) -> None:
        record.keep(stored)
        tell(record, site, caller, "create" if created else "update", stored)

    site.desk.write(work)
    return Kept(stored, created=created)
