from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from fhir_service.fhir.reading import read_json
from fhir_service.sdc.form_rules import check_questionnaire
from tests.support.cases import cases

FORMS = sorted(Path("questionnaires").glob("*/Questionnaire-*.json"))


def a_form(items: list[dict[str, Any]]) -> dict[str, Any]:
    form = {
        "resourceType": "Questionnaire",
        "url": "http://example.org/form",
        "status": "draft",
        "item": items,
    }
    return read_json(json.dumps(form, default=str).encode())


@pytest.mark.parametrize(("document", "case"), cases("form_rules"))
def test_a_form_has_the_findings_that_its_items_make(
    document: dict[str, Any], case: dict[str, Any]
) -> None:
    found = check_questionnaire(a_form(case["items"]))
    told = [[issue.key, issue.severity, issue.expression] for issue in found]
    assert told[: max(1, len(case["findings"]))] == case["findings"]


@pytest.mark.parametrize("path", FORMS, ids=lambda path: path.parent.name)
def test_a_shipped_form_has_no_finding(path: Path) -> None:
    assert check_questionnaire(read_json(path.read_bytes())) == ()


def test_a_form_without_address_is_not_offered() -> None:
    form = a_form([{"linkId": "a", "type": "string"}])
    del form["url"]
    assert [issue.key for issue in check_questionnaire(form)] == ["blocks-offer"]


def test_items_nested_too_deep_are_refused() -> None:
    item: dict[str, Any] = {"linkId": "a", "type": "string"}
    for level in range(33):
        item = {"linkId": f"g{level}", "type": "group", "item": [item]}
    assert "items-too-deep" in {issue.key for issue in check_questionnaire(a_form([item]))}
