"""A form of 40 questions, a response that answers all of them, and one break of each kind."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

FORM = "https://fhir-service.example.org/fhir/Questionnaire/benchmark-forty"
CODES = "https://fhir-service.example.org/fhir/CodeSystem/benchmark"
VERSION = "1.0.0"
GROUPS = 5

Json = dict[str, Any]


def form() -> Json:
    """The Questionnaire: 5 groups of 8 questions, one of each common type."""
    return {
        "resourceType": "Questionnaire",
        "id": "benchmark-forty",
        "url": FORM,
        "version": VERSION,
        "name": "BenchmarkForty",
        "title": "Forty questions",
        "status": "active",
        "subjectType": ["Patient"],
        "item": [_group(n) for n in range(GROUPS)],
    }


def response() -> Json:
    """A completed response that answers all 40 questions and keeps every rule."""
    return {
        "resourceType": "QuestionnaireResponse",
        "questionnaire": f"{FORM}|{VERSION}",
        "status": "completed",
        "subject": {"reference": "Patient/benchmark-ada"},
        "authored": "2026-11-20T09:30:00+01:00",
        "item": [_answered_group(n) for n in range(GROUPS)],
    }


def body(resource: Json) -> bytes:
    """The resource as it is sent."""
    return json.dumps(resource, ensure_ascii=False).encode()


def breaks() -> dict[str, bytes]:
    """The same response broken in one place, by the kind of the break."""
    made = {name: body(_changed(change)) for name, change in _CHANGES.items()}
    good = body(response())
    made["JSON cut off"] = good[: len(good) // 2]
    made["a key twice"] = good.replace(b'"status":', b'"status": "completed", "status":', 1)
    return made


def _group(n: int) -> Json:
    def item(name: str, kind: str, **more: Any) -> Json:
        made = {"linkId": f"{n}.{name}", "text": f"Question {name} of group {n}", "type": kind}
        return {**made, **more}

    options = [
        {"valueCoding": {"system": CODES, "code": f"c{i}", "display": f"Choice {i}"}}
        for i in range(6)
    ]
    pain_given = {"question": f"{n}.pain", "operator": ">", "answerInteger": 0}
    limits = [
        {"url": "http://hl7.org/fhir/StructureDefinition/minValue", "valueInteger": 0},
        {"url": "http://hl7.org/fhir/StructureDefinition/maxValue", "valueInteger": 10},
    ]
    return {
        "linkId": f"{n}",
        "text": f"Group {n}",
        "type": "group",
        "item": [
            item("pain", "integer", required=True, extension=limits),
            item("where", "choice", answerOption=options, enableWhen=[pain_given]),
            item("since", "date"),
            item("nausea", "boolean"),
            item("weight", "decimal"),
            item("words", "text", maxLength=500),
            item("several", "choice", repeats=True, answerOption=options),
            item("amount", "quantity"),
        ],
    }


def _answered_group(n: int) -> Json:
    def item(name: str, *answers: Json) -> Json:
        return {"linkId": f"{n}.{name}", "answer": list(answers)}

    def choice(i: int) -> Json:
        return {"valueCoding": {"system": CODES, "code": f"c{i}", "display": f"Choice {i}"}}

    litres = {"value": 1.5, "unit": "l", "system": "http://unitsofmeasure.org", "code": "L"}
    return {
        "linkId": f"{n}",
        "item": [
            item("pain", {"valueInteger": 3 + n}),
            item("where", choice(n)),
            item("since", {"valueDate": f"2026-0{n + 1}-15"}),
            item("nausea", {"valueBoolean": n % 2 == 0}),
            item("weight", {"valueDecimal": 61.5}),
            item("words", {"valueString": "It is worse in the morning, and better after a walk."}),
            item("several", choice(1), choice(4)),
            item("amount", {"valueQuantity": litres}),
        ],
    }


def _changed(change: Callable[[Json], None]) -> Json:
    made = response()
    change(made)
    return made


def _last(made: Json, name: str) -> Json:
    """The item of this name in the last group: what is found late is the dearest."""
    item: Json = next(
        one for one in made["item"][-1]["item"] if one["linkId"].endswith(f".{name}")
    )
    return item


def _deep(made: Json) -> None:
    nested: Json = {"linkId": "0"}
    for _ in range(100):
        nested = {"linkId": "0", "item": [nested]}
    made["item"].append(nested)


def _all_wrong(made: Json) -> None:
    for group in made["item"]:
        for item in group["item"]:
            item["answer"] = [{"valueTime": "10:00:00"}]


_CHANGES: dict[str, Callable[[Json], None]] = {
    "a required answer missing": lambda made: made["item"][-1]["item"].pop(0),
    "a value of another type": lambda made: _last(made, "nausea").update(
        answer=[{"valueString": "yes"}]
    ),
    "a value that is no date": lambda made: _last(made, "since").update(
        answer=[{"valueDate": "2026-02-30"}]
    ),
    "an option that is not offered": lambda made: _last(made, "where").update(
        answer=[{"valueCoding": {"system": CODES, "code": "c99"}}]
    ),
    "a question that is not enabled": lambda made: _last(made, "pain").update(
        answer=[{"valueInteger": 0}]
    ),
    "two answers where one is taken": lambda made: _last(made, "nausea")["answer"].append(
        {"valueBoolean": False}
    ),
    "a linkId that the form does not have": lambda made: _last(made, "amount").update(
        linkId="4.other"
    ),
    "an element that FHIR does not have": lambda made: _last(made, "amount").update(colour="red"),
    "every answer of another type": _all_wrong,
    "nested too deep": _deep,
    "an unknown form": lambda made: made.update(questionnaire=f"{FORM}-other|{VERSION}"),
    "an unknown version": lambda made: made.update(questionnaire=f"{FORM}|9.9.9"),
    "no patient": lambda made: made.pop("subject"),
    "another resource type": lambda made: made.update(resourceType="Observation"),
}
