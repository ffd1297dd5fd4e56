"""Provenance of one version of a resource, out of the audit line of its write and its body.

Made when it is read, so it can not say something else than the record.
http://hl7.org/fhir/R4/provenance.html
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import msgspec

from fhir_service.fhir.answer_sources import ANSWER_SOURCE, sources_of
from fhir_service.fhir.audit_events import OUR_CLIENTS
from fhir_service.fhir.audit_lines import Told
from fhir_service.fhir.splice import instant

_DATA_OPERATIONS = "http://terminology.hl7.org/CodeSystem/v3-DataOperation"
_PARTICIPANTS = "http://terminology.hl7.org/CodeSystem/provenance-participant-type"
_URI = "urn:ietf:rfc:3986"

MOST_SOURCES: Final = 200
"""How many resources that answers were filled from are named."""

ACTIVITIES: Final = {"create": "CREATE", "update": "UPDATE", "delete": "DELETE"}
"""The interactions that a Provenance comes of."""


class Reference(msgspec.Struct, frozen=True):
    """Whom an element of a body names."""

    reference: str | None = None
    identifier: dict[str, Any] | None = None


class _Said(msgspec.Struct, frozen=True):
    """Who wrote and who told, in the body of a response or note."""

    author: Reference | list[Reference] | None = None
    source: Reference | None = None
    questionnaire: str | None = None


_said = msgspec.json.Decoder(_Said)
_whole = msgspec.json.Decoder(dict[str, Any])


def provenance(line: Told, body: bytes) -> dict[str, Any]:
    """The Provenance (R4) of the version that this line wrote; ``body`` is that version's."""
    said = _read(body)
    target = f"{line.resource_type}/{line.resource_id}"
    made: dict[str, Any] = {
        "resourceType": "Provenance",
        "target": [{"reference": f"{target}/_history/{line.resource_version}"}],
        "recorded": instant(line.recorded),
        "activity": _coded(_DATA_OPERATIONS, ACTIVITIES[line.interaction]),
        "agent": list(_agents(line, said)),
    }
    entities = [*_entities(line, said), *_behind_answers(body)]
    if entities:
        made["entity"] = entities
    return made


def _read(body: bytes) -> _Said:
    try:
        return _said.decode(body) if body else _Said()
    except msgspec.MsgspecError:  # a type whose author or source is of another shape
        return _Said()


def _agents(line: Told, said: _Said) -> Iterator[dict[str, Any]]:
    authors = said.author if isinstance(said.author, list) else [said.author]
    for author in authors:
        if who := _who(author):
            yield {"type": _coded(_PARTICIPANTS, "author"), "who": who}
    if who := _who(said.source):
        yield {"type": _coded(_PARTICIPANTS, "informant"), "who": who}
    if line.software:
        yield {"type": _coded(_PARTICIPANTS, "assembler"), "who": {"display": line.software}}
    client = {"identifier": {"system": OUR_CLIENTS, "value": line.client}}
    yield {"type": _coded(_PARTICIPANTS, "enterer"), "who": client}


def _who(named: Reference | None) -> dict[str, Any] | None:
    """The reference as it was given, without a name; None for nobody, or what was contained."""
    if named is None:
        return None
    if named.reference and not named.reference.startswith("#"):
        return {"reference": named.reference}
    return {"identifier": named.identifier} if named.identifier else None


def _entities(line: Told, said: _Said) -> Iterator[dict[str, Any]]:
    if line.resource_version and line.resource_version > 1:
        before = f"{line.resource_type}/{line.resource_id}/_history/{line.resource_version - 1}"
        yield {"role": "revision", "what": {"reference": before}}
    if said.questionnaire:
        yield {"role": "source", "what": _form(said.questionnaire)}
    for source in (line.sources or "").split():
        what = _form(source) if ":" in source else {"reference": source}
        yield {"role": "source", "what": what}


def _behind_answers(body: bytes) -> Iterator[dict[str, Any]]:
    """The resources that answers were filled from, as the answers say themselves.

    https://hl7.org/fhir/uv/sdc/STU4/populate.html: they are entities with the role source.
    """
    if ANSWER_SOURCE.encode() not in body:
        return
    for reference in sources_of(_whole.decode(body))[:MOST_SOURCES]:
        yield {"role": "source", "what": {"reference": reference}}


def _form(canonical: str) -> dict[str, Any]:
    return {"type": "Questionnaire", "identifier": {"system": _URI, "value": canonical}}


def _coded(system: str, code: str) -> dict[str, Any]:
    return {"coding": [{"system": system, "code": code}]}
