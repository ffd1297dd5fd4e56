"""AuditEvent out of one audit line, as IHE's Basic Audit Log Patterns have it.

Made when it is read; nothing is kept twice. Agents are the token's holder, and client and server
as source and destination of what flowed. https://profiles.ihe.net/ITI/BALP/content.html
"""

from __future__ import annotations

import base64
from typing import Any, Final

from fhir_service.fhir.audit_lines import Told
from fhir_service.fhir.splice import instant

RESTFUL: Final = "http://hl7.org/fhir/restful-interaction"
OUR_EVENTS: Final = "https://fhir-service.example.org/fhir/CodeSystem/audit-events"
"""The system of what FHIR has no interaction for: operations, pages, the command line."""

OUR_CLIENTS: Final = "https://fhir-service.example.org/fhir/client-id"
EVENT_TYPE: Final = "http://terminology.hl7.org/CodeSystem/audit-event-type"
DICOM: Final = "http://dicom.nema.org/resources/ontology/DCM"
_BALP = "https://profiles.ihe.net/ITI/BALP"

ACTIONS: Final = {
    "create": "C",
    "update": "U",
    "delete": "D",
    "read": "R",
    "vread": "R",
    "history-instance": "R",
    "history-type": "R",
    "history-system": "R",
    "search-type": "E",
    "batch": "E",
    "transaction": "E",
}
"""What each interaction of FHIR is as an action; all else is E, executed. BALP: a query is E."""

_INCOMING = frozenset({"create", "update", "delete", "search-type"})
"""Where the client is the source, as BALP has it; a query too, for its parameters flow so."""

_PROFILES = {
    "create": ("Create", "PatientCreate"),
    "update": ("Update", "PatientUpdate"),
    "delete": ("Delete", "PatientDelete"),
    "read": ("Read", "PatientRead"),
    "vread": ("Read", "PatientRead"),
    "search-type": ("Query", "PatientQuery"),
}
LOGINS: Final = ("login", "logout", "launch", "token", "introspect", "revoke")
"""The interactions that are somebody signing in or out, and no REST."""

TOKEN_ID: Final = "urn:oauth:jti:"  # noqa: S105  no secret
"""What stands before the id of a token, which is no address."""


def audit_event(line: Told) -> dict[str, Any]:
    """The AuditEvent (R4) of this line, without id and meta of the server."""
    made: dict[str, Any] = {
        "resourceType": "AuditEvent",
        "type": _type(line.interaction),
        "subtype": [_subtype(line.interaction)],
        "action": ACTIONS.get(line.interaction, "E"),
        "recorded": instant(line.recorded),
        "outcome": line.outcome,
        "agent": _agents(line),
        "source": {
            "observer": {"display": "fhir_service"},
            "type": [
                {
                    "system": "http://terminology.hl7.org/CodeSystem/security-source-type",
                    "code": "4",
                    "display": "Application Server",
                }
            ],
        },
    }
    if line.reason:
        made["outcomeDesc"] = line.reason
    profiles = _PROFILES.get(line.interaction)
    if profiles and line.outcome == "0":
        name = profiles[line.patient is not None]
        profile = f"{_BALP}/StructureDefinition/IHE.BasicAudit.{name}"
        made = {"resourceType": "AuditEvent", "meta": {"profile": [profile]}, **made}
    entities = _entities(line)
    if entities:
        made["entity"] = entities
    return made


def _type(interaction: str) -> dict[str, str]:
    if interaction in LOGINS:
        return {"system": DICOM, "code": "110114", "display": "User Authentication"}
    return {"system": EVENT_TYPE, "code": "rest", "display": "RESTful Operation"}


def _subtype(interaction: str) -> dict[str, str]:
    if interaction in ACTIONS:
        return {"system": RESTFUL, "code": interaction, "display": interaction}
    return {"system": OUR_EVENTS, "code": interaction}


def _agents(line: Told) -> list[dict[str, Any]]:
    source, destination = ("110153", "Source Role ID"), ("110152", "Destination Role ID")
    client, server = source, destination
    if line.interaction not in _INCOMING:
        client, server = destination, source
    who = {"identifier": {"system": OUR_CLIENTS, "value": line.client}}
    asks: dict[str, Any] = {
        "type": _coded(DICOM, *client),
        "who": who,
        "altId": line.client,
        "requestor": line.user is None,
    }
    if line.address:
        asks["network"] = {"address": line.address, "type": "2"}
    if line.token:
        asks["policy"] = [f"{TOKEN_ID}{line.token}"]
    answers = {
        "type": _coded(DICOM, *server),
        "who": {"display": "fhir_service"},
        "requestor": False,
    }
    agents = [asks, answers]
    if line.user:
        participation = "http://terminology.hl7.org/CodeSystem/v3-ParticipationType"
        kind = _coded(participation, "IRCP", "information recipient")
        agents.insert(0, {"type": kind, "who": _person(line.user), "requestor": True})
    return agents


def _person(user: str) -> dict[str, Any]:
    """A reference (fhirUser) as it is; a name of the login as an identifier."""
    if "/" in user:
        return {"reference": user}
    return {"identifier": {"value": user}}


def _entities(line: Told) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    kinds = "http://terminology.hl7.org/CodeSystem/audit-entity-type"
    roles = "http://terminology.hl7.org/CodeSystem/object-role"
    thing = {"system": kinds, "code": "2", "display": "System Object"}
    if line.patient:
        found.append(
            {
                "what": {"reference": f"Patient/{line.patient}"},
                "type": {"system": kinds, "code": "1", "display": "Person"},
                "role": {"system": roles, "code": "1", "display": "Patient"},
            }
        )
    if line.resource_type and line.resource_id and not _is_the_patient(line):
        found.append(
            {
                "what": {"reference": _reference(line)},
                "type": thing,
                "role": {"system": roles, "code": "4", "display": "Domain Resource"},
            }
        )
    if line.query is not None:
        query = base64.b64encode(line.query.encode()).decode()
        role = {"system": roles, "code": "24", "display": "Query"}
        found.append({"type": thing, "role": role, "description": line.query, "query": query})
    if line.request_id:
        kind = {"system": f"{_BALP}/CodeSystem/BasicAuditEntityType", "code": "XrequestId"}
        found.append({"what": {"identifier": {"value": line.request_id}}, "type": kind})
    return found


def _is_the_patient(line: Told) -> bool:
    return line.resource_type == "Patient" and line.resource_id == line.patient


def _reference(line: Told) -> str:
    root = f"{line.resource_type}/{line.resource_id}"
    return root if line.resource_version is None else f"{root}/_history/{line.resource_version}"


def _coded(system: str, code: str, display: str) -> dict[str, Any]:
    return {"coding": [{"system": system, "code": code, "display": display}]}
