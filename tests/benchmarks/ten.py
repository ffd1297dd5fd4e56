"""The form of 40 questions with ten typical expressions, and a response that keeps them all."""

from __future__ import annotations

from typing import Any

from tests.benchmarks import forty

Json = dict[str, Any]

_CORE = "http://hl7.org/fhir/StructureDefinition/"
_SDC = "http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire-"


def form() -> Json:
    """Two each of the commonest: conditions, sums, constraints, limits; and an answer list."""
    made = forty.form()
    made["extension"] = [
        {
            "url": _CORE + "variable",
            "valueExpression": {"name": "pains", **_expression(_answers("0.pain", "1.pain"))},
        },
        _constraint("not-both", f"{_answers('0.pain')} <= 10 and {_answers('1.pain')} <= 10"),
    ]
    items = {item["linkId"]: item for group in made["item"] for item in group["item"]}
    _add(items["2.nausea"], "enableWhenExpression", f"{_answers('2.pain')} >= 0")
    _add(items["3.nausea"], "enableWhenExpression", f"{_answers('3.pain')} > -1")
    items["0.since"]["extension"] = [_limit("maxValue", "today()")]
    items["1.since"]["extension"] = [_limit("minValue", "today() - 100 years")]
    items["4.pain"]["extension"].append(_constraint("in-range", "answer.value <= 10"))
    made["item"].append(
        {
            "linkId": "sums",
            "type": "group",
            "item": [
                _add(_item("sum", "integer"), "calculatedExpression", "%pains.sum()"),
                _add(
                    _item("count", "integer"),
                    "calculatedExpression",
                    f"{_answers('0.pain', '1.pain', '2.pain')}.count()",
                ),
                _add(_item("one", "choice"), "answerExpression", _answers("0.where")),
            ],
        }
    )
    return made


def response() -> Json:
    """The response to it."""
    made = forty.response()
    answers = {item["linkId"]: item["answer"] for group in made["item"] for item in group["item"]}
    total = sum(answers[f"{n}.pain"][0]["valueInteger"] for n in (0, 1))
    made["item"].append(
        {
            "linkId": "sums",
            "item": [
                {"linkId": "sum", "answer": [{"valueInteger": total}]},
                {"linkId": "count", "answer": [{"valueInteger": 3}]},
                {"linkId": "one", "answer": [answers["0.where"][0]]},
            ],
        }
    )
    return made


def _answers(*link_ids: str) -> str:
    criteria = " or ".join(f"linkId = '{link_id}'" for link_id in link_ids)
    return f"%resource.descendants().where({criteria}).answer.value"


def _expression(text: str) -> Json:
    return {"language": "text/fhirpath", "expression": text}


def _item(link_id: str, kind: str) -> Json:
    return {"linkId": link_id, "text": link_id.title(), "type": kind}


def _add(item: Json, name: str, text: str) -> Json:
    extension = {"url": _SDC + name, "valueExpression": _expression(text)}
    item.setdefault("extension", []).append(extension)
    return item


def _limit(name: str, text: str) -> Json:
    computed = {"url": _CORE + "cqf-expression", "valueExpression": _expression(text)}
    return {"url": _CORE + name, "_valueDate": {"extension": [computed]}}


def _constraint(key: str, text: str) -> Json:
    parts = [
        {"url": "key", "valueId": key},
        {"url": "severity", "valueCode": "error"},
        {"url": "expression", "valueExpression": _expression(text)},
        {"url": "human", "valueString": "The answers fit together."},
    ]
    return {"url": _CORE + "targetConstraint", "extension": parts}
