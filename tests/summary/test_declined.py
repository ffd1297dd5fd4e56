"""What a patient would rather not answer is told as that, never as forgotten."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from fhir_service.render.html import html
from fhir_service.render.text import text
from fhir_service.summary.model import Summary
from tests.support.summaries import PREVISIT, example, source, summary_of

REASON = "http://hl7.org/fhir/StructureDefinition/data-absent-reason"
LABEL = "In general, how are you feeling these days?"


def a_summary(*extensions: dict[str, Any]) -> Summary:
    """The typical example, with one question left open in this way."""
    response = deepcopy(example(PREVISIT))
    group = next(one for one in response["item"] if one["linkId"] == "how-you-feel")
    item = next(one for one in group["item"] if one["linkId"] == "overall-health")
    del item["answer"]
    item["extension"] = list(extensions) or None
    if not extensions:
        del item["extension"]
    return summary_of(source(PREVISIT, response))


def left_open(summary: Summary, title: str) -> list[str]:
    return [
        value.words
        for fact in summary.facts
        if fact.label.startswith(title)
        for value in fact.values
    ]


def state(summary: Summary) -> str:
    return next(
        asked.state for form in summary.appendix for asked in form.asked if asked.text == LABEL
    )


def test_a_question_that_she_would_rather_not_answer_is_told_as_declined() -> None:
    summary = a_summary({"url": REASON, "valueCode": "asked-declined"})
    assert state(summary) == "declined"
    assert len(left_open(summary, "Declined to answer")) == 1
    for rendered in (text(summary), html(summary)):
        assert "would rather not answer" in rendered


def test_a_question_that_was_left_open_or_for_another_reason_is_not() -> None:
    for given in ((), ({"url": REASON, "valueCode": "unknown"},)):
        summary = a_summary(*given)
        assert state(summary) == "not-answered"
        assert left_open(summary, "Declined to answer") == []
        assert "would rather not answer" not in text(summary)
