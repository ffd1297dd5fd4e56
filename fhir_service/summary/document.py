"""The summary as a FHIR document: a Composition, the responses it was made of, patient and author.

http://hl7.org/fhir/R4/documents.html and http://hl7.org/fhir/R4/composition.html
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any
from uuid import UUID, uuid5

from fhir_service.summary.model import FormAnswers, Origin, Section, Source, Summary
from fhir_service.summary.narrative import answers_div, banner_div, line_id, section_div

LOINC = "http://loinc.org"
ANSWER_PLACE = "https://fhir-service.example.org/fhir/StructureDefinition/answer-place"
"""The extension of a section's entry that tells which answer of it a line was made from.

``line`` is the id of the line in the section's narrative, ``path`` the answer's FHIRPath in that
``version`` of the response that the entry refers to.
"""

_NAMESPACE = UUID("7d2c1b5e-0f0e-5c1a-9a35-2d4a6a0c7f11")
_TYPE = (LOINC, "74465-6", "Questionnaire response Document")
_CATEGORY = (LOINC, "51855-5", "Patient Note")
_URN = "urn:ietf:rfc:3986"
_TERMINOLOGY = "http://terminology.hl7.org/CodeSystem"


def identity(summary: Summary, began: str | None = None) -> dict[str, str]:
    """The identifier of the visit's document, the same in all its versions.

    It is made of ``began``, the id of the response that came first, so it stays when another form
    comes in later and when one is amended; not known, of the lowest id (ours grow with time).
    """
    first = began or min(one.id for one in summary.sources)
    return {"system": _URN, "value": _urn(first, "visit")}


def number(summary: Summary, base_url: str) -> str:
    """The identifier (a urn:uuid) of this one version of the document: its Bundle.identifier."""
    return _urn(_seed(summary, base_url), "bundle")


def document(
    summary: Summary,
    *,
    base_url: str,
    software_version: str | None = None,
    replaces: str | None = None,
    began: str | None = None,
) -> dict[str, Any]:
    """A Bundle of type document, R4 JSON; numbers in the responses stay Decimal.

    ``base_url`` is our FHIR base without a slash at its end; the responses and the patient are
    known by it, so that the references in what was sent resolve inside. ``replaces`` is the
    identifier (a urn:uuid) of the document that this one takes the place of, ``began`` the id of
    the response that came first. The same summary gives the same document and identifiers.
    """
    seed = _seed(summary, base_url)
    composition_url, device_url = _urn(seed, "composition"), _urn(seed, "device")
    subjects = _subjects(summary, base_url)
    composition = _composition(summary, base_url, device_url, next(iter(subjects)))
    composition["identifier"] = identity(summary, began)
    if replaces is not None:
        target = {"system": _URN, "value": replaces}
        composition["relatesTo"] = [{"code": "replaces", "targetIdentifier": target}]
    device = _device(software_version)
    entries = [
        (composition_url, {**composition, "id": composition_url.removeprefix("urn:uuid:")}),
        *subjects.items(),
        (device_url, {**device, "id": device_url.removeprefix("urn:uuid:")}),
        *((_url(one, base_url), _response(one)) for one in _responses(summary)),
        _provenance(summary, base_url, seed),
    ]
    bundle = _urn(seed, "bundle")
    return {
        "resourceType": "Bundle",
        "id": bundle.removeprefix("urn:uuid:"),
        "identifier": {"system": _URN, "value": bundle},
        "type": "document",
        "timestamp": summary.made.isoformat(timespec="milliseconds"),
        "entry": [{"fullUrl": url, "resource": resource} for url, resource in entries],
    }


def _responses(summary: Summary) -> list[Source]:
    """The responses of the visit, and the earlier ones compared with; each id once, the newest."""
    newest: dict[str, Source] = {}
    for one in (*summary.sources, *summary.before_sources):
        newest.setdefault(one.id, one)
    return list(newest.values())


def _seed(summary: Summary, base_url: str) -> str:
    """What makes this document another one: every word of it, and the versions it was made of."""
    versions = [f"{_url(one, base_url)}/_history/{one.version}" for one in summary.sources]
    told = [section_div(one, summary.language) for one in summary.sections]
    parts = [*versions, banner_div(summary), *told, summary.made.isoformat()]
    return hashlib.sha256("\n".join(parts).encode("utf-8", "backslashreplace")).hexdigest()


def _urn(seed: str, what: str) -> str:
    return f"urn:uuid:{uuid5(_NAMESPACE, f'{what}|{seed}')}"


def _url(source: Source, base_url: str) -> str:
    return f"{base_url}/QuestionnaireResponse/{source.id}"


def _response(source: Source) -> dict[str, Any]:
    """The response as it was sent, under the id that it has here."""
    made = {"resourceType": "QuestionnaireResponse", "id": source.id}
    return {**made, **source.response, "id": source.id}


def _composition(
    summary: Summary, base_url: str, device_url: str, subject_url: str
) -> dict[str, Any]:
    made: dict[str, Any] = {
        "resourceType": "Composition",
        "language": summary.language,
        "text": {"status": "generated", "div": banner_div(summary)},
        "identifier": identity(summary),
        "status": _status(summary),
        "type": _concept(*_TYPE),
        "category": [_concept(*_CATEGORY)],
        "subject": {"reference": subject_url},
        "date": summary.made.isoformat(timespec="milliseconds"),
        "author": [{"reference": device_url, "display": "fhir_service"}],
        "title": f"{summary.title} (patient-reported, not reviewed)",
        "section": [_section(one, summary, base_url) for one in summary.sections],
    }
    made["section"].append(_appendix(summary, base_url))
    return made


def _provenance(summary: Summary, base_url: str, seed: str) -> tuple[str, dict[str, Any]]:
    """Who put the document together, out of which versions of which responses.

    A document may hold Provenances of what is in it. http://hl7.org/fhir/R4/documents.html#content
    """
    url, device_url = _urn(seed, "provenance"), _urn(seed, "device")
    versions = [
        {"reference": f"{_url(one, base_url)}/_history/{one.version}"} for one in summary.sources
    ]
    return url, {
        "resourceType": "Provenance",
        "id": url.removeprefix("urn:uuid:"),
        "target": [{"reference": _urn(seed, "composition")}],
        "recorded": summary.made.isoformat(timespec="milliseconds"),
        "activity": _concept(f"{_TERMINOLOGY}/v3-DataOperation", "CREATE", "create"),
        "agent": [
            {
                "type": _concept(
                    f"{_TERMINOLOGY}/provenance-participant-type", "assembler", "Assembler"
                ),
                "who": {"reference": device_url},
            }
        ],
        "entity": [{"role": "source", "what": one} for one in versions],
    }


def _status(summary: Summary) -> str:
    """A document of a response still being written is preliminary."""
    states = {str(one.response.get("status")) for one in summary.sources}
    if "entered-in-error" in states:
        return "entered-in-error"
    if states & {"in-progress"}:
        return "preliminary"
    return "amended" if "amended" in states else "final"


def _section(section: Section, summary: Summary, base_url: str) -> dict[str, Any]:
    """A section: each response that its lines were made from is an entry, which proves each line.

    What came from the EHR's chart stands at the section: it is not in this document.
    """
    by_response: dict[str, list[dict[str, Any]]] = {}
    charted: list[dict[str, Any]] = []
    for number, fact in enumerate(section.facts, start=1):
        for origin in fact.derived_from:
            told = _place(line_id(section, number), origin)
            if origin.chart:
                charted.append(told)
            else:
                by_response.setdefault(origin.response, []).append(told)
    made: dict[str, Any] = {
        "title": section.kind.title,
        "code": _concept(section.kind.system, section.kind.code, section.kind.display),
        "text": {"status": "generated", "div": section_div(section, summary.language)},
    }
    if charted:
        made = {"extension": charted, **made}
    entries = [
        {"extension": by_response[one.id], "reference": _url(one, base_url)}
        for one in _responses(summary)
        if one.id in by_response
    ]
    return {**made, "entry": entries} if entries else made


def _place(line: str, origin: Origin) -> dict[str, Any]:
    """What this line of the narrative was made from: an answer, or a resource in the chart."""
    told = [{"url": "line", "valueUri": f"#{line}"}]
    if origin.chart:
        told.append({"url": "chart", "valueString": origin.place})
    else:
        told += [
            {"url": "version", "valueString": str(origin.version)},
            {"url": "linkId", "valueString": origin.link_id},
            {"url": "path", "valueString": origin.place},
        ]
    return {"url": ANSWER_PLACE, "extension": told}


def _appendix(summary: Summary, base_url: str) -> dict[str, Any]:
    return {
        "title": "All answers",
        "code": _concept(*_TYPE),
        "section": [
            *(
                _answers(form, source, summary, base_url, "Earlier: ")
                for form, source in zip(summary.earlier, summary.before_sources, strict=True)
            ),
            *(
                _answers(form, source, summary, base_url)
                for form, source in zip(summary.appendix, summary.sources, strict=True)
            ),
        ],
    }


def _answers(
    form: FormAnswers, source: Source, summary: Summary, base_url: str, before: str = ""
) -> dict[str, Any]:
    return {
        "title": f"{before}{form.title} {form.form_version}".strip() or "Answers",
        "text": {"status": "generated", "div": answers_div(form, summary.language)},
        "entry": [{"reference": _url(source, base_url)}],
    }


def _subjects(summary: Summary, base_url: str) -> dict[str, dict[str, Any]]:
    """The patient by full URL, the Composition's first; as much of her as is known here."""
    found: dict[str, dict[str, Any]] = {}
    for source in summary.sources:
        subject = source.response.get("subject") or {}
        url, resource = _subject(subject, base_url)
        found.setdefault(url, resource)
    person = summary.patient
    if person is not None:
        known: dict[str, Any] = {"resourceType": "Patient", "id": person.id}
        if person.name:
            known["name"] = [{"text": person.name}]
        if person.gender:
            known["gender"] = person.gender
        if person.birth_date:
            known["birthDate"] = person.birth_date
        return {f"{base_url}/Patient/{person.id}": known}
    return found


def _subject(subject: Mapping[str, Any], base_url: str) -> tuple[str, dict[str, Any]]:
    reference = str(subject.get("reference", ""))
    patient: dict[str, Any] = {"resourceType": "Patient"}
    kind, _, id_ = reference.rpartition("/")
    if kind.endswith("Patient") and id_:
        patient["id"] = id_
    if "identifier" in subject:
        patient["identifier"] = [subject["identifier"]]
    if "display" in subject:
        patient["name"] = [{"text": subject["display"]}]
    if reference.startswith(("http://", "https://", "urn:")):
        return reference, patient
    if "id" in patient:
        return f"{base_url}/Patient/{id_}", patient
    return _urn(repr(sorted(subject.items())), "patient"), patient


def _device(software_version: str | None) -> dict[str, Any]:
    made: dict[str, Any] = {
        "resourceType": "Device",
        "deviceName": [{"name": "fhir_service", "type": "user-friendly-name"}],
    }
    if software_version:
        made["version"] = [{"value": software_version}]
    return made


def _concept(system: str, code: str, display: str) -> dict[str, Any]:
    return {"coding": [{"system": system, "code": code, "display": display}], "text": display}
