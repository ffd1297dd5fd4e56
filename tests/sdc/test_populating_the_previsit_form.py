"""The pre-visit form is filled with medicines, treatments, last answers, and nothing else."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from fhir_service.sdc import Form, compile_form
from fhir_service.sdc.population import ANSWER_SOURCE, Context, Filled, fill
from fhir_service.sdc.population.leaving_out import sound
from tests.support.answers import walk_answers
from tests.support.previsit_record import RECORD

ROOT = Path(__file__).parents[2] / "questionnaires" / "previsit-recurrent-breast"
NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def form() -> Form:
    return compile_form(json.loads((ROOT / "Questionnaire-1.0.0.json").read_text("utf-8")))


def _filled(form: Form, record: Mapping[str, Any]) -> Filled:
    contexts = [Context(name, (resource,)) for name, resource in record.items()]
    made = fill(form, now=NOW, subject="Patient/ada", contexts=contexts)
    return sound(form, made, now=NOW)


def _plain(filled: Filled) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {}
    for link_id, answer in walk_answers(filled.response):
        (value,) = [one for name, one in answer.items() if name.startswith("value")]
        found.setdefault(link_id, []).append(value["code"] if isinstance(value, dict) else value)
    return found


def test_what_the_record_knows_is_filled_in(form: Form) -> None:
    made = _filled(form, RECORD)
    assert _plain(made) == {
        "first-found": ["2019-03-12"],
        "first-side": ["side-left"],
        "treatments-had": ["tx-lumpectomy", "tx-radiation", "tx-hormone", "tx-chemo"],
        "radiation-where": ["radiation-breast"],
        "hormone-status": ["hormone-taking"],
        "drugs-had": ["72965", "10324"],
        "spread-known": ["no"],
        "tests-so-far": ["test-mammogram"],
        "other-conditions": ["condition-high-blood-pressure"],
        "takes-any": [True],
        "medicine-name": ["Letrozole", "Metformin", "Vitamin D"],
        "medicine-kind": ["med-prescription", "med-prescription"],
        "medicine-dose": ["1 pill a day", "1 pill a day", "1000 units"],
        "medicine-reason": ["why she takes Letrozole", "why she takes Metformin"],
        "interpreter": [True],
        "interpreter-language": ["Spanish"],
    }
    assert made.issues == ()


def test_each_answer_names_what_it_came_from(form: Form) -> None:
    sources: dict[str, list[list[str]]] = {}
    for link_id, answer in walk_answers(_filled(form, RECORD).response):
        (own,) = [one for one in answer["extension"] if one["url"] == ANSWER_SOURCE]
        named = [one["valueReference"]["reference"] for one in own["extension"][1:]]
        sources.setdefault(link_id, []).append(named)
    assert sources["medicine-name"] == [
        ["MedicationRequest/m1"],
        ["MedicationRequest/m2"],
        ["MedicationStatement/s1"],
    ]
    assert sources["spread-known"] == [["QuestionnaireResponse/q1"]]
    assert sources["treatments-had"][-1] == ["QuestionnaireResponse/q1"]  # the chemo of last time
    assert "Procedure/p1" in sources["treatments-had"][0]


def test_an_empty_record_fills_nothing_and_says_nothing_is_not(form: Form) -> None:
    empty = {"resourceType": "Bundle", "type": "searchset"}
    record = {name: empty for name in RECORD if name != "patient"}
    made = _filled(form, {**record, "patient": {"resourceType": "Patient", "id": "ada"}})
    assert "item" not in made.response


@pytest.mark.parametrize("missing", [name for name in RECORD if name != "patient"])
def test_one_query_that_fails_takes_away_only_its_own(form: Form, missing: str) -> None:
    made = _filled(form, {name: one for name, one in RECORD.items() if name != missing})
    whole = _plain(_filled(form, RECORD))
    left = _plain(made)
    assert len(left) > len(whole) // 2
    assert all(set(map(str, left[name])) <= set(map(str, whole[name])) for name in left)
    assert [one.key for one in made.issues] == ["populate-not-fetched"]


def test_symptoms_safety_mood_goals_and_questions_are_never_filled(form: Form) -> None:
    """content.md 8.2"""
    never = {"welcome", "safety", "symptoms", "how-you-feel", "goals", "mood", "finish"}
    raw = form.questionnaire
    asked = {
        item["linkId"]
        for item in raw["item"]
        if '"sdc-questionnaire-initialExpression"'
        in json.dumps(item).replace("http://hl7.org/fhir/uv/sdc/StructureDefinition/", "")
    }
    assert not asked & never
    assert asked == {"cancer-history", "other-health", "medicines", "visit-help"}
