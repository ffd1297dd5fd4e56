"""What moves a Task: an opened link, an answer, a refusal, the clock.

An answer moves it in the transaction that stores the answer, so that the two never disagree.
https://hl7.org/fhir/uv/sdc/STU4/workflow.html
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final

import msgspec

from fhir_service.fhir.dates import microseconds, moment
from fhir_service.fhir.issues import Conflict
from fhir_service.fhir.reading import read_stored
from fhir_service.fhir.splice import instant
from fhir_service.sdc import solicitation
from fhir_service.sdc.solicitation import Asked, moved, read_task
from fhir_service.smart.access import Access
from fhir_service.smart.scopes import read_scopes
from fhir_service.workflow.caller import CHANGE, Caller
from fhir_service.workflow.ports import Reader, Record, Stored
from fhir_service.workflow.read import not_here
from fhir_service.workflow.site import Site
from fhir_service.workflow.telling import next_version, tell
from fhir_service.workflow.visits import FIRST, LAST

TYPE: Final = "Task"
CLOCK: Final = "clock"
"""The client that the audit names where time moved a Task."""

TOO_LATE: Final = "The time to answer has passed"
IN_ERROR: Final = "The answers were entered in error"

_encode = msgspec.json.Encoder(decimal_format="number").encode
_AT_ONCE = 100
_ATTEMPTS = 10
_MOST_TASKS = 300
_NO_END = 2**62


def follow(
    record: Record,
    site: Site,
    caller: Caller,
    response: Stored,
    questionnaire: str | None,
    status: str,
) -> None:
    """Move the Task that this response answers, in the response's own transaction.

    It is the one that has the response as its output; else, of the open ones for the same patient
    and form without a response yet, that of the response's link, else the one that is due first.
    """
    if response.patient is None or questionnaire is None or response.id.endswith(CHANGE):
        return  # a draft of what was sent already answers nothing new
    if status == "entered-in-error":
        _ask_again(record, site, caller, response)
    for _ in range(_ATTEMPTS):
        found = _fitting(record, response.patient, questionnaire, response.id)
        if found is None:
            return
        stored, task = found
        wanted = solicitation.follows(str(task["status"]), status)
        held = read_task(task).response
        in_error = status == "entered-in-error"
        if wanted is None or (wanted == task["status"] and held == response.id):
            return
        if in_error and held is None:
            return
        output = "" if in_error else response.id
        try:
            _move(record, site, caller, stored, task, wanted, response=output)
        except Conflict:
            continue  # another response moved it meanwhile: look again
        return


def _ask_again(record: Record, site: Site, caller: Caller, response: Stored) -> None:
    """Open the Task again that this response had completed: nobody has answered it.

    One whose time has passed is closed as overdue at once.
    """
    for stored in record.stored_between(TYPE, str(response.patient), FIRST, LAST, _MOST_TASKS):
        task = read_stored(stored.body)
        asked = read_task(task)
        if task.get("status") != "completed" or asked.response != response.id:
            continue
        late = asked.deadline is not None and asked.deadline <= microseconds(site.clock.now())
        status, reason = ("failed", TOO_LATE) if late else ("accepted", IN_ERROR)
        _move(record, site, caller, stored, task, status, response="", reason=reason)


def move(
    record: Record,
    site: Site,
    caller: Caller,
    id_: str,
    while_: tuple[str, ...],
    status: str,
    reason: str | None = None,
) -> bool:
    """Move a Task on within a transaction, if its status is one of ``while_``; whether it was."""
    stored = record.read(TYPE, id_)
    if stored is None or stored.deleted:
        return False
    task = read_stored(stored.body)
    if task.get("status") not in while_:
        return False
    _move(record, site, caller, stored, task, status, reason=reason)
    return True


def advance(
    site: Site,
    caller: Caller,
    id_: str,
    while_: tuple[str, ...],
    status: str,
    reason: str | None = None,
) -> bool:
    """Move a Task on, if its status is one of ``while_``; whether it was moved."""

    def work(record: Record) -> bool:
        return move(record, site, caller, id_, while_, status, reason)

    return _again(lambda: site.desk.write(work))


def decline(site: Site, caller: Caller, id_: str, reason: str | None = None) -> None:
    """The patient would rather not answer: the Task is rejected, with her reason if she gave one.

    Raises NotAllowed, NotHere, and Conflict for a Task that is closed already.
    """
    reach = caller.must("QuestionnaireResponse", "c", "u")
    stored = site.desk.reading().read(TYPE, id_, reach.patient)
    if stored is None or stored.deleted:
        raise not_here(TYPE, id_)
    said = reason or "Declined by the patient"
    if not advance(site, caller, id_, solicitation.OPEN, "rejected", said):
        raise Conflict("The Task is closed already.")


def answered_by(
    site: Site, patient: str, questionnaire: str, response: str | None = None
) -> str | None:
    """The id of the open Task that this response answers, or would answer; None without one."""
    found = _fitting(site.desk.reading(), patient, questionnaire, response)
    return found[0].id if found else None


def asked_until(
    site: Site, patient: str, questionnaire: str, response: str | None = None
) -> datetime | None:
    """Until when the open Task wants it answered; None without a Task, or without a time."""
    found = _fitting(site.desk.reading(), patient, questionnaire, response)
    deadline = read_task(found[1]).deadline if found else None
    return None if deadline is None else moment(deadline)


def sweep(site: Site) -> int:
    """Close what nobody answered in time; how many. What was answered so far stays.

    Cheap where nothing is due: the open Tasks have an index of their own. Several processes may
    do it at the same time. Raises Unavailable.
    """
    now = site.clock.now()
    caller = Caller(CLOCK, None, Access(read_scopes("system/Task.cru")))
    closed = 0
    for stored in site.desk.reading().overdue_tasks(now, _AT_ONCE):
        asked = read_task(read_stored(stored.body))
        if asked.deadline is not None and asked.deadline <= microseconds(now):
            closed += advance(site, caller, stored.id, solicitation.OPEN, "failed", TOO_LATE)
    return closed


def _fitting(
    reader: Reader, patient: str, questionnaire: str, response: str | None
) -> tuple[Stored, dict[str, Any]] | None:
    """Of the patient's open Tasks the one that the response answers."""
    free: list[tuple[int, Stored, dict[str, Any]]] = []
    for one in reader.open_tasks(patient):
        task = read_stored(one.body)
        asked = read_task(task)
        if response is not None and asked.response == response:
            return one, task
        if asked.response is None and _same_form(asked, questionnaire):
            free.append((asked.deadline or _NO_END, one, task))
    if not free:
        return None
    linked = reader.links.task_of(patient, response) if response else None
    _, first, task = min(free, key=lambda each: (each[1].id != linked, each[0], each[1].id))
    return first, task


def _same_form(asked: Asked, questionnaire: str) -> bool:
    form = asked.questionnaire
    url, _, version = questionnaire.partition("|")
    return form is not None and form.url == url and form.version in (None, version or None)


def _move(
    record: Record,
    site: Site,
    caller: Caller,
    stored: Stored,
    task: Mapping[str, Any],
    status: str,
    *,
    response: str | None = None,
    reason: str | None = None,
) -> None:
    if task.get("statusReason") == {"text": IN_ERROR}:  # true until it moves on
        task = {key: value for key, value in task.items() if key != "statusReason"}
    made = moved(
        task, status, modified=instant(site.clock.now()), response=response, reason=reason
    )
    following = next_version(site, stored, _encode(made))
    record.keep(following)
    tell(record, site, caller, "update", following)


def _again(work: Callable[[], bool]) -> bool:
    """Do this once more where another moved the Task at the same moment."""
    try:
        return work()
    except Conflict:
        return work()
