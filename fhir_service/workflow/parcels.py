"""What is put into the chart: the note, the response or the document, as one route wants it.

Pure: made of a summary, its renderings and what is known of the visit; it sends nothing.
http://hl7.org/fhir/R4/documentreference.html
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec

from fhir_service.fhir.splice import instant
from fhir_service.workflow.targets import Code, Content, Rendering, Route

IDENTIFIER = "https://fhir-service.example.org/fhir/NamingSystem/delivered-summary"
"""The system of our identifier of a delivery: response and version, under this installation."""

DESCRIPTION = "Patient-reported pre-visit summary, not reviewed"
ASSERTED = Code(
    "http://terminology.hl7.org/CodeSystem/v3-ObservationValue", "PATAST", "patient asserted"
)

_encode = msgspec.json.Encoder(decimal_format="number").encode


class DoesNotFit(Exception):
    """Nothing of what the route asks for is small enough for it."""


class WrongPatient(Exception):
    """Note, response and encounter are not of one patient; nothing may be sent."""


@dataclass(frozen=True, slots=True)
class Visit:
    """When the visit is, and the EHR's Encounter of it; None where it is not known (yet)."""

    start: datetime | None = None
    end: datetime | None = None
    encounter: str | None = None


@dataclass(frozen=True, slots=True)
class Parcel:
    """What a resource is made of. ``patient`` is the id at the EHR.

    ``identifier`` names response and version; ``replaces`` the id of the note before.
    ``renderings`` are the bytes of each rendering that the route asks for.
    """

    patient: str
    identifier: str
    made: datetime
    visit: Visit
    renderings: dict[Rendering, bytes]
    response: dict[str, Any]
    replaces: str | None = None


def body_of(route: Route, parcel: Parcel) -> bytes:
    """The JSON that is posted by this route. Raises DoesNotFit."""
    if route.kind == "note":
        return bytes(_encode(note(route, parcel)))
    if route.kind == "document":
        return parcel.renderings["document"]
    if route.kind == "folder":
        return b"".join(_folder_parts(route, parcel))
    return bytes(_encode(response(route, parcel)))


def _folder_parts(route: Route, parcel: Parcel) -> list[bytes]:
    """The files' bytes one after the other, to be hashed. Raises DoesNotFit."""
    found = [fitting(one, parcel.renderings[one.rendering]) for one in route.contents]
    parts = [one for one in found if one is not None]
    if not parts:
        raise DoesNotFit
    return parts


def note(route: Route, parcel: Parcel) -> dict[str, Any]:
    """The DocumentReference. Raises DoesNotFit."""
    subject = {"reference": f"Patient/{parcel.patient}"}
    made: dict[str, Any] = {"resourceType": "DocumentReference"}
    if route.patient_asserted:
        made["meta"] = {"security": [coding(ASSERTED)]}
    if route.identifier:
        made["identifier"] = [identifier_of(parcel.identifier)]
    made["status"] = "current"
    if route.doc_status:
        made["docStatus"] = route.doc_status
    made["type"] = {"coding": [coding(one) for one in route.type_codes]}
    if route.type_text:
        made["type"]["text"] = route.type_text
    if route.categories:
        made["category"] = [{"coding": [coding(one)]} for one in route.categories]
    made["subject"] = subject
    made["date"] = instant(parcel.made)
    if route.author == "patient":
        made["author"] = [subject]
    if parcel.replaces and route.replacement == "relates-to":
        target = {"reference": f"DocumentReference/{parcel.replaces}"}
        made["relatesTo"] = [{"code": "replaces", "target": target}]
    made["description"] = DESCRIPTION
    made["content"] = _contents(route, parcel)
    context = _context(route, parcel.visit)
    if context:
        made["context"] = context
    return made


def response(route: Route, parcel: Parcel) -> dict[str, Any]:
    """The QuestionnaireResponse as it was sent, with the subject and encounter of the EHR."""
    made = {key: value for key, value in parcel.response.items() if key not in ("id", "meta")}
    made["subject"] = {"reference": f"Patient/{parcel.patient}"}
    made.pop("encounter", None)
    if parcel.visit.encounter and route.encounter != "never":
        made["encounter"] = {"reference": f"Encounter/{parcel.visit.encounter}"}
    if route.identifier:
        made["identifier"] = identifier_of(parcel.identifier)
    for key in ("author", "source"):  # they name people of ours, whom the EHR does not know
        if str(made.get(key, {}).get("reference", "")).startswith("Patient/"):
            made[key] = {"reference": f"Patient/{parcel.patient}"}
        elif "reference" in made.get(key, {}):
            del made[key]
    order = ["resourceType", "identifier", "questionnaire", "status", "subject", "encounter"]
    return {key: made[key] for key in (*order, *made) if key in made}


def fitting(content: Content, body: bytes) -> bytes | None:
    """The rendering as this content wants it; None where it is too large."""
    if content.ascii_only:
        body = _escaped(body.decode("utf-8")).encode("ascii")
    return body if len(body) <= content.most_bytes else None


def identifier_of(value: str) -> dict[str, str]:
    """Our Identifier of a delivery."""
    return {"system": IDENTIFIER, "value": value}


def coding(code: Code) -> dict[str, str]:
    """A Coding."""
    made = {"system": code.system, "code": code.code}
    return {**made, "display": code.display} if code.display else made


def must_be_of_one_patient(
    patient: str, resource: Mapping[str, Any], encounter: Mapping[str, Any] | None
) -> None:
    """Raise WrongPatient unless what is sent and the encounter it names are of this patient.

    Looked at last of all, on what is really sent and on the Encounter as it was just read.
    """
    wanted = f"Patient/{patient}"
    if resource.get("subject", {}).get("reference") != wanted:
        raise WrongPatient("note")
    named = _encounters(resource)
    if encounter is None:
        if named:
            raise WrongPatient("encounter-not-read")
        return
    said = str(encounter.get("subject", {}).get("reference", ""))
    if said != wanted and not said.endswith(f"/{wanted}"):
        raise WrongPatient("encounter")
    if any(one != f"Encounter/{encounter.get('id')}" for one in named):
        raise WrongPatient("another-encounter")


def _encounters(resource: Mapping[str, Any]) -> list[str]:
    found = [*resource.get("context", {}).get("encounter", ())]
    if "encounter" in resource:
        found.append(resource["encounter"])
    return [str(one.get("reference")) for one in found]


def _contents(route: Route, parcel: Parcel) -> list[dict[str, Any]]:
    found = []
    for content in route.contents:
        body = fitting(content, parcel.renderings[content.rendering])
        if body is None:
            continue
        found.append(
            {
                "attachment": {
                    "contentType": content.content_type,
                    "data": b64encode(body).decode("ascii"),
                    "title": DESCRIPTION,
                    "creation": instant(parcel.made),
                }
            }
        )
    if not found:
        raise DoesNotFit
    return found


def _context(route: Route, visit: Visit) -> dict[str, Any]:
    made: dict[str, Any] = {}
    if visit.encounter and route.encounter != "never":
        made["encounter"] = [{"reference": f"Encounter/{visit.encounter}"}]
    if visit.end and route.period != "never":
        period = {"start": instant(visit.start)} if visit.start else {}
        made["period"] = {**period, "end": instant(visit.end)}
    return made


def _escaped(text: str) -> str:
    """Text in ASCII: every other sign as a visible escape, so that none vanishes."""
    return "".join(
        sign
        if sign.isascii()
        else f"\\u{ord(sign):04x}"
        if ord(sign) <= 0xFFFF  # noqa: PLR2004  four hexadecimal digits
        else f"\\U{ord(sign):08x}"
        for sign in text
    )
