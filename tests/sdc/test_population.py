"""What is filled in of a form, out of which resource, and what is told instead."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from fhir_service.sdc import compile_form
from fhir_service.sdc.population import (
    ANSWER_SOURCE,
    Context,
    Fetched,
    NotFetched,
    fill,
    sources_of,
)
from fhir_service.sdc.population.leaving_out import sound
from tests.support.answers import walk_answers
from tests.support.cases import cases

NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
EHR = "https://ehr.example.org/fhir"

Json = Mapping[str, Any]


def filled(form: Json, case: Json) -> Any:
    """The population of a case, as the operation makes it."""
    whole = {"resourceType": "Questionnaire", "status": "active", **form}
    whole = {**whole, "item": [_with_text(one) for one in form["item"]]}
    answers = case.get("answers")

    def fetch(text: str) -> Fetched:
        if answers is None or text not in answers:
            raise NotFetched("not there")
        return Fetched(answers[text], EHR)

    compiled = compile_form(whole)
    made = fill(
        compiled,
        now=NOW,
        subject="Patient/ada",
        contexts=[Context(name, tuple(each)) for name, each in case["contexts"].items()],
        fetch=None if answers is None else fetch,
    )
    return sound(compiled, made, now=NOW)


def _with_text(item: Json) -> dict[str, Any]:
    made = {"text": str(item["linkId"]).upper(), **item}
    if "item" in item:
        made["item"] = [_with_text(one) for one in item["item"]]
    return made


def _plain(value: Any) -> Any:
    """Numbers as text, so that 70 and 70.0 can be told apart from nothing but each other."""
    if isinstance(value, dict):
        return {name: _plain(one) for name, one in value.items()}
    return str(value) if isinstance(value, int | Decimal) and value not in (True, False) else value


def _sources(answer: Json) -> list[str]:
    (own,) = [one for one in answer["extension"] if one["url"] == ANSWER_SOURCE]
    return [
        one["valueReference"]["reference"] for one in own["extension"] if one["url"] == "source"
    ]


@pytest.mark.parametrize(("document", "case"), cases("population"))
def test_a_form_is_filled_with_what_is_known(document: Json, case: Json) -> None:
    made = filled(document["form"], case)
    found: dict[str, list[Any]] = {}
    sources: dict[str, list[str]] = {}
    for link_id, answer in walk_answers(made.response):
        (value,) = [one for name, one in answer.items() if name.startswith("value")]
        found.setdefault(link_id, []).append(_plain(value))
        sources.setdefault(link_id, []).extend(_sources(answer))
    expected = {name: [_plain(one) for one in each] for name, each in case["expected"].items()}
    assert found == expected
    assert [one.key for one in made.issues] == case["issues"], made.issues
    assert {one.severity for one in made.issues} <= {"warning"}
    for link_id, told in case.get("sources", {}).items():
        assert sources[link_id] == told


def test_every_source_that_an_answer_names_is_found_again() -> None:
    document, case = cases("population", "x_fhir_query.json")[0].values
    made = filled(document["form"], case)
    assert sources_of(made.response) == [f"{EHR}/Condition/c1", f"{EHR}/Practitioner/doe"]
    assert made.response["status"] == "in-progress"
    assert made.response["authored"] == "2026-11-25T12:00:00+00:00"
