"""What changed: compared only where both were answered and meant the same, gaps never joined."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from fhir_service.fhir.reading import read_json
from fhir_service.render.sparkline import sparkline
from fhir_service.sdc.compiled import compile_form
from fhir_service.summary.document import document, identity
from fhir_service.summary.facts import summarise
from fhir_service.summary.model import Change, Chart, Charted, Fact, Source, Summary
from tests.support.summaries import (
    ADA,
    NOW,
    PREVISIT,
    ZONE,
    example,
    followed,
    form,
    mapping,
    response,
    source,
)

BASE = {"respondent": "respondent-patient", "safety-now": ["none-of-these"], "pain-any": True}


def told(
    now: dict[str, Any], *before: dict[str, Any], forms: tuple[Any, ...] = (), **more: Any
) -> Summary:
    """The summary of these answers, after those: one earlier response a month, in order."""
    earlier = [
        replace(
            source(
                PREVISIT,
                response(PREVISIT, BASE | answers, authored=f"2026-0{month}-01T10:00:00-05:00"),
            ),
            id=f"earlier-{month}",
        )
        for month, answers in enumerate(before, start=1)
    ]
    earlier = [replace(one, form=forms[0]) if forms else one for one in earlier]
    given = source(PREVISIT, response(PREVISIT, BASE | now))
    return summarise([given], mapping(), patient=ADA, now=NOW, zone=ZONE, earlier=earlier, **more)


def changed(summary: Summary) -> dict[str, Fact]:
    return {
        fact.label: fact
        for fact in summary.facts
        if fact.section == "changes" and fact.change is not None
    }


def change(summary: Summary, label: str) -> Change:
    found = changed(summary)[label].change
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("now", "before", "direction"),
    [(7, 4, "worse"), (4, 7, "better")],
)
def test_a_higher_number_is_worse(now: int, before: int, direction: str) -> None:
    found = change(told({"pain-worst": now}, {"pain-worst": before}), "Worst pain (0-10)")
    assert found.direction == direction
    assert [one.words for one in found.before] == [str(before)]
    assert found.on == "2026-01-01"


def test_what_is_the_same_is_told_in_one_line() -> None:
    summary = told({"pain-worst": 4}, {"pain-worst": 4})
    same = next(fact for fact in summary.facts if fact.label == "Same as before")
    assert [one.words for one in same.values] == ["Worst pain (0-10)"]
    assert len({one.response for one in same.derived_from}) == 2


def test_the_words_of_a_scale_are_compared_by_their_place_in_it() -> None:
    summary = told({"activity-level": "activity-limited"}, {"activity-level": "activity-full"})
    assert change(summary, "Can do").direction == "worse"


def test_what_was_not_answered_is_compared_with_nothing() -> None:
    assert changed(told({}, {"pain-worst": 4})) == {}
    assert changed(told({"pain-worst": 4}, {})) == {}
    assert changed(told({"symptom-list": ["nausea"]}, {})) == {}
    assert changed(told({}, {"symptom-list": ["nausea"]})) == {}


def test_without_earlier_answers_the_page_says_so() -> None:
    summary = told({"pain-worst": 4})
    assert "No earlier answers to compare with." in [fact.says for fact in summary.facts]


def test_a_gap_is_compared_over_and_not_joined() -> None:
    summary = told({"pain-worst": 7}, {"pain-worst": 2}, {"pain-worst": 3}, {})
    found = change(summary, "Worst pain (0-10)")
    assert found.on == "2026-02-01"
    assert [point.level for point in found.course] == [2, 3, None, 7]
    assert sparkline(found).count("<polyline") == 1
    assert sparkline(found).count("<circle") == 1  # the last answer stands alone, no line to it
    assert "2026-03-01 not answered" in sparkline(found)


def test_new_and_not_named_now_are_told_where_both_lists_were_answered() -> None:
    summary = told({"symptom-list": ["nausea"]}, {"symptom-list": ["no-new-symptoms"]})
    assert change(summary, "Symptom").direction == "new"
    summary = told({"symptom-list": ["no-new-symptoms"]}, {"symptom-list": ["nausea"]})
    assert change(summary, "Symptom").direction == "not named now"
    assert change(summary, "Symptom").before[0].words == "Upset stomach (nausea)"


def test_a_row_is_compared_with_the_row_of_the_same_name() -> None:
    row = {"symptom-which": "nausea", "symptom-severity": "severity-severe"}
    mild = row | {"symptom-severity": "severity-mild"}
    other = mild | {"symptom-which": "headaches"}
    summary = told({"symptom-detail": [row]}, {"symptom-detail": [other, mild]})
    assert change(summary, "Upset stomach (nausea)").direction == "worse"
    fact = next(one for one in summary.facts if one.section == "symptoms" and one.cells)
    assert ("on 2026-01-01", "mild") in [
        (cell.label, cell.values[0].words) for cell in fact.cells if cell.values
    ]


def reworded(**change_: Any) -> Any:
    """An older version of the form, in which the question on pain was another one."""
    old = json.loads(json.dumps(form(PREVISIT).questionnaire, default=str))
    old["version"] = "0.9.0"
    stack = list(old["item"])
    while stack:
        item = stack.pop()
        stack += item.get("item", [])
        if item["linkId"] == "pain-worst":
            item.update(change_)
    return compile_form(read_json(json.dumps(old).encode()))


def test_an_older_version_is_compared_where_the_question_was_the_same() -> None:
    before = {"pain-worst": 4}
    same = told({"pain-worst": 7}, before, forms=(reworded(),))
    assert change(same, "Worst pain (0-10)").direction == "worse"
    other = told({"pain-worst": 7}, before, forms=(reworded(text="How much did you sleep?"),))
    assert changed(other) == {}
    coded = told({"pain-worst": 7}, before, forms=(reworded(code=[{"code": "sleep"}]),))
    assert changed(coded) == {}


def test_the_most_concerning_five_are_of_the_first_minute() -> None:
    facts = [fact for fact in followed().facts if fact.section == "changes"]
    shown = [fact for fact in facts if fact.change is not None and not fact.further]
    assert [fact.change.direction for fact in shown if fact.change] == ["worse"] * 5


def amended(now: dict[str, Any], before: dict[str, Any]) -> Summary:
    was = source(PREVISIT, response(PREVISIT, BASE | before))
    after = response(PREVISIT, BASE | now, status="amended")
    given = Source(form(PREVISIT), after, was.id, 2, NOW, replaced=was)
    return summarise([given], mapping(), patient=ADA, now=NOW, zone=ZONE)


def test_an_amendment_says_what_it_changed_and_nothing_else() -> None:
    before = {"pain-worst": 4, "appetite": "appetite-less"}
    summary = amended(before | {"pain-worst": 7}, before)
    assert list(changed(summary)) == ["Worst pain (0-10)"]
    found = change(summary, "Worst pain (0-10)")
    assert (found.direction, found.before[0].words) == ("amended", "4")


def test_an_answer_that_was_taken_back_is_told_as_such() -> None:
    fact = changed(amended({}, {"pain-worst": 4}))["Worst pain (0-10)"]
    assert fact.values[0].words == "no answer now"
    fact = changed(amended({"pain-worst": 4}, {}))["Worst pain (0-10)"]
    assert fact.change is not None
    assert fact.change.before[0].words == "not answered"


def test_an_amended_document_has_the_identifier_of_the_visit_and_another_one_of_its_own() -> None:
    before = told({"pain-worst": 4})
    after = amended({"pain-worst": 7}, {"pain-worst": 4})
    assert identity(before) == identity(after)
    first = document(before, base_url="https://one.example.org/fhir")
    number = first["identifier"]["value"]
    second = document(after, base_url="https://one.example.org/fhir", replaces=number)
    assert second["identifier"]["value"] != number
    composition = second["entry"][0]["resource"]
    assert composition["status"] == "amended"
    assert composition["relatesTo"][0]["code"] == "replaces"
    assert composition["relatesTo"][0]["targetIdentifier"]["value"] == number


def test_the_charts_medicines_and_the_patients_are_laid_beside_each_other() -> None:
    chart = [
        Charted("medicine", "MedicationRequest/1", "capecitabine 500 mg tablet"),
        Charted("medicine", "MedicationRequest/2", "Tamoxifen 20 mg"),
    ]
    summary = summarise(
        [source(PREVISIT, example(PREVISIT))],
        mapping(),
        patient=ADA,
        now=NOW,
        zone=ZONE,
        chart=Chart(tuple(chart)),
    )
    found = {fact.label: fact for fact in summary.facts if fact.section == "medicines"}
    missing = found["In the chart, not named by the patient"]
    assert [one.words for one in missing.values] == ["Tamoxifen 20 mg"]
    origin = missing.values[0].origin
    assert origin is not None
    assert (origin.chart, origin.place) == (True, "MedicationRequest/2")
    assert "Lisinopril" in [one.words for one in found["Not in the chart"].values]
    made = json.dumps(document(summary, base_url="https://one.example.org/fhir"), default=str)
    assert '"valueString": "MedicationRequest/2"' in made
