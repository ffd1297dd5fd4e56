"""Whatever a form names is there: codes, linkIds, sources of conditions.

http://hl7.org/fhir/R4/questionnaire.html
"""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

import pytest

from tests.support.forms import (
    CODE_SYSTEM,
    CORE,
    FORMS,
    ROOT,
    form,
    has_extension,
    items,
    items_of_all_forms,
    options,
    read,
    strings,
)

LOCAL = {
    one["code"]: one for one in read(ROOT / "codesystems/CodeSystem-previsit.json")["concept"]
}
EXCLUSIVE = CORE + "questionnaire-optionExclusive"


def test_a_link_id_is_unique_over_all_forms() -> None:
    counted = Counter(item["linkId"] for id_ in FORMS for item in items(form(id_)))
    assert [link_id for link_id, times in counted.items() if times > 1] == []
    assert all(re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", link_id) for link_id in counted)


def test_every_local_code_of_an_option_is_in_the_code_system_with_the_same_words() -> None:
    for item in items_of_all_forms().values():
        for coding in options(item):
            if coding["system"] == CODE_SYSTEM:
                assert LOCAL[coding["code"]]["display"] == coding["display"]


def test_every_local_code_of_an_item_is_in_the_code_system() -> None:
    codes = [code for item in items_of_all_forms().values() for code in item.get("code", ())]
    assert {one["code"] for one in codes if one["system"] == CODE_SYSTEM} <= LOCAL.keys()


def test_the_code_system_counts_its_codes_and_names_each_once() -> None:
    system = read(ROOT / "codesystems/CodeSystem-previsit.json")
    assert system["count"] == len(system["concept"]) == len(LOCAL)


@pytest.mark.parametrize("id_", FORMS)
def test_a_condition_asks_an_earlier_item_for_something_that_it_can_answer(id_: str) -> None:
    seen: dict[str, dict[str, Any]] = {}
    for item in items(form(id_)):
        conditions = item.get("enableWhen", ())
        for condition in conditions:
            source = seen[condition["question"]]
            assert fits(condition, source), (item["linkId"], condition)
        if len(conditions) > 1:
            assert item["enableBehavior"] in {"any", "all"}
        seen[item["linkId"]] = item


def fits(condition: dict[str, Any], source: dict[str, Any]) -> bool:
    """Whether the value that a condition compares with is one that its source can have."""
    if condition["operator"] == "exists":
        return isinstance(condition["answerBoolean"], bool)
    if source["type"] == "choice":
        asked = condition["answerCoding"]
        return any(
            (one["system"], one["code"], one["display"])
            == (asked["system"], asked["code"], asked["display"])
            for one in options(source)
        )
    return {"boolean": "answerBoolean", "integer": "answerInteger"}[source["type"]] in condition


def test_every_link_id_in_an_expression_exists() -> None:
    known = items_of_all_forms()
    systems = [read(ROOT / "codesystems/CodeSystem-previsit.json")]
    for text in strings([*(form(id_) for id_ in FORMS), *systems]):
        for link_id in re.findall(r"linkId='([^']+)'", text):
            assert link_id in known


def test_an_option_that_excludes_the_others_is_the_last_of_a_question_that_repeats() -> None:
    found = []
    for item in items_of_all_forms().values():
        alone = [has_extension(one, EXCLUSIVE) for one in item.get("answerOption", ())]
        if any(alone):
            found.append(item["linkId"])
            assert item["repeats"] is True
            assert alone == [False] * (len(alone) - 1) + [True], item["linkId"]
    assert len(found) == 12


def test_every_none_of_a_repeating_question_excludes_the_others() -> None:
    for item in items_of_all_forms().values():
        if not item.get("repeats"):
            continue
        for one in item.get("answerOption", ()):
            if re.search(r"(^|-)(none|no)(-|$)", one["valueCoding"]["code"]):
                allowed = {"vomiting-no-fluids"}
                code = one["valueCoding"]["code"]
                assert has_extension(one, EXCLUSIVE) or code in allowed


def test_an_item_with_an_answer_expression_has_no_list_besides() -> None:
    expression = (
        "http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire-answerExpression"
    )
    found = [one for one in items_of_all_forms().values() if has_extension(one, expression)]
    assert {one["linkId"] for one in found} == {
        "symptom-which",
        "top-question-1",
        "top-question-2",
        "top-question-3",
    }
    assert not any(one.keys() & {"answerOption", "answerValueSet"} for one in found)


def test_only_the_patient_herself_is_asked_for_the_instruments() -> None:
    known = items_of_all_forms()
    for link_id in ("phq4", "self-harm-intro", "self-harm"):
        codes = {one["answerCoding"]["code"] for one in known[link_id]["enableWhen"]}
        assert codes == {"respondent-patient", "respondent-helped"}
        assert known[link_id]["enableBehavior"] == "any"
    assert "self-harm" not in {item["linkId"] for item in items(known["phq4"])}


def test_every_sign_of_the_safety_check_shows_a_message_at_once() -> None:
    known = items_of_all_forms()
    shown = {
        condition["answerCoding"]["code"]
        for item in known.values()
        if item["linkId"].startswith("safety-message") or item["linkId"] == "safety-fever"
        for condition in item["enableWhen"]
        if condition["question"] == "safety-now"
    }
    assert shown == {one["code"] for one in options(known["safety-now"])} - {"none-of-these"}


def test_the_fever_message_is_shown_while_the_drug_question_is_not_answered() -> None:
    item = items_of_all_forms()["safety-message-fever-now"]
    assert item["enableBehavior"] == "any"
    assert {
        "question": "cancer-drug-recent",
        "operator": "exists",
        "answerBoolean": False,
    } in item["enableWhen"]


def test_every_answer_of_the_instruments_has_its_weight_in_both_extensions() -> None:
    known = items_of_all_forms()
    for link_id in ("gad2-nervous", "gad2-worry", "phq2-interest", "phq2-down"):
        weights = [
            {one["url"]: one["valueDecimal"] for one in coding["extension"]}
            for coding in options(known[link_id])
        ]
        assert weights == [{CORE + "ordinalValue": n, CORE + "itemWeight": n} for n in range(4)]


def test_every_code_of_the_map_and_of_the_value_sets_is_in_the_code_system() -> None:
    groups = read(ROOT / "conceptmaps/ConceptMap-previsit.json")["group"]
    assert {one["code"] for group in groups for one in group["element"]} <= LOCAL.keys()
    for path in (ROOT / "valuesets").glob("*.json"):
        for include in read(path)["compose"]["include"]:
            if include["system"] == CODE_SYSTEM:
                assert {one["code"] for one in include.get("concept", ())} <= LOCAL.keys()


def test_a_map_that_is_narrower_or_inexact_says_why() -> None:
    """Invariant cmd-1. http://hl7.org/fhir/R4/conceptmap.html#invs"""
    groups = read(ROOT / "conceptmaps/ConceptMap-previsit.json")["group"]
    targets = [t for group in groups for element in group["element"] for t in element["target"]]
    loose = [one for one in targets if one["equivalence"] in {"narrower", "inexact"}]
    assert loose
    assert all(one["comment"] for one in loose)


def test_a_group_that_holds_a_required_question_is_required_itself() -> None:
    """Else leaving out the whole group would leave out the question.

    http://hl7.org/fhir/R4/questionnaire-definitions.html#Questionnaire.item.required
    """
    for id_ in FORMS:
        for item in items(form(id_)):
            if item["type"] == "group" and not item.get("repeats"):
                demands = any(one.get("required") for one in item["item"])
                assert item.get("required", False) == demands, item["linkId"]
