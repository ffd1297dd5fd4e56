"""The facts: every answer accounted for, nothing missing shown as no, nothing invented."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from fhir_service.fhir.reading import read_json
from fhir_service.sdc.compiled import compile_form
from fhir_service.summary.facts import Source, Summary
from fhir_service.summary.model import Fact, State
from tests.support.forms import items
from tests.support.summaries import (
    FORMS,
    NOW,
    PREVISIT,
    example,
    form,
    response,
    source,
    summary_of,
    typical,
)


def of(summary: Summary, section: str) -> list[Fact]:
    return [fact for fact in summary.facts if fact.section == section]


def says(summary: Summary, section: str) -> str:
    return " ".join(fact.says for fact in of(summary, section))


def labels(summary: Summary, section: str) -> dict[str, list[str]]:
    return {fact.label: [value.words for value in fact.values] for fact in of(summary, section)}


def states(summary: Summary) -> dict[str, State]:
    return {asked.link_id: asked.state for one in summary.appendix for asked in one.asked}


def test_every_answer_stands_in_the_appendix_with_its_place() -> None:
    summary = typical("everything")
    shown = [
        value.origin.place
        for one in summary.appendix
        for asked in one.asked
        for value in asked.values
        if value.origin is not None
    ]
    sent = [
        place
        for id_ in FORMS
        for place in places(example(id_, "everything"), "QuestionnaireResponse")
    ]
    assert sorted(shown) == sorted(sent)


def places(holder: dict[str, Any], at: str) -> list[str]:
    found = []
    for number, item in enumerate(holder.get("item", ())):
        place = f"{at}.item[{number}]"
        found += [f"{place}.answer[{one}]" for one in range(len(item.get("answer", ())))]
        for one, answer in enumerate(item.get("answer", ())):
            found += places(answer, f"{place}.answer[{one}]")
        found += places(item, place)
    return found


def test_every_answer_of_a_mapped_form_is_in_a_line_of_the_page() -> None:
    summary = typical("everything")
    told = {(one.response, one.place) for fact in summary.facts for one in fact.derived_from}
    for one in summary.appendix:
        for asked in one.asked:
            for value in asked.values:
                assert value.origin is not None
                assert (one.response, value.origin.place) in told, asked.link_id


def test_every_value_of_a_line_leads_to_a_line_of_the_appendix() -> None:
    summary = typical()
    anchors = [asked.anchor for one in summary.appendix for asked in one.asked]
    assert len(anchors) == len(set(anchors))
    assert {one.anchor for fact in summary.facts for one in fact.derived_from} <= set(anchors)


def test_not_asked_not_answered_not_sure_and_declined_are_told_apart() -> None:
    answers = {
        "respondent": "respondent-patient",
        "safety-now": ["none-of-these"],
        "weight-loss": "unsure",
        "self-harm": "declined",
    }
    summary = summary_of(source(PREVISIT, response(PREVISIT, answers)))
    found = states(summary)
    assert found["weight-loss-amount"] == "not-asked"
    assert found["appetite"] == "not-answered"
    assert found["weight-loss"] == "answered"
    told = labels(summary, "answering")
    assert told["Not sure (1)"] == ["Lost weight"]
    assert told["Declined to answer (1)"] == ["Self-harm item"]
    assert "Appetite" in next(values for label, values in told.items() if "Not answered" in label)


def test_what_is_missing_is_never_shown_as_no() -> None:
    summary = summary_of(
        source(PREVISIT, response(PREVISIT, {"respondent": "respondent-patient"}))
    )
    words = [value.words.lower() for fact in summary.facts for value in fact.values]
    assert "no" not in words
    assert says(summary, "attention").startswith("Safety check not answered")


def test_no_safety_item_ticked_is_said_with_its_time() -> None:
    answers = {"respondent": "respondent-patient", "safety-now": ["none-of-these"]}
    summary = summary_of(source(PREVISIT, response(PREVISIT, answers)))
    assert says(summary, "attention") == (
        "No safety item ticked (patient report, 2026-11-20 09:30 CST)."
    )
    assert of(summary, "attention")[0].derived_from


def test_a_visit_without_the_safety_form_does_not_look_safe() -> None:
    summary = summary_of(source("doctor-questions", example("doctor-questions")))
    assert says(summary, "attention") == "The form with the safety check has not come in."


def test_a_flag_says_that_nobody_was_alerted_while_no_owner_is_named() -> None:
    assert "nobody was alerted" in says(typical(), "attention")


def test_at_most_three_flags_are_shown_in_full_and_all_are_kept() -> None:
    flags = [fact for fact in typical("everything").facts if fact.rule]
    assert len(flags) > 3
    assert [fact.folded for fact in flags] == [False] * 3 + [True] * (len(flags) - 3)


def test_her_questions_come_in_her_order_and_words_and_none_twice() -> None:
    answers = {
        "ask-tests": ["q-biopsy", "q-which-tests"],
        "own-question": ["Can I <i>travel</i>?"],
        "top-question-1": "Can I <i>travel</i>?",
        "top-question-2": "q-which-tests",
    }
    summary = summary_of(source("doctor-questions", response("doctor-questions", answers)))
    told = labels(summary, "questions")
    assert told["1."] == ["Can I <i>travel</i>?"]
    assert told["2."] == ["Which tests do I need, and why?"]
    assert told["Also wants to ask"] == ["Do I need a biopsy? What will it show?"]


def test_what_she_wants_to_know_stands_before_a_question_on_prognosis() -> None:
    asked = response("doctor-questions", {"ask-future": ["q-outlook"]})
    wish = response(PREVISIT, {"respondent": "respondent-patient", "outlook-talk": "yes"})
    summary = summary_of(source("doctor-questions", asked, 2), source(PREVISIT, wish))
    assert of(summary, "questions")[0].label == "Prognosis talk"


def test_both_lists_make_one_page_whichever_came_first() -> None:
    one = source(PREVISIT, example(PREVISIT))
    two = source("doctor-questions", example("doctor-questions"), 2)
    assert summary_of(one, two) == summary_of(two, one)


def test_a_score_is_shown_with_what_the_answers_add_up_to_when_the_two_differ() -> None:
    answers = {
        "respondent": "respondent-patient",
        "phq2-interest": "LA6570-1",
        "phq2-down": "LA6569-3",
        "phq2-total": 1,
    }
    summary = summary_of(source(PREVISIT, response(PREVISIT, answers)))
    assert labels(summary, "mood")["PHQ-2"] == ["1 of 6"]
    assert says(summary, "mood") == "sent as 1, the answers add up to 3"


def test_a_score_of_incomplete_answers_is_not_made() -> None:
    answers = {"respondent": "respondent-patient", "phq2-interest": "LA6571-9"}
    summary = summary_of(source(PREVISIT, response(PREVISIT, answers)))
    assert labels(summary, "mood")["PHQ-2"] == []
    assert "not scored" in says(summary, "mood")


def test_a_score_answered_by_a_helper_says_so() -> None:
    answers = {"respondent": "respondent-helper", "phq2-interest": "LA6568-5"}
    summary = summary_of(source(PREVISIT, response(PREVISIT, answers)))
    assert "answered by a helper" in says(summary, "mood")
    assert "someone else, for the patient" in " ".join(summary.banner)


def test_the_banner_says_what_it_is_when_by_whom_and_on_which_form() -> None:
    banner = " ".join(typical().banner)
    assert "Patient-reported" in banner
    assert "Not reviewed before this visit" in banner
    assert "Gives no diagnosis; not watched in real time" in banner
    assert "By the patient: Getting ready for your cancer visit 1.0.0, 2026-11-20" in banner


def test_spanish_answers_are_shown_in_the_clinics_language_and_as_they_were_sent() -> None:
    summary = summary_of(source(PREVISIT, example(PREVISIT, "typical-es")))
    values = [value for asked in summary.appendix[0].asked for value in asked.values]
    assert "Back" in [value.words for value in values]
    assert "Espalda" in [value.sent for value in values]


def test_a_form_without_a_mapping_still_has_every_answer_and_what_is_missing() -> None:
    questionnaire = {
        "resourceType": "Questionnaire",
        "url": "https://example.org/fhir/Questionnaire/other",
        "version": "2",
        "title": "Another form",
        "status": "active",
        "item": [
            {"linkId": "a", "type": "string", "text": "How are you?"},
            {"linkId": "b", "type": "decimal", "text": "How warm?"},
        ],
    }
    answered = read_json(
        b'{"resourceType":"QuestionnaireResponse","status":"completed",'
        b'"questionnaire":"https://example.org/fhir/Questionnaire/other|2",'
        b'"item":[{"linkId":"b","answer":[{"valueDecimal":37.50}]}]}'
    )
    summary = summary_of(Source(compile_form(questionnaire), answered, "r", 1, NOW))
    assert [value.words for asked in summary.appendix[0].asked for value in asked.values] == [
        "37.50"
    ]
    assert labels(summary, "answering")["Not answered (1)"] == ["How are you?"]
    assert says(summary, "attention") == "This form has no safety rules in this service."


def test_an_answer_without_a_place_in_the_form_is_not_lost() -> None:
    answered = response("coping-support", {"listener": "yes"})
    answered["item"].append({"linkId": "stray", "answer": [{"valueString": "Do not lose me."}]})
    summary = summary_of(source("coping-support", answered))
    stray = [asked for asked in summary.appendix[0].asked if asked.state == "not-in-form"]
    assert [value.words for asked in stray for value in asked.values] == ["Do not lose me."]
    assert "answers without a place in their form: 1" in says(summary, "answering")


def test_a_sites_own_filling_of_the_form_has_the_same_page() -> None:
    filled = replace(form(PREVISIT), version="1.0.0+site.4")
    summary = summary_of(Source(filled, example(PREVISIT), "r", 1, NOW))
    assert of(summary, "symptoms")


def test_the_examples_of_every_form_are_summed_up() -> None:
    assert read_texts()


def read_texts() -> list[str]:
    summary = typical("everything")
    sent = [
        answer["valueString"]
        for id_ in FORMS
        for item in items(example(id_, "everything"))
        for answer in item.get("answer", ())
        if "valueString" in answer
    ]
    shown = [
        value.words for one in summary.appendix for asked in one.asked for value in asked.values
    ]
    assert set(sent) <= set(shown)
    return shown
