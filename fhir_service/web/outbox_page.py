"""/outbox: what the EHR is owed and why it waits, for the integration team; no health data.

For a staff session, or a bearer token of the system level; as a page or as JSON. To act on an
entry takes the right to update responses (a session of `login-code --outbox` has it).
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

import orjson
from flask import Flask, Response, request

from fhir_service.fhir.issues import NotAllowed, NotHere, NotUnderstood
from fhir_service.fhir.primitives import is_id
from fhir_service.web import pages
from fhir_service.web.told import told
from fhir_service.workflow.outbox import HELD_UNTIL, OPEN, STATES, Attempt, Entry, Who

if TYPE_CHECKING:
    from fhir_service.store.opening import StoreDesk
    from fhir_service.workflow.ports import Clock

JSON = "application/json"
MOST = 200
_SHOWN = tuple(dict.fromkeys((*OPEN, "refused", "given-up")))
"""The states of the first page: what is on its way, and what a person has to look at."""


def register(app: Flask, store: StoreDesk, clock: Clock) -> None:
    """Add the list, and one entry with what can be done about it."""

    def outbox() -> Response:
        _must_be_staff_or_system()
        from fhir_service.store.outbox import counts, page_of  # noqa: PLC0415  keeps the start quick

        state, after = request.args.get("state"), request.args.get("after", "0")
        if state is not None and state not in STATES:
            raise NotUnderstood(f"state must be one of {', '.join(STATES)}.")
        if not after.isdecimal():
            raise NotUnderstood("after must be the number of an entry.")
        found = page_of(store, (state,) if state else _SHOWN, int(after), MOST)
        data: dict[str, Any] = {"counts": counts(store), "entries": [_entry(one) for one in found]}
        if len(found) == MOST:
            data["after"] = found[-1].number
        return _reply("outbox.html", {**data, "state": state})

    def entry(number: int) -> Response:
        _must_be_staff_or_system()
        from fhir_service.store.deliveries import attempts  # noqa: PLC0415  keeps the start quick
        from fhir_service.store.outbox import entry as one  # noqa: PLC0415

        if request.method == "POST":
            _act(store, number, clock.now())
            if told().session is not None:
                return pages.go(f"/outbox/{number}")
        found = one(store, number)
        if found is None:
            raise NotHere("There is no such outbox entry.")
        ledger = [_attempt(line) for line in attempts(store, number)]
        data = {"entry": _entry(found), "attempts": ledger, "actions": _actions(found)}
        return _reply("outbox_entry.html", data)

    app.add_url_rule("/outbox", "outbox", outbox)
    app.add_url_rule("/outbox/<int:number>", "outbox-entry", entry, methods=["GET", "POST"])


def _must_be_staff_or_system() -> None:
    """A session of staff was asked for by the guard; a token must be of the system level."""
    caller, session = told().caller, told().session
    if session is not None:
        return
    if caller is None or not any(scope.level == "system" for scope in caller.access.scopes):
        raise NotAllowed("The outbox is for a staff session, or a token with a system scope.")
    if caller.access.patient is not None:
        raise NotAllowed("The outbox is not for a token that is bound to one patient.")
    caller.must("QuestionnaireResponse", "s", "r")


def _act(store: StoreDesk, number: int, now: datetime) -> None:
    """Do what the form asks for. Raises NotAllowed, NotUnderstood, NotHere, Conflict."""
    from fhir_service.store import outbox as acts  # noqa: PLC0415  keeps the start quick

    who, form = _who(), request.form
    match form.get("do"):
        case "retry":
            acts.retry(store, number, now, who)
        case "release":
            acts.release(store, number, now, _id(form.get("encounter")), who)
        case "filed":
            acts.filed(store, number, now, _id(form.get("ehr_id")), who)
        case _:
            raise NotUnderstood("do must be one of retry, release, filed.")


def _may_act() -> bool:
    caller = told().caller
    reach = None if caller is None else caller.access.may("QuestionnaireResponse", "u")
    return reach is not None and reach.patient is None


def _who() -> Who:
    """Who acts, for the audit. Raises NotAllowed for who may only look."""
    caller = told().caller
    if caller is None or not _may_act():
        raise NotAllowed(
            "To act on the outbox takes the right to update responses: a login code made with "
            "--outbox, or a token with system/QuestionnaireResponse.u."
        )
    caller.trail.told = True
    return Who(
        caller.client, caller.trail.user, caller.token, caller.request_id, caller.trail.address
    )


def _id(typed: str | None) -> str | None:
    """An id of the EHR, as a person typed it; None for none. Raises NotUnderstood."""
    if not typed or not typed.strip():
        return None
    if not is_id(typed.strip()):
        raise NotUnderstood("An id has letters, digits, - and . alone, at most 64.")
    return typed.strip()


def _actions(found: Entry) -> list[str]:
    """What this caller can do about it just now."""
    from fhir_service.store.outbox import FILED, RELEASED, RETRIED  # noqa: PLC0415

    if not _may_act():
        return []
    known = {"retry": RETRIED, "release": RELEASED, "filed": FILED}
    return [action for action, states in known.items() if found.state in states]


def _reply(template: str, data: dict[str, Any]) -> Response:
    """As a page to a browser; as JSON to a token that does not ask for a page."""
    by_browser = told().session is not None
    asked = request.accept_mimetypes.best_match(
        ["text/html", JSON] if by_browser else [JSON, "text/html"]
    )
    if asked == JSON or (asked is None and not by_browser):
        made = Response(orjson.dumps(data), 200, content_type=JSON)
    else:
        made = pages.page(template, lang="en", **data)
    made.headers["Cache-Control"] = "no-store"
    return made


def _entry(one: Entry) -> dict[str, Any]:
    """What is told of an entry: no patient, no answer."""
    due = None if one.due == HELD_UNTIL else one.due
    return {
        "number": one.number,
        "state": one.state,
        "reason": one.reason,
        "response": f"QuestionnaireResponse/{one.resource_id}/_history/{one.resource_version}",
        "created": one.created.isoformat(timespec="seconds"),
        "due": due.isoformat(timespec="seconds") if due else None,
        "deadline": one.deadline.isoformat(timespec="seconds") if one.deadline else None,
        "attempts": one.attempts,
        "atEhr": f"{one.ehr_type}/{one.ehr_id}" if one.ehr_id else None,
    }


def _attempt(one: Attempt) -> dict[str, Any]:
    return {
        "began": one.began.isoformat(timespec="seconds"),
        "ended": one.ended.isoformat(timespec="seconds") if one.ended else None,
        "route": one.route,
        "result": one.result,
        "status": one.status,
        "reason": one.reason,
        "sha256": one.sha256,
        "bytes": one.size,
    }
