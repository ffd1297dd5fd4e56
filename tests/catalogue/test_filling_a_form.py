"""What a site fills into a form when it publishes it, and what never leaves the service.

https://semver.org/#spec-item-10
"""

from __future__ import annotations

import json
import time
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from fhir_service.catalogue.placeholders import Site, fill_text
from fhir_service.catalogue.questionnaires import fill, form_templates, shipped
from fhir_service.catalogue.shipped import folder
from fhir_service.fhir.resources import check_resource
from fhir_service.sdc.form_rules import check_questionnaire
from tests.support.cases import cases
from tests.support.forms import ROOT, form, items, published_files, spanish, strings

PREVISIT = ROOT / "previsit-recurrent-breast/Questionnaire-1.0.0.json"
QUESTIONS = ROOT / "doctor-questions/Questionnaire-1.0.0.json"
SITES = [(None, None), ("555-0100", None), (None, "Dr. Ida Example"), ("555-0100", "Dr. Example")]


@pytest.mark.parametrize(("document", "case"), cases("placeholders"))
def test_a_sentence_is_filled(document: dict[str, Any], case: dict[str, Any]) -> None:
    site = Site.of(case.get("phone"), case.get("doctor"))
    assert fill_text(case["text"], case["language"], site) == case["filled"]


@pytest.mark.parametrize(("phone", "doctor"), SITES)
def test_no_brace_leaves_the_service_but_in_an_expression(
    phone: str | None, doctor: str | None
) -> None:
    for one in shipped(phone, doctor):
        said = without_expressions(json.loads(one.body))
        assert not [text for text in strings(said) if "{" in text or "}" in text]


def without_expressions(value: Any) -> Any:
    """The same without the texts of expressions and queries, where braces mean something else."""
    if isinstance(value, list):
        return [without_expressions(one) for one in value]
    if isinstance(value, dict):
        return {
            name: without_expressions(one)
            for name, one in value.items()
            if not (name == "expression" and "language" in value)
        }
    return value


def test_a_site_that_sets_nothing_publishes_the_version_of_the_template() -> None:
    for path in form_templates():
        filled = json.loads(fill(path.read_bytes(), None, "  "))
        assert filled["version"] == "1.0.0"


def test_each_language_gets_its_own_words() -> None:
    filled = json.loads(fill(PREVISIT.read_bytes(), None, None))
    item = next(one for one in items(filled) if one["linkId"] == "welcome-not-watched")
    assert item["text"].endswith("call the number your clinic gave you.")
    assert (spanish(item, "text") or "").endswith("llame al número que le dio su clínica.")


def test_a_filled_form_says_the_same_as_its_template_but_for_the_placeholders() -> None:
    filled = json.loads(fill(PREVISIT.read_bytes(), None, None))
    template = form("previsit-recurrent-breast")
    pairs = list(zip(strings(template), strings(filled), strict=True))
    assert any(before != after for before, after in pairs)
    assert all("{" in before for before, after in pairs if before != after)


def test_a_filled_form_keeps_the_layout_of_the_template() -> None:
    filled = fill(PREVISIT.read_bytes(), None, None)
    again = json.dumps(json.loads(filled), indent=2, ensure_ascii=False) + "\n"
    assert filled.decode("utf-8") == again


def test_other_values_make_another_version_and_the_same_values_the_same() -> None:
    template = PREVISIT.read_bytes()
    versions = [
        json.loads(fill(template, phone, None))["version"]
        for phone in ("555-0100", "555-0100", "555-0101", None)
    ]
    assert versions[0] == versions[1] == "1.0.0+site.de7fb32a"
    assert len({*versions}) == 3


def test_a_value_that_a_form_does_not_show_leaves_its_version_alone() -> None:
    assert json.loads(fill(PREVISIT.read_bytes(), None, "Dr. Example"))["version"] == "1.0.0"
    assert json.loads(fill(QUESTIONS.read_bytes(), "555-0100", None))["version"] == "1.0.0"
    assert json.loads(fill(QUESTIONS.read_bytes(), None, "Dr. Example"))["version"] != "1.0.0"


def test_a_form_without_placeholders_is_published_byte_for_byte() -> None:
    template = (ROOT / "coping-support/Questionnaire-1.0.0.json").read_bytes()
    assert fill(template, "555-0100", "Dr. Example") == template


@pytest.mark.parametrize("value", ["{clinicPhone}", "555\n0100", "555}", "555\u0085"])
def test_a_value_that_would_spoil_a_form_is_refused(value: str) -> None:
    with pytest.raises(ValueError, match="can not stand in a form"):
        shipped(value, None)


def test_what_ships_comes_after_what_it_refers_to() -> None:
    found = [(one.resource_type, one.id) for one in shipped(None, None)]
    assert len(found) == len(set(found)) == len(published_files())
    order = ["CodeSystem", "ValueSet", "ConceptMap", "Questionnaire"]
    assert [kind for kind, _ in found] == sorted((kind for kind, _ in found), key=order.index)
    for one in shipped(None, None):
        body = json.loads(one.body)
        assert (body["resourceType"], body["id"]) == (one.resource_type, one.id)


def test_filling_costs_little_at_start() -> None:
    shipped(None, None)
    before = time.process_time()
    shipped(None, None)
    assert time.process_time() - before < 0.2


def test_a_folder_that_does_not_ship_is_a_fault() -> None:
    with pytest.raises(FileNotFoundError):
        folder("nothing-of-this-name")


def test_of_each_form_the_newest_version_ships(tmp_path: Path) -> None:
    for name in ("b/Questionnaire-1.9.0", "b/Questionnaire-1.10.0", "a/Questionnaire-2.0.0"):
        path = tmp_path / f"{name}.json"
        path.parent.mkdir(exist_ok=True)
        path.touch()
    found = [path.relative_to(tmp_path).as_posix() for path in form_templates(tmp_path)]
    assert found == ["a/Questionnaire-2.0.0.json", "b/Questionnaire-1.10.0.json"]


def test_a_form_whose_file_name_tells_no_version_is_a_fault(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a/Questionnaire-draft.json").touch()
    with pytest.raises(ValueError, match="Questionnaire-draft"):
        form_templates(tmp_path)


@pytest.mark.parametrize(("phone", "doctor"), SITES)
def test_our_own_check_finds_nothing_in_what_ships(phone: str | None, doctor: str | None) -> None:
    for one in shipped(phone, doctor):
        check = check_questionnaire if one.resource_type == "Questionnaire" else check_resource
        assert check(json.loads(one.body, parse_float=Decimal)) == ()
