from __future__ import annotations

import json
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from fhir_service.fhir.issues import operation_outcome
from fhir_service.fhir.reading import read_json
from fhir_service.sdc.form_keys import FORM_KEYS
from fhir_service.sdc.form_rules import (
    MOST_FINDINGS,
    MOST_ITEMS,
    MOST_PARTS,
    check_questionnaire,
)
from tests.support.cases import cases
from tests.support.cpu import within

FORMS = sorted(Path("questionnaires").glob("*/Questionnaire-*.json"))
ALGORITHM = {
    "url": "http://hl7.org/fhir/StructureDefinition/artifact-versionAlgorithm",
    "valueCoding": {"system": "http://hl7.org/fhir/version-algorithm", "code": "semver"},
}
SECONDS_OF_CPU = 1.0


class Others:
    """Knows the forms and value sets that a case brings, by canonical."""

    def __init__(self, known: Mapping[str, Any]) -> None:
        self._known = known

    def value_set(self, canonical: str, within: Mapping[str, Any]) -> Mapping[str, Any] | None:
        return self._known.get(canonical)

    def questionnaire(self, canonical: str) -> Mapping[str, Any] | None:
        return self._known.get(canonical)


def worded(items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The same items, each with a text."""
    return [
        {
            "text": "?",
            **item,
            **({"item": worded(item["item"])} if "item" in item else {}),
        }
        for item in items
    ]


def a_form(items: list[dict[str, Any]], **members: Any) -> dict[str, Any]:
    form = {
        "resourceType": "Questionnaire",
        "extension": [ALGORITHM],
        "url": "http://example.org/form",
        "version": "1.0.0",
        "status": "draft",
        "item": items,
        **members,
    }
    kept = {name: value for name, value in form.items() if value not in (None, [])}
    return read_json(json.dumps(kept, default=str).encode())


def findings(case: Mapping[str, Any]) -> list[list[Any]]:
    items = case["items"] if case.get("wordless") else worded(case["items"])
    form = case.get("form", {})
    if form.get("extension"):
        form = {**form, "extension": [ALGORITHM, *form["extension"]]}
    known = Others(case["known"]) if "known" in case else None
    found = check_questionnaire(a_form(items, **form), known)
    return [[issue.key, issue.severity, issue.expression] for issue in found]


@pytest.mark.parametrize(("document", "case"), cases("form_rules"))
def test_a_form_has_the_findings_that_its_items_make(
    document: dict[str, Any], case: dict[str, Any]
) -> None:
    assert findings(case) == case["findings"]


def test_every_key_of_a_form_has_a_case_that_makes_it_and_one_that_just_does_not() -> None:
    made: dict[str, bool] = dict.fromkeys(FORM_KEYS, False)
    beside: dict[str, bool] = dict.fromkeys(FORM_KEYS, False)
    by_file: dict[str, list[set[str]]] = {}
    for family in ("form_rules", "form_lints"):
        for each in cases(family):
            document, case = each.values
            keys = {finding[0] for finding in case["findings"]}
            by_file.setdefault(document["says"], []).append(keys)
    for each_file in by_file.values():
        for key in set().union(*each_file) & FORM_KEYS.keys():
            made[key] = True
            beside[key] |= any(key not in keys for keys in each_file)
    by_hand = {"items-too-deep", "form-too-many-items", "form-too-many-options"}
    assert {key for key in FORM_KEYS if not made[key]} == by_hand
    assert {key for key in FORM_KEYS if not beside[key]} == by_hand


@pytest.mark.parametrize("path", FORMS, ids=lambda path: path.parent.name)
def test_a_shipped_form_has_no_finding(path: Path) -> None:
    assert check_questionnaire(read_json(path.read_bytes())) == ()


def test_a_finding_that_bars_an_offer_says_so_besides_its_own_key() -> None:
    form = a_form(worded([{"linkId": "a", "type": "choice"}]))
    (issue,) = operation_outcome(check_questionnaire(form))["issue"]
    codes = [coding["code"] for coding in issue["details"]["coding"]]
    assert codes == ["form-choice-empty", "blocks-offer"]
    assert issue["severity"] == "warning"


def nested(levels: int) -> list[dict[str, Any]]:
    item: dict[str, Any] = {"linkId": "a", "type": "string", "text": "?"}
    for level in range(levels - 1):
        item = {"linkId": f"g{level}", "type": "group", "item": [item]}
    return [item]


def test_items_nested_too_deep_are_refused() -> None:
    assert check_questionnaire(a_form(nested(32))) == ()
    found = check_questionnaire(a_form(nested(33)))
    assert [issue.key for issue in found] == ["items-too-deep"]


def test_a_tree_of_5000_levels_is_answered_at_once() -> None:
    form = {"resourceType": "Questionnaire", "status": "draft", "item": nested(5_000)}
    found = within(SECONDS_OF_CPU, partial(check_questionnaire, form))
    assert [issue.key for issue in found] == ["items-too-deep"]


def circle(count: int) -> list[dict[str, Any]]:
    """Booleans of which each is shown by the one before it, and the first by the last."""
    return [
        {
            "linkId": f"a{number}",
            "type": "boolean",
            "text": "?",
            "enableWhen": [
                {
                    "question": f"a{(number - 1) % count}",
                    "operator": "=",
                    "answerBoolean": True,
                }
            ],
        }
        for number in range(count)
    ]


def test_the_largest_form_is_checked_within_a_second_and_a_larger_one_refused() -> None:
    for count, key in ((MOST_ITEMS, "form-circle-conditions"), (10_000, "form-too-many-items")):
        form = a_form(circle(count))
        check_questionnaire(a_form(circle(2)))  # the models are imported once
        found = within(SECONDS_OF_CPU, partial(check_questionnaire, form))
        assert found[0].key == key


def test_too_many_options_are_told() -> None:
    for count, keys in ((MOST_PARTS, []), (MOST_PARTS + 1, ["form-too-many-options"])):
        options = [{"valueString": str(number)} for number in range(count)]
        item = {"linkId": "a", "type": "string", "text": "?", "answerOption": options}
        assert [issue.key for issue in check_questionnaire(a_form([item]))] == keys


def test_of_very_many_findings_the_errors_are_told() -> None:
    items: list[dict[str, Any]] = [{"linkId": f"c{n}", "type": "choice"} for n in range(400)]
    items += [{"linkId": "g", "type": "group"}]
    found = check_questionnaire(a_form(items))
    assert found[0].key == "form-group-empty"
    assert found[-1].key == "more-findings"
    assert len(found) == MOST_FINDINGS + 1


def test_very_many_variables_and_expressions_cost_a_second_at_most() -> None:
    def expression(url: str, text: str, name: str | None = None) -> dict[str, Any]:
        told = {"language": "text/fhirpath", "expression": text}
        named = {"name": name, **told} if name else told
        return {"url": url, "valueExpression": named}

    core = "http://hl7.org/fhir/StructureDefinition/"
    sdc = "http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire-"
    variables = [expression(f"{core}variable", "1", "v0")]
    variables += [
        expression(f"{core}variable", f"%v{number - 1} + 1", f"v{number}")
        for number in range(1, 300)
    ]
    items = [
        {
            "linkId": f"a{number}",
            "type": "integer",
            "text": "?",
            "extension": [expression(f"{sdc}calculatedExpression", "%v299 + 1")],
        }
        for number in range(1_000)
    ]
    form = a_form(items, extension=[ALGORITHM, *variables])
    assert within(SECONDS_OF_CPU, partial(check_questionnaire, form)) == ()


def test_very_many_conditions_on_very_many_options_cost_a_second_at_most() -> None:
    options = [{"valueCoding": {"code": str(n), "display": "x"}} for n in range(2_500)]
    asked = {"question": "a", "operator": "=", "answerCoding": {"code": "2499"}}
    items: list[dict[str, Any]] = [
        {"linkId": "a", "type": "choice", "text": "?", "answerOption": options},
        {"linkId": "b", "type": "string", "text": "?", "enableBehavior": "any"},
    ]
    items[1]["enableWhen"] = [asked] * 2_500
    form = a_form(items)
    found = within(SECONDS_OF_CPU, partial(check_questionnaire, form))
    assert {issue.key for issue in found} == {"form-option-system", "more-findings"}
