"""Expressions as forms have them, and a response for them to work on."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from fhir_service.fhir.fhirpath import Environment, ResponseIndex

NOW = datetime(2026, 3, 14, 15, 9, 26, tzinfo=UTC)

SDC_EXPRESSIONS = (
    "%resource.descendants().where(linkId='q-3-2').answer.value",
    "%resource.item.where(linkId='g-1').item.where(linkId='q-1-4').answer.value",
    "%resource.repeat(item).where(linkId='q-2-2').answer.value",
    "%resource.item.where(linkId='g-2').item.where(linkId='q-2-1').answer.exists()",
    "%resource.descendants().where(linkId='q-1-1' or linkId='q-1-3').answer.value.code.count()",
    "iif(%resource.item.where(linkId='g-4').item.where(linkId='q-4-1').answer.value = 3, 1, 2)",
    "(%resource.descendants().where(linkId='q-2-1').answer.value / 170 / 170 * 10000).round(1)",
    "%resource.descendants().where(linkId.startsWith('q-4')).answer.aggregate(value + $total, 0)",
    "%resource.item.item.where(answer.value.code = 'LA6569-3').linkId.join(', ')",
    "%resource.descendants().where(linkId='q-3-3').answer.value <= today()",
    "%resource.item.item.answer.value.ofType(Coding).select(iif(code='LA6568-5', 0, 1)).count()",
    "%resource.descendants().where(linkId='q-4-1' or linkId='q-4-2').answer.value.sum()",
)
"""Twelve expressions of the kinds that forms use."""


def sdc_response(groups: int = 9, questions: int = 4) -> dict[str, Any]:
    """A response of 46 items: groups g-1 to g-9, each with questions q-1-1 to q-9-4."""
    values: list[dict[str, Any]] = [
        {
            "valueCoding": {
                "system": "http://loinc.org",
                "code": "LA6569-3",
                "display": "Several days",
            }
        },
        {"valueDecimal": Decimal("61.5")},
        {"valueString": "A text of Ada Example"},
        {"valueInteger": 3},
        {"valueDate": "2026-01-31"},
    ]
    at = {(1, 1): 0, (1, 3): 0, (1, 4): 2, (2, 1): 1, (2, 2): 3, (3, 2): 2, (3, 3): 4}
    made = []
    for group in range(1, groups + 1):
        inner = [
            {
                "linkId": f"q-{group}-{question}",
                "text": f"Question {question} of group {group}",
                "answer": [values[at.get((group, question), 3 if group == 4 else question % 3)]],
            }
            for question in range(1, questions + 1)
        ]
        made.append({"linkId": f"g-{group}", "text": f"Group {group}", "item": inner})
    made.append({"linkId": "last", "text": "The end", "answer": [{"valueBoolean": True}]})
    return {"resourceType": "QuestionnaireResponse", "status": "completed", "item": made}


def sdc_environment(response: dict[str, Any], *, indexed: bool = True) -> Environment:
    """An environment for expressions on a response, with or without its index."""
    index = ResponseIndex(response) if indexed else None
    return Environment(resource=response, now=NOW, index=index)
