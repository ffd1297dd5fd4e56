"""Red-flag rules: each fires when it should, and just does not beside it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fhir_service.sdc.pairing import Node, pair
from tests.support.cases import cases
from tests.support.summaries import PREVISIT, form, mapping, response, source, summary_of


def rules_fired(answers: dict[str, Any]) -> set[str]:
    found = summary_of(source(PREVISIT, response(PREVISIT, answers)))
    return {fact.rule for fact in found.facts if fact.rule}


@pytest.mark.parametrize(("document", "case"), cases("flags"))
def test_a_rule_fires_as_its_condition_says(
    document: dict[str, Any], case: dict[str, Any]
) -> None:
    answers = {"respondent": "respondent-patient", **case["answers"]}
    assert (document["rule"] in rules_fired(answers)) is case["fires"]


def test_every_rule_has_a_case_that_fires_and_one_that_does_not() -> None:
    seen: dict[str, set[bool]] = {}
    for parameters in cases("flags"):
        document, case = parameters.values
        seen.setdefault(document["rule"], set()).add(case["fires"])
    assert seen == {rule.id: {True, False} for rule in mapping().rules}


def test_nothing_fires_on_an_empty_response() -> None:
    assert rules_fired({}) == set()


SAFETY = [option.value["code"] for option in form(PREVISIT).by_link_id["safety-now"].options]
ANSWERS = st.fixed_dictionaries(
    {"respondent": st.sampled_from(["respondent-patient", "respondent-helped"])},
    optional={
        "safety-now": st.lists(st.sampled_from(SAFETY), min_size=1, max_size=4, unique=True),
        "cancer-drug-recent": st.sampled_from(["yes", "no", "unsure"]),
        "symptom-list": st.lists(
            st.sampled_from(["bone-pain", "yellow-skin-or-eyes", "numb-or-weak", "headaches"]),
            min_size=1,
            unique=True,
        ),
        "pain-any": st.just(True),
        "pain-worst": st.integers(0, 10),
        "pain-where": st.just(["site-back"]),
        "pain-night": st.booleans(),
        "self-harm": st.sampled_from(["LA6568-5", "LA6569-3", "LA6571-9", "declined"]),
    },
)


def coherent(answers: dict[str, Any]) -> dict[str, Any]:
    """Without the answers to questions that these answers rule out."""
    kept = dict(answers)
    if "fever-or-chills" not in kept.get("safety-now", ()):
        kept.pop("cancer-drug-recent", None)
    if "pain-any" not in kept:
        for link_id in ("pain-worst", "pain-where", "pain-night"):
            kept.pop(link_id, None)
    if "pain-where" not in kept:
        kept.pop("pain-night", None)
    return kept


def shown(nodes: tuple[Node, ...]) -> Iterator[str]:
    for node in nodes:
        if node.item.type == "display" and node.enabled:
            yield node.item.link_id
        yield from shown(node.nodes)
        for answer in node.answers:
            yield from shown(answer.nodes)


@given(ANSWERS)
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_a_rule_and_its_message_on_screen_fire_together(answers: dict[str, Any]) -> None:
    answers = coherent(answers)
    seen = set(shown(pair(form(PREVISIT), response(PREVISIT, answers))))
    fired = rules_fired(answers)
    told = {rule.id: set(rule.messages) for rule in mapping().rules if rule.messages}
    for rule, messages in told.items():
        if rule in fired:
            assert messages & seen, rule
    for message in seen & set().union(*told.values()):
        assert any(message in messages and rule in fired for rule, messages in told.items())
