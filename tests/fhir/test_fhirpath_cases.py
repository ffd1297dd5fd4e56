"""What the specification says, as data: http://hl7.org/fhirpath/N1/, with R4 and SDC."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from fhir_service.fhir.fhirpath import Environment, ExpressionError, compile_expression
from fhir_service.fhir.quantities import comparable, convert
from tests.support.cases import cases
from tests.support.fhirpath import NOW


def weigh(value: Any, link_id: str | None) -> Decimal | None:
    """The form of these cases gives the code "none" at "a" the weight 5, and no other."""
    known = isinstance(value, dict) and value.get("code") == "none" and link_id == "a"
    return Decimal(5) if known else None


def member_of(value: Any, canonical: str) -> bool | None:
    """A value set with one code; of what is no code nobody knows."""
    return value == "female" if isinstance(value, str) else None


@pytest.mark.parametrize(("document", "case"), cases("fhirpath"))
def test_an_expression_gives_what_the_specification_says(
    document: dict[str, Any], case: dict[str, Any]
) -> None:
    resource = document.get("on")
    environment = Environment(resource=resource, now=NOW, weigh=weigh, member_of=member_of)
    focus = [] if resource is None else [resource]
    if "refused" in case:
        with pytest.raises(ExpressionError, match=re.escape(case["refused"])):
            compile_expression(case["expression"]).evaluate(focus, environment)
        return
    given = compile_expression(case["expression"]).evaluate(focus, environment)
    assert given == case["gives"]
    assert [type(one) is bool for one in given] == [type(one) is bool for one in case["gives"]]


@pytest.mark.parametrize(("document", "case"), cases("units"))
def test_a_unit_converts_where_it_measures_the_same(
    document: dict[str, Any], case: dict[str, Any]
) -> None:
    found = convert(Decimal(case["value"]), case["from"], case["to"])
    assert found == (None if case["gives"] is None else Decimal(case["gives"]))
    assert comparable(case["from"], case["to"]) == (found is not None)


def test_digits_stay_as_they_were_written() -> None:
    environment = Environment(now=NOW)
    assert str(compile_expression("1.50").evaluate([], environment)[0]) == "1.50"
    (kept,) = compile_expression("$this").evaluate([Decimal("61.50")], environment)
    assert str(kept) == "61.50"


def test_an_error_tells_the_place_and_not_the_answer() -> None:
    said = compile_expression("  item.answer.value > 3")
    response = {
        "resourceType": "QuestionnaireResponse",
        "item": [{"linkId": "a", "answer": [{"valueString": "Mrs Example"}]}],
    }
    with pytest.raises(ExpressionError) as error:
        said.evaluate(response, Environment(resource=response, now=NOW))
    assert error.value.position == len("  item.answer.value ")
    assert "Example" not in str(error.value)


def test_names_and_link_ids_are_known_without_evaluating() -> None:
    made = compile_expression("%resource.descendants().where(linkId='a').answer.value | %other")
    assert made.names == {"resource", "other"}
    assert made.link_ids == ("a",)
    assert made.answers_of is None
    simple = compile_expression("%resource.item.where(linkId in ('a' | 'b')).answer.value")
    assert simple.answers_of == ("a", "b")


def test_a_step_to_an_unknown_element_is_an_error_where_that_is_asked_for() -> None:
    patient = {"resourceType": "Patient", "name": [{"family": "Example"}]}
    made = compile_expression("name.surname")
    assert made.evaluate(patient, Environment(now=NOW)) == []
    with pytest.raises(ExpressionError, match="no element"):
        made.evaluate(patient, Environment(now=NOW, strict=True))


def test_variables_may_be_values_or_typed_items_of_another_expression() -> None:
    patient = {"resourceType": "Patient", "birthDate": "1951-03-01"}
    born = compile_expression("birthDate").evaluate_items(patient, Environment(now=NOW))
    environment = Environment(now=NOW, variables={"born": born, "limit": 70})
    assert compile_expression("%born < today()").evaluate([], environment) == [True]
    assert compile_expression("%limit + 1").evaluate([], environment) == [71]
    assert compile_expression("%limit = 70").holds([], environment) is True


def test_today_is_told_in_the_zone_of_the_site() -> None:
    late = datetime(2026, 3, 14, 23, 30, tzinfo=UTC)
    here = Environment(now=late, zone=ZoneInfo("Europe/Berlin"))
    assert compile_expression("today()").evaluate([], here) == ["2026-03-15"]
    assert compile_expression("now()").evaluate([], here) == ["2026-03-15T00:30:00.000+01:00"]
    assert compile_expression("now() = %late").evaluate(
        [], replace(here, variables={"late": compile_expression("now()").evaluate_items([], here)})
    ) == [True]


def test_a_clock_without_a_zone_is_no_clock() -> None:
    with pytest.raises(ValueError, match="zone"):
        Environment(now=datetime(2026, 3, 14))  # noqa: DTZ001 (that is what is refused)
    with pytest.raises(ExpressionError, match="no clock"):
        compile_expression("today()").evaluate([], Environment())


def test_threads_share_an_expression() -> None:
    made = compile_expression("%resource.item.select($index + %add)")
    response = {"resourceType": "QuestionnaireResponse", "item": [{"linkId": "a"}] * 50}

    def run(add: int) -> list[Any]:
        environment = Environment(resource=response, variables={"add": add})
        return made.evaluate(response, environment)

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(run, range(64)))
    assert found == [[number + add for number in range(50)] for add in range(64)]


def test_what_was_given_back_may_be_changed_without_harm() -> None:
    patient = {"resourceType": "Patient", "gender": "female"}
    made = compile_expression("gender = 'female'")
    made.evaluate_items(patient, Environment()).append("changed")
    assert made.evaluate_items(patient, Environment()) == [True]
