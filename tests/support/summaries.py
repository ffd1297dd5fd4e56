"""Summaries for tests: the shipped mapping and forms, responses made of a few answers."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

from fhir_service.catalogue.shipped import folder
from fhir_service.catalogue.summary_mappings import load_summary_mapping
from fhir_service.fhir.reading import read_json
from fhir_service.sdc.compiled import Form, compile_form
from fhir_service.summary.facts import Person, Source, Summary, summarise
from fhir_service.summary.mapping import SummaryMapping

PREVISIT = "previsit-recurrent-breast"
FORMS = (PREVISIT, "doctor-questions", "coping-support")
NOW = datetime(2026, 11, 20, 16, 0, tzinfo=UTC)
ZONE = ZoneInfo("America/Chicago")
ADA = Person("ada-example", "Ada Example", "1964-05-02", "female")

_VALUE = {
    "boolean": "valueBoolean",
    "integer": "valueInteger",
    "decimal": "valueDecimal",
    "date": "valueDate",
    "quantity": "valueQuantity",
}


@cache
def mapping() -> SummaryMapping:
    """The mapping that ships."""
    return load_summary_mapping(folder("mappings") / "summary")


@cache
def form(id_: str) -> Form:
    """A shipped form, compiled."""
    path = folder("questionnaires") / id_ / "Questionnaire-1.0.0.json"
    return compile_form(read_json(path.read_bytes()))


def example(id_: str, name: str = "typical") -> dict[str, Any]:
    """An example response that ships with a form."""
    path = folder("questionnaires") / id_ / "responses" / f"{name}.json"
    return read_json(path.read_bytes())


def source(id_: str, response: Mapping[str, Any], number: int = 1) -> Source:
    """A response as a source."""
    return Source(form(id_), response, f"response-{number}", 1, NOW)


def summary_of(*sources: Source, patient: Person | None = ADA, language: str = "en") -> Summary:
    """The summary of these sources, at a fixed moment."""
    return summarise(sources, mapping(), patient=patient, now=NOW, zone=ZONE, language=language)


def typical(name: str = "typical") -> Summary:
    """The summary of the examples of all three forms."""
    return summary_of(
        *(source(id_, example(id_, name), number) for number, id_ in enumerate(FORMS, start=1))
    )


def response(id_: str, answers: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    """A completed response: ``answers`` by linkId, each a value or a list.

    A repeating group is a list of such. A code stands for the option that has it; text, numbers,
    booleans and Quantities for themselves.
    """
    made = {
        "resourceType": "QuestionnaireResponse",
        "questionnaire": f"{form(id_).url}|{form(id_).version}",
        "status": "completed",
        "subject": {"reference": "Patient/ada-example"},
        "authored": "2026-11-20T09:30:00-06:00",
        "source": {"reference": "Patient/ada-example"},
        "item": list(_items(form(id_).questionnaire["item"], answers)),
    }
    kept = {key: value for key, value in {**made, **more}.items() if value not in ([], None)}
    return read_json(json.dumps(kept, default=_number).encode())


def _number(value: Any) -> Any:
    if isinstance(value, Decimal):
        return float(value)
    raise TypeError(type(value).__name__)


def _items(items: Sequence[Mapping[str, Any]], answers: Mapping[str, Any]) -> Iterator[Any]:
    for item in items:
        link_id = item["linkId"]
        if item["type"] == "display":
            continue
        if item["type"] == "group":
            instances = answers.get(link_id, []) if item.get("repeats") else [answers]
            for instance in instances:
                below = list(_items(item["item"], instance))
                if below:
                    yield {"linkId": link_id, "item": below}
        elif link_id in answers:
            given = answers[link_id]
            several = given if isinstance(given, list) else [given]
            yield {"linkId": link_id, "answer": [_answer(item, one) for one in several]}


def _answer(item: Mapping[str, Any], value: Any) -> dict[str, Any]:
    coding = codings().get(value) if isinstance(value, str) else None
    if item["type"] in {"choice", "open-choice"} and coding is not None:
        own = (option.get("valueCoding", {}) for option in item.get("answerOption", ()))
        named = next((one for one in own if one.get("code") == value), coding)
        return {"valueCoding": {key: named[key] for key in ("system", "code", "display")}}
    return {_VALUE.get(item["type"], "valueString"): value}


@cache
def codings() -> dict[str, dict[str, Any]]:
    """Every offered Coding of the shipped forms by its code."""
    found: dict[str, dict[str, Any]] = {}
    for id_ in FORMS:
        for item in form(id_).by_link_id.values():
            for option in item.options:
                if isinstance(option.value, dict):
                    found.setdefault(option.value["code"], option.value)
    return found


def earlier_typical() -> tuple[Source, ...]:
    """Two earlier pre-visit responses of the patient: June, where less hurt, and September."""
    june = {
        "respondent": "respondent-patient",
        "safety-now": ["none-of-these"],
        "symptom-list": ["very-tired", "nausea"],
        "overall-health": "overall-good",
        "activity-level": "activity-light",
        "appetite": "appetite-less",
        "pain-any": True,
        "pain-worst": 2,
        "takes-any": True,
        "medicine": [{"medicine-name": "Lisinopril"}, {"medicine-name": "Letrozole"}],
        "phq2-total": 1,
        "gad2-total": 5,
        "info-wanted": "info-ask-first",
    }
    september = june | {
        "symptom-list": ["very-tired", "bone-pain"],
        "symptom-detail": [{"symptom-which": "bone-pain", "symptom-severity": "severity-mild"}],
        "pain-worst": 4,
    }
    told = (
        (june, "2026-06-02T10:00:00-05:00", "earlier-1"),
        (september, "2026-09-08T10:00:00-05:00", "earlier-2"),
    )
    return tuple(
        replace(source(PREVISIT, response(PREVISIT, answers, authored=authored)), id=id_)
        for answers, authored, id_ in told
    )


def followed(name: str = "typical", **more: Any) -> Summary:
    """The typical summary of a patient who has answered before."""
    given = [source(id_, example(id_, name), number) for number, id_ in enumerate(FORMS, start=1)]
    return summarise(
        given,
        mapping(),
        patient=ADA,
        now=NOW,
        zone=ZONE,
        earlier=earlier_typical(),
        **more,
    )
