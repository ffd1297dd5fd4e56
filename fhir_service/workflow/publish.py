"""Forms and terminology, made public and from then on unchanged.

A version that was active never changes: responses were answered to exactly those words. The same
content again is welcome and changes nothing; other content needs a new version.
http://hl7.org/fhir/R4/questionnaire.html
"""

from __future__ import annotations

import json
from typing import Any

from fhir_service.fhir.issues import Conflict, Issue, NotUnderstood, NotValid, Stale
from fhir_service.fhir.reading import read_json, read_stored
from fhir_service.fhir.resources import check_resource
from fhir_service.fhir.searching import Criterion, Search
from fhir_service.sdc.form_rules import check_questionnaire
from fhir_service.workflow import known
from fhir_service.workflow.caller import Caller
from fhir_service.workflow.ports import Reader, Record, Stored
from fhir_service.workflow.read import not_here
from fhir_service.workflow.site import Site
from fhir_service.workflow.telling import Kept, first_version, next_version, tell

FIXED = ("active", "retired")
"""The statuses in which a version never changes again."""


def create(site: Site, caller: Caller, resource_type: str, body: bytes) -> Kept:
    """Store a new form, value set, code system or concept map.

    The same content under the same url and version is answered with what is stored. Raises
    NotAllowed, NotUnderstood, NotValid, and Conflict where other content already has this url
    and version.
    """
    caller.must(resource_type, "c")
    resource, findings = _understood(site, resource_type, body)
    return _first(site, caller, resource_type, body, resource, findings)


def update(
    site: Site,
    caller: Caller,
    resource_type: str,
    id_: str,
    body: bytes,
    if_match: int | None = None,
) -> Kept:
    """Store the next version of a draft, retire an active one, or create under the client's id.

    Raises NotAllowed, NotUnderstood, NotValid, Stale, Conflict.
    """
    caller.must(resource_type, "u")
    resource, findings = _understood(site, resource_type, body)
    must_name(resource, id_)
    return put(site, caller, id_, body, resource, findings, if_match)


def put(  # what an update is made of
    site: Site,
    caller: Caller,
    id_: str,
    body: bytes,
    resource: dict[str, Any],
    findings: tuple[Issue, ...] = (),
    if_match: int | None = None,
) -> Kept:
    """``update`` for a resource that was read and checked. Raises Stale, Conflict."""
    resource_type = resource["resourceType"]
    current = site.desk.reading().read(resource_type, id_)
    must_match(current, if_match)
    if current is None:
        return _first(site, caller, resource_type, body, resource, findings, id_)
    if not current.deleted:
        before = read_stored(current.body)
        if _content(before) == _content(resource):
            return Kept(current, created=False, changed=False, findings=findings)
        _must_may_change(before, resource)
    following = next_version(site, current, body)

    def work(record: Record) -> None:
        record.keep(following)
        tell(record, site, caller, "update", following)

    site.desk.write(work)
    return Kept(following, created=current.deleted, findings=findings)


def delete(site: Site, caller: Caller, resource_type: str, id_: str) -> Stored:
    """Delete what nothing names; a form that a response names stays. Raises Conflict for that.

    Deleting again gives the deletion that is there.
    """
    caller.must(resource_type, "d")
    current = site.desk.reading().read(resource_type, id_)
    if current is None:
        raise not_here(resource_type, id_)
    if current.deleted:
        return current
    gone = next_version(site, current, b"", "DELETE")
    resource = read_stored(current.body)

    def work(record: Record) -> None:
        if resource_type == "Questionnaire":
            _must_be_unanswered(record, resource)
        record.keep(gone)
        tell(record, site, caller, "delete", gone)

    site.desk.write(work)
    return gone


def must_name(resource: dict[str, Any], id_: str) -> None:
    """Refuse a body whose id is not that of the address. http://hl7.org/fhir/R4/http.html#update"""
    if resource.get("id") != id_:
        raise NotUnderstood(
            f"The resource's id must be “{id_}”, as in the address.",
            expression=f"{resource.get('resourceType')}.id",
        )


def must_match(current: Stored | None, if_match: int | None) -> None:
    """Refuse a change of another version than the client has seen."""
    if if_match is None:
        return
    version = current.version if current else 0
    if version != if_match:
        raise Stale(
            f"If-Match names version {if_match}, the current one is {version}. "
            "Read it again, apply your change to it, and send that."
        )


def _understood(
    site: Site, resource_type: str, body: bytes
) -> tuple[dict[str, Any], tuple[Issue, ...]]:
    resource = read_json(body, max_depth=site.max_json_depth)
    if resource.get("resourceType") != resource_type:
        raise NotUnderstood(
            f"This address takes a {resource_type}; the body's resourceType is another.",
            expression="resourceType",
        )
    if resource_type == "Questionnaire":
        stored = known.Stored(site.desk.reading())
        findings = check_questionnaire(resource, stored, item_levels=site.max_item_depth)
    else:
        findings = check_resource(resource)
    if any(issue.severity in ("error", "fatal") for issue in findings):
        raise NotValid(f"The {resource_type} breaks rules and was not stored.", *findings)
    return resource, findings


def _first(
    site: Site,
    caller: Caller,
    resource_type: str,
    body: bytes,
    resource: dict[str, Any],
    findings: tuple[Issue, ...],
    id_: str | None = None,
) -> Kept:
    new = first_version(site, resource_type, body, None, id_)

    def work(record: Record) -> Kept:
        same = _already(record, resource)
        if same:
            return Kept(same, created=False, changed=False, findings=findings)
        record.keep(new)
        tell(record, site, caller, "create", new)
        return Kept(new, created=True, findings=findings)

    return site.desk.write(work)


def _already(reader: Reader, resource: dict[str, Any]) -> Stored | None:
    """What is stored under this url and version, if its content is the same; else Conflict."""
    url = resource.get("url")
    if not isinstance(url, str) or resource.get("status") not in FIXED:
        return None
    stored = reader.canonical(resource["resourceType"], url, resource.get("version", ""))
    if stored is None:
        return None
    before = read_stored(stored.body)
    if before.get("status") not in FIXED:
        return None
    if _content(before) == _content(resource):
        return stored
    raise Conflict(
        f"{resource['resourceType']}/{stored.id} already has this url and version with other "
        "content. What was active never changes: publish yours under a new version.",
        expression=f"{resource['resourceType']}.version",
    )


def _must_may_change(before: dict[str, Any], after: dict[str, Any]) -> None:
    if before.get("status") not in FIXED:
        return
    retires = before["status"] == "active" and after.get("status") == "retired"
    if retires and _content(before, "status", "date") == _content(after, "status", "date"):
        return
    raise Conflict(
        "What was active never changes; it can only be retired. Publish the change under a new "
        "version and a new id.",
        expression=f"{after['resourceType']}.version",
    )


def _content(resource: dict[str, Any], *but: str) -> str:
    """The resource in one order of members, digits kept, without what the server adds."""
    meta = {
        key: value
        for key, value in resource.get("meta", {}).items()
        if key not in ("versionId", "lastUpdated")
    }
    said = {k: v for k, v in resource.items() if k not in ("id", "meta", *but)}
    return json.dumps([said, meta], sort_keys=True, default=str)


def _must_be_unanswered(reader: Reader, questionnaire: dict[str, Any]) -> None:
    url = questionnaire.get("url")
    if not isinstance(url, str):
        return
    version = questionnaire.get("version")
    names = f"{url}|{version}" if version else url
    answered = Search(
        "QuestionnaireResponse",
        (Criterion("questionnaire", "reference", (names,)),),
        count=1,
    )
    if reader.search(answered).found:
        raise Conflict("Responses to this form are stored, so it stays; retire it instead.")
