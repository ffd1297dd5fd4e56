from __future__ import annotations

from typing import Any

import pytest

from fhir_service.fhir.reading import read_json
from fhir_service.sdc.form_lints import lint_questionnaire
from fhir_service.sdc.readability import grade, words_in
from tests.support.cases import cases
from tests.support.forms import form_files


@pytest.mark.parametrize(("document", "case"), cases("form_lints"))
def test_a_form_is_given_the_advice_that_its_texts_ask_for(
    document: dict[str, Any], case: dict[str, Any]
) -> None:
    form = {"resourceType": "Questionnaire", "status": "draft", **case.get("form", {})}
    found = lint_questionnaire({**form, "item": case["items"]})
    assert [[issue.key, issue.severity, issue.expression] for issue in found] == case["findings"]


def test_a_higher_grade_lets_harder_texts_pass() -> None:
    form = read_json(form_files()[-1].read_bytes())
    assert len(lint_questionnaire(form, 3)) > len(lint_questionnaire(form, 6))
    assert lint_questionnaire(form, 20) == ()


@pytest.mark.parametrize("path", form_files(), ids=lambda path: path.parent.name)
def test_a_shipped_form_as_a_whole_is_read_by_grade_6(path: Any) -> None:
    found = lint_questionnaire(read_json(path.read_bytes()))
    assert [issue for issue in found if issue.link_id is None] == []


def test_the_grade_grows_with_words_and_sentences() -> None:
    short = "We ask. You say. It is good."
    long = "We ask what you say and hope that it is good for you and for all who are with you."
    assert (grade(short, "en") or 0) < (grade(long, "en") or 0)
    assert grade("12 345", "en") == 0
    assert grade("Pain", "xx") is None
    assert words_in("It's a 5-point scale, isn't it?") == 6
