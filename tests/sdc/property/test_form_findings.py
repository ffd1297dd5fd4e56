"""What is wrong with a form is told in its order, once each, the same every time."""

from __future__ import annotations

import copy
import re
from random import Random
from typing import Any

import pytest

from fhir_service.fhir.issues import Issue
from fhir_service.sdc.form_rules import check_questionnaire
from tests.support.random_forms import a_form, walk

FAULTS = (
    ("linkId", None),
    ("linkId", "twice"),
    ("type", None),
    ("type", "string"),
    ("text", None),
    ("repeats", True),
    ("required", True),
    ("maxLength", 3),
    ("enableBehavior", "any"),
    ("answerValueSet", "http://example.org/ValueSet/none"),
    ("answerOption", [{"valueString": "a"}, {"valueString": "a"}]),
    ("enableWhen", [{"question": "nobody", "operator": "exists", "answerBoolean": True}]),
    ("initial", [{"valueInteger": 1}, {"valueInteger": 2}]),
)
"""What is set in an item, or taken out of it."""


def broken(random: Random) -> dict[str, Any]:
    """A form of twelve items with up to twenty faults, some upon others."""
    form = copy.deepcopy(a_form(random, 12))
    items = list(walk(form["item"]))
    for _ in range(random.randint(1, 20)):
        item = random.choice(items)
        name, value = random.choice(FAULTS)
        if value is None:
            item.pop(name, None)
        else:
            item[name] = copy.deepcopy(value)
    return form


def place(issue: Issue) -> list[int]:
    return [int(number) for number in re.findall(r"\.item\[(\d+)\]", issue.expression or "")]


@pytest.mark.parametrize("seed", range(60))
def test_findings_on_a_form_come_in_its_order_once_each_and_always_so(seed: int) -> None:
    form = broken(Random(seed))
    found = check_questionnaire(form)
    places = [place(issue) for issue in found]
    assert places == sorted(places)
    told = [(issue.key, issue.expression, issue.link_id, issue.says) for issue in found]
    assert len(set(told)) == len(told)
    assert check_questionnaire(copy.deepcopy(form)) == found


def test_the_faults_are_told_at_all() -> None:
    keys = {issue.key for seed in range(60) for issue in check_questionnaire(broken(Random(seed)))}
    assert len(keys) > 12
