"""What the cases can not say: the clock, the language, the pairing, and what it may cost."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from fhir_service.fhir.issues import Issue, operation_outcome
from fhir_service.sdc.compiled import compile_form
from fhir_service.sdc.pairing import pair
from fhir_service.sdc.responses import decode
from fhir_service.sdc.validation import validate
from tests.support.cpu import within

CORE = "http://hl7.org/fhir/StructureDefinition/"
SDC = "http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire-"
TRANSLATION = CORE + "translation"
Json = dict[str, Any]


def a_form(*items: Json, **more: Any) -> Json:
    made = {"resourceType": "Questionnaire", "url": "http://example.org/form", "version": "1"}
    return {**made, "status": "active", "item": list(items), **more}


def a_response(*items: Json, **more: Any) -> Json:
    return {
        "resourceType": "QuestionnaireResponse",
        "status": "completed",
        "questionnaire": "http://example.org/form|1",
        "subject": {"reference": "Patient/ada-example"},
        "authored": "2026-11-22T12:00:00Z",
        "item": list(items),
        **more,
    }


def found_in(form: Json, response: Json, **more: Any) -> tuple[Issue, ...]:
    return validate(compile_form(form), decode(json.dumps(response).encode()), **more)


def an_item(link_id: str, kind: str, *extensions: Json, **more: Any) -> Json:
    return {"linkId": link_id, "type": kind, "extension": list(extensions), **more}


def answered(link_id: str, **value: Any) -> Json:
    return {"linkId": link_id, "answer": [value]}


def expression(url: str, text: str, **more: Any) -> Json:
    return {
        "url": url,
        "valueExpression": {"language": "text/fhirpath", "expression": text, **more},
    }


def constraint(key: str, text: str, human: Json | None = None) -> Json:
    told = human or {"valueString": "A rule of the form."}
    parts = [
        {"url": "key", "valueId": key},
        {"url": "severity", "valueCode": "error"},
        expression("expression", text),
        {"url": "human", **told},
    ]
    return {"url": CORE + "targetConstraint", "extension": parts}


UNTIL_TODAY = {
    "url": CORE + "maxValue",
    "_valueDate": {"extension": [expression(CORE + "cqf-expression", "today()")]},
}
NEW_YEAR = datetime(2026, 12, 31, 23, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("zone", "day", "keys"),
    [
        ("UTC", "2026-12-31", []),
        ("UTC", "2027-01-01", ["answer-above-max-value"]),
        ("Europe/Vienna", "2027-01-01", []),
        ("America/Chicago", "2027-01-01", ["answer-above-max-value"]),
    ],
)
def test_today_is_that_of_the_zone(zone: str, day: str, keys: list[str]) -> None:
    form, response = (
        a_form(an_item("d", "date", UNTIL_TODAY)),
        a_response(answered("d", valueDate=day)),
    )
    found = found_in(form, response, now=NEW_YEAR, zone=ZoneInfo(zone))
    assert [issue.key for issue in found] == keys


def test_without_a_clock_today_is_when_the_response_was_written() -> None:
    form = a_form(an_item("d", "date", UNTIL_TODAY))
    for day, keys in (("2026-11-22", []), ("2026-11-23", ["answer-above-max-value"])):
        found = found_in(form, a_response(answered("d", valueDate=day)))
        assert [issue.key for issue in found] == keys
    response = a_response(answered("d", valueDate="2026-11-22"))
    del response["authored"]
    assert [issue.key for issue in found_in(form, response)] == [
        "authored-missing",
        "expression-not-decided",
    ]


def test_the_words_of_a_constraint_are_in_the_language_asked_for() -> None:
    spanish = [
        {"url": "lang", "valueCode": "es"},
        {"url": "content", "valueString": "Más de cinco."},
    ]
    human = {
        "valueString": "More than five.",
        "_valueString": {"extension": [{"url": TRANSLATION, "extension": spanish}]},
    }
    form = a_form(
        an_item("a", "integer", constraint("over-5", "answer.value > 5", human), text="A")
    )
    response = a_response(answered("a", valueInteger=5))
    (english,) = found_in(form, response)
    (translated,) = found_in(form, response, language="es-MX")
    assert (english.says, translated.says) == ("A: More than five.", "A: Más de cinco.")
    coding = operation_outcome([english])["issue"][0]["details"]["coding"]
    assert {"system": "http://example.org/form|1", "code": "over-5"} in coding


def test_what_a_patient_wrote_is_not_told_by_an_expression_that_fails() -> None:
    wrote = "Mrs Example, born 1951"
    for text in (
        "answer.value + 1 = 2",
        "answer.value.toInteger() > answer.value",
        "answer.value",
    ):
        form = a_form(an_item("a", "string", constraint("a-1", text)))
        for issue in found_in(form, a_response(answered("a", valueString=wrote))):
            assert wrote not in issue.says


def test_pairing_enables_as_the_check_does() -> None:
    shown = expression(
        SDC + "enableWhenExpression", "%context.item.where(linkId='n').answer.value < 3"
    )
    later = expression(
        SDC + "enableWhenExpression", "%resource.item.first().item.answer.value = 1"
    )
    form = a_form(
        an_item("g", "group", shown, repeats=True, item=[an_item("n", "integer")]),
        an_item("b", "string", later),
        an_item("c", "string", expression(SDC + "enableWhenExpression", "%nobody")),
    )
    response = a_response(
        {"linkId": "g", "item": [answered("n", valueInteger=1)]},
        {"linkId": "g", "item": [answered("n", valueInteger=3)]},
    )
    nodes = pair(compile_form(form), response)
    assert [(node.item.link_id, node.enabled) for node in nodes] == [
        ("g", True),
        ("g", False),
        ("b", True),
        ("c", True),
    ]


MANY = 50_000
EXPLODING = "%resource.descendants().select(%resource.descendants()).count() > 0"


def within_a_second(form: Json, response: Json) -> list[str]:
    compiled, decoded = compile_form(form), decode(json.dumps(response).encode())
    found = within(1, lambda: validate(compiled, decoded))
    return [issue.key for issue in found]


def test_very_many_instances_are_asked_as_far_as_a_check_may_go() -> None:
    form = a_form(
        an_item(
            "g", "group", constraint("g-1", "item.answer.value > 0"), repeats=True,
            item=[an_item("n", "integer")],
        )
    )  # fmt: skip
    group = {"linkId": "g", "item": [answered("n", valueInteger=1)]}
    keys = within_a_second(form, a_response(*[group] * (MANY // 2)))
    assert keys == ["expression-too-costly"]


def test_one_expression_that_explodes_leaves_the_others_decided() -> None:
    form = a_form(
        an_item("a", "integer"),
        an_item("b", "integer", constraint("b-1", "answer.value > 1")),
        extension=[constraint("r-1", EXPLODING)],
    )
    items = [answered("a", valueInteger=n) for n in range(1)] + [answered("b", valueInteger=1)]
    rest = [{"linkId": "x"} for _ in range(2_000)]
    keys = within_a_second(form, a_response(*items, *rest))
    assert keys[0] == "expression-too-costly"
    assert "constraint-broken" in keys


def test_very_many_expressions_are_asked_as_far_as_a_check_may_go() -> None:
    items = [
        an_item(f"q{n}", "integer", constraint(f"k{n}", "%resource.descendants().count() > 0"))
        for n in range(400)
    ]
    answers = [answered(f"q{n}", valueInteger=1) for n in range(400)]
    keys = within_a_second(a_form(*items), a_response(*answers))
    assert set(keys) <= {"expression-too-costly"}


def test_a_chain_of_variables_ends() -> None:
    variables = [expression(CORE + "variable", "1", name="v0")]
    variables += [
        expression(CORE + "variable", f"%v{n - 1} + %v{n - 1}", name=f"v{n}")
        for n in range(1, 500)
    ]
    last = expression(SDC + "calculatedExpression", "%v499")
    form = a_form(an_item("a", "integer", last), extension=variables)
    keys = within_a_second(form, a_response(answered("a", valueInteger=1)))
    assert keys == ["expression-too-costly"]


def test_a_short_chain_of_variables_is_followed() -> None:
    variables = [expression(CORE + "variable", "1", name="v0")]
    variables += [
        expression(CORE + "variable", f"%v{n - 1} + %v{n - 1}", name=f"v{n}") for n in range(1, 20)
    ]
    last = expression(SDC + "calculatedExpression", "%v19")
    form = a_form(an_item("a", "integer", last), extension=variables)
    assert within_a_second(form, a_response(answered("a", valueInteger=2**19))) == []


def test_the_same_response_has_the_same_findings_each_time() -> None:
    form = compile_form(
        a_form(an_item("d", "date", UNTIL_TODAY), extension=[constraint("r", "%x")])
    )
    body = json.dumps(a_response(answered("d", valueDate="2027-01-01"))).encode()
    assert len({validate(form, decode(body)) for _ in range(3)}) == 1
