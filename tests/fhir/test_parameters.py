"""Parameters read with their types checked: http://hl7.org/fhir/R4/parameters.html"""

from __future__ import annotations

from typing import Any

import pytest

from fhir_service.fhir.issues import NotUnderstood
from fhir_service.fhir.parameters import (
    Accepts,
    from_query,
    parameter,
    parameters,
    parts,
    read_parameters,
)

ACCEPTS = {
    "url": Accepts("uri"),
    "count": Accepts("integer"),
    "activeOnly": Accepts("boolean"),
    "coding": Accepts("Coding"),
    "property": Accepts("code", many=True),
    "valueSet": Accepts("resource"),
}


def a_body(*entries: Any) -> dict[str, Any]:
    return {"resourceType": "Parameters", "parameter": list(entries)}


def test_values_are_read_by_name_and_lists_where_a_name_may_come_often() -> None:
    body = parameters(
        parameter("url", "uri", "https://example.org/v"),
        parameter("count", "integer", 3),
        parameter("property", "code", "a"),
        None,
        parameter("property", "code", "b"),
        parameter("valueSet", "resource", {"resourceType": "ValueSet"}),
    )
    assert read_parameters(body, ACCEPTS) == {
        "url": "https://example.org/v",
        "count": 3,
        "property": ["a", "b"],
        "valueSet": {"resourceType": "ValueSet"},
    }


def test_kinds_of_text_are_taken_for_each_other() -> None:
    body = a_body({"name": "url", "valueCanonical": "https://example.org/v"})
    assert read_parameters(body, ACCEPTS) == {"url": "https://example.org/v"}


def test_no_parameters_at_all_are_no_error() -> None:
    assert read_parameters({"resourceType": "Parameters"}, ACCEPTS) == {}
    assert parameters() == {"resourceType": "Parameters"}


@pytest.mark.parametrize(
    ("body", "at"),
    [
        ([], "Parameters"),
        ({"resourceType": "Patient"}, "Parameters"),
        ({"resourceType": "Parameters", "parameter": {}}, "Parameters.parameter"),
        (a_body("url"), "Parameters.parameter[0]"),
        (a_body({"valueUri": "x"}), "Parameters.parameter[0]"),
        (a_body({"name": "other", "valueUri": "x"}), "Parameters.parameter[0]"),
        (a_body({"name": "url"}), "Parameters.parameter[0]"),
        (a_body({"name": "url", "valueUri": "x", "valueCode": "x"}), "Parameters.parameter[0]"),
        (a_body({"name": "url", "valueUri": 1}), "Parameters.parameter[0]"),
        (a_body({"name": "url", "valueUri": " "}), "Parameters.parameter[0]"),
        (a_body({"name": "count", "valueString": "3"}), "Parameters.parameter[0]"),
        (a_body({"name": "count", "valueInteger": True}), "Parameters.parameter[0]"),
        (a_body({"name": "activeOnly", "valueBoolean": "true"}), "Parameters.parameter[0]"),
        (a_body({"name": "coding", "valueCoding": "red"}), "Parameters.parameter[0]"),
        (a_body(*[{"name": "url", "valueUri": "x"}] * 2), "Parameters.parameter[1]"),
    ],
)
def test_what_does_not_fit_is_refused_with_its_place(body: Any, at: str) -> None:
    with pytest.raises(NotUnderstood) as refusal:
        read_parameters(body, ACCEPTS)
    assert refusal.value.issues[0].expression == at


def test_everything_that_does_not_fit_is_told_at_once() -> None:
    with pytest.raises(NotUnderstood) as refusal:
        read_parameters(a_body({"name": "url", "valueUri": 1}, {"name": "other"}), ACCEPTS)
    assert [issue.code for issue in refusal.value.issues] == ["value", "not-supported"]


def test_a_query_string_becomes_parameters() -> None:
    pairs = [
        ("url", "x"),
        ("count", "3"),
        ("activeOnly", "true"),
        ("_format", "json"),
        ("property", ""),
    ]
    assert from_query(pairs, ACCEPTS) == a_body(
        {"name": "url", "valueUri": "x"},
        {"name": "count", "valueInteger": 3},
        {"name": "activeOnly", "valueBoolean": True},
    )


@pytest.mark.parametrize(
    "pair",
    [("other", "x"), ("count", "3.0"), ("count", "many"), ("activeOnly", "1"), ("coding", "a|b")],
)
def test_a_query_that_does_not_fit_is_refused(pair: tuple[str, str]) -> None:
    with pytest.raises(NotUnderstood) as refusal:
        from_query([pair], ACCEPTS)
    assert refusal.value.issues[0].expression == pair[0]


def test_an_answer_may_have_parts() -> None:
    made = parts("property", parameter("code", "code", "warmth"), None)
    assert made == {"name": "property", "part": [{"name": "code", "valueCode": "warmth"}]}
