"""A form is told in words, item by item.

http://hl7.org/fhir/R4/questionnaire.html
"""

from __future__ import annotations

from typing import Any

import pytest

from fhir_service.catalogue.outline import outline
from tests.support.cases import cases
from tests.support.forms import FORMS, form, items, options


@pytest.mark.parametrize(("document", "case"), cases("outline"))
def test_an_item_is_told(document: dict[str, Any], case: dict[str, Any]) -> None:
    told = outline({"resourceType": "Questionnaire", "item": [case["item"]]})
    assert told.split("\n\n", maxsplit=1)[1] == "\n".join(case["lines"]) + "\n"


def test_a_form_is_told_with_its_title_canonical_status_and_languages() -> None:
    head = outline(form("coping-support")).splitlines()[:5]
    assert head == [
        "Coping and support",
        "https://fhir-service.example.org/fhir/Questionnaire/coping-support|1.0.0",
        "active, 2026-11-22",
        "Languages: en, es",
        "Optional list: what is hard, who helps, what support the patient wants.",
    ]


def test_a_form_with_nothing_but_its_type_is_told_too() -> None:
    assert outline({"resourceType": "Questionnaire", "status": "draft"}).endswith(
        "draft, without date\nLanguages: not said\n"
    )


@pytest.mark.parametrize("id_", FORMS)
def test_every_item_and_option_of_a_form_is_in_its_outline(id_: str) -> None:
    told = outline(form(id_))
    for item in items(form(id_)):
        assert f"{item['linkId']}: {item['type']}" in told
        assert f'"{item["text"]}"' in told
        for one in options(item):
            assert f"- {one['display']} [{one['code']}]" in told
