from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhir_service.fhir.canonical import Canonical, read_canonical
from fhir_service.fhir.issues import NotUnderstood
from fhir_service.fhir.places import place
from fhir_service.fhir.reading import read_json, read_stored
from fhir_service.fhir.resources import check_resource


def keys(body: bytes, **options: Any) -> list[tuple[str, str | None]]:
    with pytest.raises(NotUnderstood) as refusal:
        read_json(body, **options)
    return [(issue.key, issue.expression) for issue in refusal.value.issues]


def test_decimals_keep_their_digits_and_integers_stay_integers() -> None:
    read = read_json(b'{"a":1.50,"b":100,"c":12345678901234567890123,"d":1E2}')
    assert {name: str(value) for name, value in read.items()} == {
        "a": "1.50", "b": "100", "c": "12345678901234567890123", "d": "1E+2"
    }  # fmt: skip
    assert isinstance(read["a"], Decimal)
    assert isinstance(read["b"], int)


@pytest.mark.parametrize("number", ["0", "-0", "-0.0", "1.50", "1E2", "-7", "123456789012345678"])
@pytest.mark.parametrize("blank", ["", " ", "\n"])
def test_what_is_stored_is_read_as_it_was_when_it_came_in(number: str, blank: str) -> None:
    body = f'{{"a":{blank}{number},"b":"2026-01-05 -0"}}'.encode()
    first, again = read_json(body), read_stored(body)
    assert str(again["a"]) == str(first["a"])
    assert type(again["a"]) is type(first["a"])


def test_all_findings_are_told_with_their_places() -> None:
    body = b'{"resourceType":"X","a":null,"b":[{"c":" "},{"d":{}}],"_e":[null,{"id":"x"}],"a":1}'
    assert keys(body) == [
        ("json-duplicate-key", "X"),
        ("json-blank-string", "X.b[0].c"),
        ("json-empty", "X.b[1].d"),
    ]


def test_a_document_may_be_as_deep_as_the_limit_and_no_deeper() -> None:
    three = b'{"a":[{"b":1}]}'
    assert read_json(three, max_depth=3) == {"a": [{"b": 1}]}
    assert keys(three, max_depth=2) == [("json-too-deep", None)]


def test_what_is_too_deep_is_not_hidden_by_the_same_property_behind_it() -> None:
    body = b'{"a":' + b"[" * 1020 + b"1" + b"]" * 1020 + b',"a":1}'
    assert keys(body) == [("json-too-deep", None)]


def test_many_findings_end_with_a_word_that_there_are_more() -> None:
    body = b'{"a":[' + b",".join([b'{"b":null}'] * 5000) + b"]}"
    found = keys(body)
    assert len(found) == 101
    assert found[-1][0] == "more-findings"


@given(st.binary(max_size=200))
def test_bytes_are_read_or_refused_and_nothing_else_happens(body: bytes) -> None:
    try:
        read_json(body)
    except NotUnderstood as refusal:
        assert refusal.issues  # noqa: PT017


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("http://example.org/q|1#a", Canonical("http://example.org/q", "1", "a")),
        ("http://example.org/q", Canonical("http://example.org/q")),
        ("#vs", Canonical("", None, "vs")),
        ("http://example.org/q|1|2", None),
        ("http://example.org/a b", None),
        ("|1", None),
        ("", None),
    ],
)
def test_a_canonical_is_read_in_its_parts(text: str, expected: Canonical | None) -> None:
    read = read_canonical(text)
    assert read == expected
    if read is not None:
        assert read.text() == text


def test_a_place_names_a_choice_by_its_element() -> None:
    assert place("Q", ["item", 0, "answer", 1, "valueCoding", "_display"]) == (
        "Q.item[0].answer[1].value.display"
    )
    assert place("Q", ["answerOption", 0, "answerValueSet"]) == "Q.answerOption[0].answerValueSet"


@pytest.mark.parametrize(
    ("resource", "expected"),
    [
        ({"resourceType": "Patient", "id": "ada-example", "active": True}, []),
        ({"resourceType": "Patient", "active": "true"}, [("value-malformed", "Patient.active")]),
        ({"resourceType": "Patient", "gender": "f"}, [("code-unknown", "Patient.gender")]),
        ({"resourceType": "Patient", "id": "a" * 65}, [("value-malformed", "Patient.id")]),
        ({"resourceType": "ValueSet"}, [("element-missing", "ValueSet.status")]),
        ({"resourceType": "Banana"}, [("resource-type", "resourceType")]),
        ({"resourceType": ["Patient"]}, [("resource-type", "resourceType")]),
        ({}, [("resource-type", "resourceType")]),
        (
            {"resourceType": "Patient", "contained": [{"resourceType": "Nothing", "id": "a"}, {}]},
            [
                ("contained-without-type", "Patient.contained[1]"),
                ("contained-without-id", "Patient.contained[1]"),
            ],
        ),
    ],
)
def test_a_resource_has_the_findings_of_its_structure(
    resource: dict[str, Any], expected: list[tuple[str, str]]
) -> None:
    assert [(issue.key, issue.expression) for issue in check_resource(resource)] == expected
