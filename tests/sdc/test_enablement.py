from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from fhir_service.sdc.compiled import compile_form
from fhir_service.sdc.enablement import holds
from fhir_service.sdc.items import Condition
from fhir_service.sdc.pairing import Node, pair
from tests.support.cases import cases


def everywhere(nodes: Sequence[Node]) -> Iterator[Node]:
    for node in nodes:
        yield node
        yield from everywhere(node.nodes)
        for answer in node.answers:
            yield from everywhere(answer.nodes)


@pytest.mark.parametrize(("document", "case"), cases("enablement"))
def test_an_item_is_enabled_as_its_conditions_say(
    document: dict[str, Any], case: dict[str, Any]
) -> None:
    form = compile_form({"resourceType": "Questionnaire", "status": "active", **document["form"]})
    nodes = pair(form, {"resourceType": "QuestionnaireResponse", "item": case["items"]})
    asked = [node for node in everywhere(nodes) if node.item.link_id == document["asked"]]
    assert [node.enabled for node in asked] == case["enabled"]


@pytest.mark.parametrize("text", ["", "soon", "2024-", "2024-02-30T25:99:00Z", "x" * 40])
@pytest.mark.parametrize("kind", ["date", "dateTime", "time"])
def test_what_is_no_date_meets_no_condition_and_is_no_fault(kind: Any, text: str) -> None:
    asked = {"date": "2024-02-01", "dateTime": "2024-02-01T10:00:00Z", "time": "10:00:00"}[kind]
    operators: tuple[Any, ...] = ("=", ">", "<", ">=", "<=")
    for operator in operators:
        assert holds(Condition("q", operator, kind, asked), [(kind, text)]) is False
