"""What each criterion of a search for AuditEvents or Provenances means in the audit.

http://hl7.org/fhir/R4/auditevent.html#search
"""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    and_,
    false,
    func,
    not_,
    or_,
    select,
    true,
    type_coerce,
)

from fhir_service.fhir.audit_events import (
    ACTIONS,
    DICOM,
    EVENT_TYPE,
    LOGINS,
    OUR_EVENTS,
    RESTFUL,
    TOKEN_ID,
)
from fhir_service.fhir.dates import searched
from fhir_service.fhir.indexing import NEVER, local
from fhir_service.fhir.issues import NotUnderstood
from fhir_service.fhir.search_parameters import parameter_of
from fhir_service.fhir.searching import Criterion, token_parts, unescaped
from fhir_service.smart.access import COMPARTMENT
from fhir_service.store.conditions import dated
from fhir_service.store.tables import audit, resource

Condition = ColumnElement[bool]

_MILLISECOND = 1_000


def asked_of_audit(resource_type: str, asked: Criterion) -> Condition:
    """What a line must be like to meet this criterion. Raises NotUnderstood."""
    parameter = parameter_of(resource_type, asked.parameter)
    if parameter is None:
        raise NotUnderstood(f"{resource_type} can not be searched by {asked.parameter}.")
    meets = _MEETS[asked.parameter]
    if asked.modifier == "missing":
        there = _there(asked.parameter)
        return not_(there) if asked.values == ("true",) else there
    found = or_(*(meets(value) for value in asked.values))
    return not_(func.coalesce(found, false())) if asked.modifier == "not" else found


def _there(name: str) -> Condition:
    column = {
        "patient": audit.c.patient,
        "agent": audit.c.agent,
        "policy": audit.c.token,
    }.get(name)
    if column is not None:
        return column.is_not(None)
    if name == "entity":
        return or_(audit.c.patient.is_not(None), audit.c.resource_id.is_not(None))
    return true()


def _id(value: str) -> Condition:
    _, code = token_parts(value)
    plain = code is not None and code.isascii() and code.isdigit() and len(code) <= 18  # noqa: PLR2004  below 2**62
    return audit.c.id == int(code or 0) if plain else false()


def _time(value: str) -> Condition:
    low = type_coerce(audit.c.recorded, BigInteger)
    return dated(low, low + _MILLISECOND, *searched(value), -NEVER)


def _patient(value: str) -> Condition:
    kind, _, id_ = unescaped(value).rpartition("/")
    return audit.c.patient == id_ if kind in ("", "Patient") else false()


def _thing(value: str) -> Condition:
    """A resource as ``Type/id``, also with ``/_history/n``.

    Lines are indexed by patient, so one of a patient's is looked for among hers.
    """
    text = unescaped(value)
    kind, slash, id_ = local(text).rpartition("/")
    if not slash or "/" in kind:
        return false()
    same = [audit.c.resource_type == kind, audit.c.resource_id == id_]
    number = text.partition("/_history/")[2]
    if number.isdigit():
        same.append(audit.c.resource_version == int(number[:9]))
    if kind in COMPARTMENT:
        whose = select(resource.c.patient).where(
            resource.c.resource_type == kind, resource.c.id == id_
        )
        same.append(audit.c.patient == whose.scalar_subquery())
    return and_(*same)


def _entity(value: str) -> Condition:
    is_patient = unescaped(value).startswith("Patient/")
    return or_(_patient(value), _thing(value)) if is_patient else _thing(value)


def _agent(value: str) -> Condition:
    return audit.c.agent == unescaped(value)


def _client(value: str) -> Condition:
    system, code = token_parts(value)
    return audit.c.client == code if system is None and code else false()


def _policy(value: str) -> Condition:
    return audit.c.token == unescaped(value).removeprefix(TOKEN_ID)


def _type(value: str) -> Condition:
    system, code = token_parts(value)
    logins = audit.c.interaction.in_(LOGINS)
    if code in (None, "rest") and system in (None, EVENT_TYPE):
        return not_(logins)
    is_login = code in (None, "110114") and system in (None, DICOM)
    return logins if is_login else false()


def _subtype(value: str) -> Condition:
    system, code = token_parts(value)
    known = audit.c.interaction.in_(list(ACTIONS))
    if code is None:
        return known if system == RESTFUL else not_(known) if system == OUR_EVENTS else false()
    if system not in (None, RESTFUL if code in ACTIONS else OUR_EVENTS):
        return false()
    return audit.c.interaction == code


def _action(value: str) -> Condition:
    system, code = token_parts(value)
    if system not in (None, "http://hl7.org/fhir/audit-event-action"):
        return false()
    if code is None:
        return true()
    if code == "E":
        others = [name for name, action in ACTIONS.items() if action != "E"]
        return audit.c.interaction.not_in(others)
    return audit.c.interaction.in_([n for n, action in ACTIONS.items() if action == code])


def _outcome(value: str) -> Condition:
    system, code = token_parts(value)
    if system not in (None, "http://hl7.org/fhir/audit-event-outcome"):
        return false()
    return true() if code is None else audit.c.outcome == code


_MEETS: dict[str, Callable[[str], Condition]] = {
    "_id": _id,
    "_lastUpdated": _time,
    "date": _time,
    "recorded": _time,
    "patient": _patient,
    "entity": _entity,
    "target": _thing,
    "agent": _agent,
    "altid": _client,
    "policy": _policy,
    "type": _type,
    "subtype": _subtype,
    "action": _action,
    "outcome": _outcome,
}
