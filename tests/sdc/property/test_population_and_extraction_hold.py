"""Whatever a record holds, a filled form keeps its rules; what is answered becomes sound R4."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

import msgspec
import pytest
from fhir.resources.R4B import get_fhir_model_class

from fhir_service.catalogue.extraction_mappings import load_extraction_mappings
from fhir_service.sdc import Form, compile_form, decode, validate
from fhir_service.sdc.extraction import extract, read_concept_map
from fhir_service.sdc.keys import KEYS
from fhir_service.sdc.population import Context, Fetched, fill
from fhir_service.sdc.population.leaving_out import sound
from tests.support.cases import cases
from tests.support.hl7 import PACKAGE, resources
from tests.support.previsit_record import RECORD
from tests.support.spoiling import spoiled

ROOT = Path(__file__).parents[3]
PREVISIT = ROOT / "questionnaires" / "previsit-recurrent-breast" / "Questionnaire-1.0.0.json"
NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
KEPT = {"structure", "counts", "limits"}
RECORDS = 30
ANSWERS = 8

Json = Mapping[str, Any]

_encode = msgspec.json.Encoder(decimal_format="number").encode


@pytest.fixture(scope="module")
def previsit() -> dict[str, Any]:
    made: dict[str, Any] = json.loads(PREVISIT.read_text("utf-8"))
    return made


def _must_hold(form: Form, response: Json) -> None:
    read = decode(_encode(response))
    found = validate(form, read, now=NOW)
    broken = [
        one
        for one in found
        if one.verdict == "broken"
        and KEYS[one.key].family in KEPT
        and (one.key != "constraint-broken" or ".answer[" in str(one.expression))
    ]  # an invariant of a group or of the whole form may wait for what is not answered yet
    assert not broken
    assert response["status"] == "in-progress"


@pytest.mark.parametrize("seed", range(RECORDS))
def test_a_form_filled_from_any_record_keeps_its_rules(
    previsit: dict[str, Any], seed: int
) -> None:
    random = Random(seed)
    form = compile_form(previsit)
    contexts = [
        Context(name, (spoiled(random, one),))
        for name, one in RECORD.items()
        if random.random() < 0.9
    ]
    made = fill(form, now=NOW, subject="Patient/ada", contexts=contexts)
    _must_hold(form, sound(form, made, now=NOW).response)


@pytest.mark.parametrize(("document", "case"), cases("population"))
def test_the_forms_of_the_cases_keep_their_rules_too(document: Json, case: Json) -> None:
    form = compile_form({"resourceType": "Questionnaire", "status": "active", **document["form"]})
    random = Random(1)
    answers = case.get("answers")

    def fetch(text: str) -> Fetched:
        return Fetched(spoiled(random, (answers or {}).get(text, {"resourceType": "Bundle"})))

    for _ in range(5):
        contexts = [
            Context(name, tuple(spoiled(random, one) for one in each))
            for name, each in case["contexts"].items()
        ]
        made = fill(form, now=NOW, subject="Patient/ada", contexts=contexts, fetch=fetch)
        _must_hold(form, sound(form, made, now=NOW).response)


def _some_of_everything(random: Random) -> dict[str, Any]:
    """The example that answers every question, with a part of its answers."""
    example = PREVISIT.parent / "responses" / "everything.json"
    made: dict[str, Any] = json.loads(example.read_text("utf-8"), parse_float=Decimal)
    share = random.random()

    def some(items: list[Any]) -> list[Any]:
        kept = [one for one in items if random.random() < share or "item" in one]
        for one in kept:
            for name in ("item", "answer"):
                if name in one:
                    one[name] = some(one[name]) or one[name][:1]
        return kept

    return {**made, "id": "r1", "item": some(made["item"])}


@pytest.mark.parametrize("seed", range(ANSWERS))
def test_whatever_is_answered_becomes_sound_r4(previsit: dict[str, Any], seed: int) -> None:
    mapping = load_extraction_mappings(ROOT / "mappings" / "extraction")[previsit["url"]]
    conceptmap = ROOT / "questionnaires" / "conceptmaps" / "ConceptMap-previsit.json"
    concepts = read_concept_map(json.loads(conceptmap.read_text("utf-8")))
    response = _some_of_everything(Random(seed))
    form = compile_form(previsit)
    made = extract(form, response, recorded=NOW, mapping=mapping, concepts=concepts)
    for entry in made.bundle.get("entry", ()):
        resource = entry["resource"]
        get_fhir_model_class(resource["resourceType"]).model_validate(resource)
    assert not made.issues or [one.key for one in made.issues] == ["extract-nothing"]
    again = extract(form, response, recorded=NOW, mapping=mapping, concepts=concepts)
    assert _encode(again.bundle) == _encode(made.bundle)


@pytest.mark.skipif(not PACKAGE.is_dir(), reason="HL7's SDC package is not there")
def test_hl7s_own_forms_are_filled_and_extracted_without_a_fault() -> None:
    filled, taken_out = 0, 0
    responses = resources("QuestionnaireResponse")
    for raw in resources("Questionnaire").values():
        form = compile_form(raw)
        contexts = [Context("patient", (RECORD["patient"],))]
        made = fill(
            form,
            now=NOW,
            subject="Patient/ada",
            contexts=contexts,
            fetch=lambda _: Fetched({"resourceType": "Bundle", "type": "searchset"}),
        )
        kept = sound(form, made, now=NOW)
        _must_hold(form, kept.response)
        filled += "item" in kept.response
        for response in responses.values():
            if str(response.get("questionnaire", "")).partition("|")[0] == raw.get("url"):
                taken_out += "entry" in extract(form, response, recorded=NOW).bundle
    assert filled > 5
    assert taken_out > 0
