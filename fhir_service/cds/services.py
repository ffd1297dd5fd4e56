"""The services that an EHR may call, and what a call of each must bring.

https://cds-hooks.hl7.org/2.0/#discovery and #calling-a-cds-service
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from fhir_service.fhir.issues import NotHere, NotUnderstood

_ID: Final = re.compile(r"[A-Za-z0-9\-.]{1,64}")
_MOST_OUTCOMES: Final = 100
OUTCOMES: Final = ("accepted", "overridden")


@dataclass(frozen=True, slots=True)
class Service:
    """One service; its id is the name of its hook. ``context``: what a call must name besides."""

    hook: str
    title: str
    description: str
    context: tuple[str, ...] = ("userId", "patientId")


SERVICES: Final = (
    Service(
        "patient-view",
        "Pre-visit answers of this patient",
        "When a chart is opened: what the patient has answered for her visit, red flags first.",
    ),
    Service(
        "encounter-start",
        "Pre-visit answers at check-in",
        "When an encounter begins: what the patient has answered for it, red flags first.",
        ("userId", "patientId", "encounterId"),
    ),
    Service(
        "appointment-book",
        "Pre-visit answers while booking",
        "When an appointment is made: what the patient has already answered, red flags first.",
        ("userId", "patientId"),
    ),
)
"""None asks for prefetch: a card is made of our own store alone."""


@dataclass(frozen=True, slots=True)
class Call:
    """A call that was understood. ``patient`` is the EHR's id; ``user`` is ``Type/id``."""

    patient: str
    user: str
    fhir_server: str | None

    @property
    def by_staff(self) -> bool:
        """Whether a member of staff looks at the screen: appointments are made by patients too."""
        return self.user.partition("/")[0] in ("Practitioner", "PractitionerRole")


def discovery() -> dict[str, Any]:
    """The discovery document."""
    return {
        "services": [
            {"hook": s.hook, "id": s.hook, "title": s.title, "description": s.description}
            for s in SERVICES
        ]
    }


def service_of(id_: str) -> Service:
    """The service with this id. Raises NotHere."""
    for service in SERVICES:
        if service.hook == id_:
            return service
    raise NotHere("There is no such service; what there is stands in /cds-services.")


def read_call(service: Service, body: Mapping[str, Any]) -> Call:
    """The call of this service. Raises NotUnderstood, naming the member."""
    if body.get("hook") != service.hook:
        raise NotUnderstood(f"hook must be {service.hook} here.", expression="hook")
    _must_be_uuid(body.get("hookInstance"))
    context = body.get("context")
    if not isinstance(context, Mapping):
        raise NotUnderstood("context must be an object.", expression="context")
    said = {name: _word(context, name) for name in service.context}
    if service.hook == "appointment-book":
        _must_be_bundle(context.get("appointments"))
    if not isinstance(body.get("prefetch", {}), Mapping):
        raise NotUnderstood("prefetch must be an object.", expression="prefetch")
    patient = said["patientId"].removeprefix("Patient/")
    if not _ID.fullmatch(patient):
        raise NotUnderstood(
            "patientId must be the id of a Patient.", expression="context.patientId"
        )
    return Call(patient, said["userId"], _server(body))


def read_feedback(body: Mapping[str, Any]) -> dict[str, int]:
    """How often each outcome is told. Reasons in a clinician's words are read past, never kept.

    Raises NotUnderstood. https://cds-hooks.hl7.org/2.0/#feedback
    """
    told = body.get("feedback")
    if not isinstance(told, list) or not 0 < len(told) <= _MOST_OUTCOMES:
        raise NotUnderstood(
            f"feedback must be a list of 1 to {_MOST_OUTCOMES} outcomes.", expression="feedback"
        )
    counted = dict.fromkeys(OUTCOMES, 0)
    for number, one in enumerate(told):
        where = f"feedback[{number}]"
        if not isinstance(one, Mapping) or not isinstance(one.get("card"), str):
            raise NotUnderstood("card must name the card by its uuid.", expression=f"{where}.card")
        outcome = one.get("outcome")
        if outcome not in OUTCOMES:
            raise NotUnderstood(
                "outcome must be accepted or overridden.", expression=f"{where}.outcome"
            )
        counted[outcome] += 1
    return counted


def _must_be_uuid(value: Any) -> None:
    try:
        UUID(value)
    except (ValueError, TypeError, AttributeError):
        raise NotUnderstood("hookInstance must be a UUID.", expression="hookInstance") from None


def _word(context: Mapping[str, Any], name: str) -> str:
    value = context.get(name)
    if not isinstance(value, str) or not value.strip():
        raise NotUnderstood(f"context must name the {name}.", expression=f"context.{name}")
    return value


def _must_be_bundle(value: Any) -> None:
    if not isinstance(value, Mapping) or value.get("resourceType") != "Bundle":
        raise NotUnderstood("appointments must be a Bundle.", expression="context.appointments")


def _server(body: Mapping[str, Any]) -> str | None:
    server = body.get("fhirServer")
    if server is None:
        return None
    if not isinstance(server, str) or not server:
        raise NotUnderstood("fhirServer must be an address.", expression="fhirServer")
    return server.rstrip("/")
