"""The page that leads from each topic to its items names only what is there.

http://hl7.org/fhir/R4/questionnaire.html
"""

from __future__ import annotations

import re

from tests.support.forms import ROOT, items_of_all_forms, options

ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in (ROOT / "TRACE.md").read_text(encoding="utf-8").splitlines()
    if line.startswith("|") and not line.startswith(("| topic |", "|---"))
]


def test_every_item_and_answer_of_the_trace_exists() -> None:
    known = items_of_all_forms()
    for _, covered, _ in ROWS:
        for name in re.findall(r"`([^`]+)`", covered):
            link_id, _, code = name.partition(" = ")
            assert link_id in known, name
            assert not code or code in {one["code"] for one in options(known[link_id])}, name


def test_every_topic_has_its_items() -> None:
    assert len(ROWS) == 92
    assert [topic for topic, covered, _ in ROWS if not covered] == []


def test_every_question_to_the_doctor_and_every_support_is_offered_once() -> None:
    offered = [
        one["code"]
        for item in items_of_all_forms().values()
        for one in options(item)
        if one["code"].startswith(("q-", "want-"))
    ]
    assert len(offered) == len(set(offered)) == 46 + 10
