"""Every expression of the forms that ship, on every response that lies beside them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fhir_service.fhir.fhirpath import Environment, Expression, ResponseIndex, compile_expression
from fhir_service.fhir.reading import read_json
from tests.support.fhirpath import NOW

FORMS = Path(__file__).parents[2] / "questionnaires"
CALCULATED = (
    "http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire-calculatedExpression"
)
OF_POPULATION = ("initialExpression", "itemPopulationContext", "/variable")
"""Expressions that ask what a launch or an EHR gives, and say nothing of a response."""


def _expressions(form: Any, link_id: str = "") -> Iterator[tuple[str, str, str]]:
    """(linkId, url of the extension, expression) of each FHIRPath expression in a form."""
    if isinstance(form, dict):
        link_id = form.get("linkId", link_id)
        said = form.get("valueExpression")
        asked = not form.get("url", "").endswith(OF_POPULATION)
        if asked and isinstance(said, dict) and said.get("language") == "text/fhirpath":
            yield link_id, form["url"], said["expression"]
        for one in form.values():
            yield from _expressions(one, link_id)
    elif isinstance(form, list):
        for one in form:
            yield from _expressions(one, link_id)


def _pairs() -> list[Any]:
    made = []
    for path in sorted(FORMS.glob("*/Questionnaire-1.0.0.json")):
        expressions = list(_expressions(read_json(path.read_bytes())))
        made += [
            pytest.param(expressions, response, id=f"{path.parent.name}: {response.stem}")
            for response in sorted(path.parent.glob("responses/*.json"))
            if expressions
        ]
    assert made
    return made


def _answers(index: ResponseIndex, link_id: str) -> list[Any]:
    made = compile_expression(f"%resource.descendants().where(linkId='{link_id}').answer.value")
    return made.evaluate([], Environment(index=index))


def _both(made: Expression, response: dict[str, Any], index: ResponseIndex) -> list[Any]:
    plain = made.evaluate(response, Environment(resource=response, now=NOW))
    given = made.evaluate(response, Environment(resource=response, now=NOW, index=index))
    assert given == plain
    return given


@pytest.mark.parametrize(("expressions", "path"), _pairs())
def test_the_expressions_of_a_form_agree_with_what_a_response_holds(
    expressions: list[tuple[str, str, str]], path: Path
) -> None:
    response = read_json(path.read_bytes())
    index = ResponseIndex(response)
    for link_id, url, text in expressions:
        given = _both(compile_expression(text), response, index)
        held = _answers(index, link_id)
        if url == CALCULATED and held:
            assert given == held, f"{link_id} holds another total"
        if text == "today()":
            assert given == ["2026-03-14"]


def test_some_response_holds_each_total() -> None:
    totals = held = 0
    for path in FORMS.glob("*/Questionnaire-1.0.0.json"):
        calculated = [
            link_id
            for link_id, url, _ in _expressions(read_json(path.read_bytes()))
            if url == CALCULATED
        ]
        totals += len(calculated)
        indexes = [
            ResponseIndex(read_json(one.read_bytes()))
            for one in path.parent.glob("responses/*.json")
        ]
        held += sum(any(_answers(index, link_id) for index in indexes) for link_id in calculated)
    assert totals
    assert held == totals
