"""Tasks by which a clinic asks a patient to fill a form: taken, changed, and her link.

What she does moves them: task_moves.py. https://hl7.org/fhir/uv/sdc/STU4/workflow.html
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from fhir_service.fhir.dates import microseconds, moment
from fhir_service.fhir.issues import Conflict, Issue, NotHere, NotUnderstood, NotValid
from fhir_service.fhir.reading import read_json, read_stored
from fhir_service.fhir.resources import check_resource
from fhir_service.sdc import solicitation
from fhir_service.sdc.solicitation import is_solicitation, read_task
from fhir_service.workflow import links, task_moves
from fhir_service.workflow.caller import Caller, within
from fhir_service.workflow.offering import must_offer
from fhir_service.workflow.ports import Record, Stored
from fhir_service.workflow.publish import must_match, must_name
from fhir_service.workflow.read import not_here
from fhir_service.workflow.site import Site
from fhir_service.workflow.subjects import patient_named
from fhir_service.workflow.telling import Kept, first_version, next_version, tell

TYPE: Final = task_moves.TYPE


def create(site: Site, caller: Caller, body: bytes) -> Kept:
    """Take a new Task. Raises NotAllowed, NotUnderstood, NotValid with every finding."""
    caller.must(TYPE, "c")
    task = _understood(site, body)
    patient = _must_be_sound(site, task)
    return _first(site, caller, first_version(site, TYPE, body, patient))


def update(site: Site, caller: Caller, id_: str, body: bytes, if_match: int | None = None) -> Kept:
    """Take the next version of a Task, or the first under the client's id.

    A client may call it off, hold it, or say that it was received; whether it is in progress or
    done follows from the response. Raises NotAllowed, NotUnderstood, NotValid, Stale, Conflict.
    """
    caller.must(TYPE, "u")
    task = _understood(site, body)
    must_name(task, id_)
    current = site.desk.reading().read(TYPE, id_)
    must_match(current, if_match)
    if current is None or current.deleted:
        patient = _must_be_sound(site, task)
        new = (
            first_version(site, TYPE, body, patient, id_)
            if current is None
            else replace(next_version(site, current, body), patient=patient)
        )
        return _first(site, caller, new)
    if current.body == body:
        return Kept(current, created=False, changed=False)
    _must_follow(read_stored(current.body), task)
    following = next_version(site, current, body)

    def work(record: Record) -> None:
        record.keep(following)
        tell(record, site, caller, "update", following)

    site.desk.write(work)
    return Kept(following, created=False)


def create_link(site: Site, caller: Caller, id_: str, language: str | None = None) -> links.Link:
    """A link for the patient of this Task to its form, good until its deadline.

    It goes on with the response that the Task has. Raises NotAllowed, NotHere, NotValid, and
    Conflict for a Task that is closed.
    """
    reach = caller.must(TYPE, "r")
    stored = site.desk.reading().read(TYPE, id_, within(TYPE, reach))
    if stored is None or stored.deleted or stored.patient is None:
        raise not_here(TYPE, id_)
    task = read_stored(stored.body)
    asked = read_task(task)
    form = asked.questionnaire
    if asked.status not in solicitation.OPEN or form is None or not is_solicitation(task):
        raise Conflict(f"The Task is {asked.status}: there is nothing to answer.")
    now = site.clock.now()
    expires = None if asked.deadline is None else moment(asked.deadline)
    if expires is not None and expires <= now:
        raise Conflict("The Task's time to answer has passed.")
    latest = now.timestamp() + links.MOST_DAYS * 86_400
    if expires is not None and expires.timestamp() > latest:
        expires = None
    terms = links.Terms(expires, None, language, asked.response, id_)
    made = links.create_link(
        site, caller, patient=stored.patient, questionnaire=form.text(), terms=terms
    )
    task_moves.advance(site, caller, id_, ("requested", "ready"), "received")
    return made


def _first(site: Site, caller: Caller, stored: Stored) -> Kept:
    def work(record: Record) -> None:
        record.keep(stored)
        tell(record, site, caller, "create", stored)

    site.desk.write(work)
    return Kept(stored, created=True)


def _understood(site: Site, body: bytes) -> dict[str, Any]:
    task = read_json(body, max_depth=site.max_json_depth)
    if task.get("resourceType") != TYPE:
        raise NotUnderstood("This address takes a Task.", expression="resourceType")
    findings = check_resource(task)
    if any(issue.severity in ("error", "fatal") for issue in findings):
        raise NotValid("The Task breaks rules and was not stored.", *findings)
    return task


def _must_be_sound(site: Site, task: Mapping[str, Any]) -> str:
    """The patient of a new Task. Raises NotValid with every finding."""
    found = list(solicitation.rules(task, (f"{site.base_url}/fhir",)))
    asked = read_task(task)
    if asked.status not in solicitation.BEGIN:
        says = f"A Task begins as one of {', '.join(solicitation.BEGIN)}."
        found.append(_issue("task-status", "business-rule", says, "status"))
    if asked.deadline is not None and asked.deadline <= microseconds(site.clock.now()):
        says = "The time to answer has passed already."
        found.append(_issue("deadline-passed", "business-rule", says, "restriction.period.end"))
    patient = patient_named(task.get("for"), site.patient_bases)
    if patient is None and "for" in task:
        says = "The Task is for a Patient of this server, such as “Patient/123”."
        found.append(_issue("task-patient", "value", says, "for"))
    owner = patient_named(task.get("owner"), site.patient_bases)
    if owner is not None and owner != patient:
        says = "The owner is another patient than the one the Task is for."
        found.append(_issue("task-owner", "business-rule", says, "owner"))
    if found:
        raise NotValid("The Task can not be taken.", *found)
    if asked.questionnaire is None or patient is None:
        raise NotHere("The Task names no form.")  # told above already, but for the type checker
    must_offer(site, asked.questionnaire.text(), "Task.input")
    return patient


def _must_follow(before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
    """Refuse what a client may not make of a Task."""
    found = []
    for element in solicitation.STAYS:
        if before.get(element) != after.get(element):
            says = f"{element} of a Task stays as it is; make another Task."
            found.append(_issue("task-changed", "business-rule", says, element))
    if is_solicitation(before):
        if before.get("output") != after.get("output"):
            says = "The output is set by this service: send it as you read it."
            found.append(_issue("server-owned", "business-rule", says, "output"))
        allowed = solicitation.BY_CLIENTS.get(str(before.get("status")), ())
        if after.get("status") not in (*allowed, before.get("status")):
            says = f"From {before.get('status')} a client can go to: {', '.join(allowed)}."
            found.append(_issue("status-transition", "business-rule", says, "status"))
    if found:
        raise NotValid("The Task can not become this.", *found)


def _issue(key: str, code: str, says: str, element: str) -> Issue:
    return Issue(key=key, code=code, says=says, expression=f"{TYPE}.{element}")
