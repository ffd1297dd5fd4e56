"""The checker takes the examples that should be taken, and refuses the others for one rule.

https://hl7.org/fhir/uv/sdc/STU4/behavior.html
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from fhir_service.fhir.issues import Issue
from fhir_service.sdc.compiled import compile_form
from fhir_service.sdc.responses import decode
from fhir_service.sdc.validation import validate
from tests.support.forms import form, items, named, read, response_files

PREVISIT = "previsit-recurrent-breast"

REFUSED_FOR = {
    "answered-for-the-patient": "answer-while-disabled",
    "disabled-item-answered": "answer-while-disabled",
    "exclusive-with-others": "exclusive-option-with-others",
    "found-in-the-future": "answer-above-max-value",
    "missing-group": "required-group-empty",
    "missing-required": "required-missing",
    "option-not-offered": "option-not-offered",
    "pain-above-ten": "answer-above-max-value",
    "several-answers": "several-answers",
    "symptom-not-ticked": "answer-not-from-expression",
    "third-without-second": "answer-while-disabled",
    "top-question-not-picked": "answer-not-from-expression",
    "too-many-own-questions": "too-many",
    "unknown-link-id": "item-unknown",
    "wrong-type": "answer-type",
}


def errors(path: Path) -> list[Issue]:
    """What bars an example from being stored."""
    found = validate(compile_form(form(path.parents[1].name)), decode(path.read_bytes()))
    return [issue for issue in found if issue.severity in {"error", "fatal"}]


@pytest.mark.parametrize(
    "path", [p for p in response_files() if not p.stem.startswith("refused-")], ids=named
)
def test_an_example_is_taken(path: Path) -> None:
    assert errors(path) == []


@pytest.mark.parametrize(
    "path", [p for p in response_files() if p.stem.startswith("refused-")], ids=named
)
def test_a_refused_example_breaks_one_rule_alone(path: Path) -> None:
    assert [issue.key for issue in errors(path)] == [REFUSED_FOR[path.stem[len("refused-") :]]]


def test_a_total_that_was_changed_is_told_and_kept() -> None:
    path = next(
        one for one in response_files() if named(one) == f"{PREVISIT}/responses/typical.json"
    )
    changed = read(path)
    (total,) = (item for item in items(changed) if item["linkId"] == "phq2-total")
    total["answer"] = [{"valueInteger": total["answer"][0]["valueInteger"] + 1}]
    found = validate(compile_form(form(PREVISIT)), decode(json.dumps(changed).encode()))
    assert [(issue.key, issue.severity) for issue in found] == [
        ("calculated-value-changed", "warning")
    ]


@pytest.mark.parametrize("path", response_files(), ids=named)
def test_every_expression_of_our_forms_is_decided(path: Path) -> None:
    found = validate(compile_form(form(path.parents[1].name)), decode(path.read_bytes()))
    assert [issue.key for issue in found if issue.verdict == "not-verified"] == []
