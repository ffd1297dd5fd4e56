"""Findings are told in the language that the caller reads."""

from __future__ import annotations

import pytest

from tests.support.service import Running, answers, issues, keys, short_form

RESPONSES = "/fhir/QuestionnaireResponse"
UNANSWERED = answers(item=[{"linkId": "worry", "answer": [{"valueString": "x"}]}])

ASKED = {
    "es": "es",
    "es-MX,en;q=0.5": "es",
    "en-US,es;q=0.5": "en",
    "fi": "en",
    "*": "en",
    "": "en",
}


@pytest.fixture(scope="module")
def published(running: Running) -> Running:
    form = short_form()
    form["item"][0]["_text"] = {
        "extension": [
            {
                "url": "http://hl7.org/fhir/StructureDefinition/translation",
                "extension": [
                    {"url": "lang", "valueCode": "es"},
                    {"url": "content", "valueString": "¿Cuánto le duele?"},
                ],
            }
        ]
    }
    form["url"] = "https://clinic.example.org/fhir/Questionnaire/spoken-form"
    assert running.send("POST", "/fhir/Questionnaire", form).status_code == 201
    UNANSWERED["questionnaire"] = f"{form['url']}|1.0.0"
    return running


@pytest.mark.parametrize("accepted", ASKED)
@pytest.mark.parametrize("path", [RESPONSES, f"{RESPONSES}/$validate"])
def test_a_finding_comes_in_the_language_that_the_caller_accepts(
    published: Running, path: str, accepted: str
) -> None:
    reply = published.send("POST", path, UNANSWERED, headers={"Accept-Language": accepted})
    says = {
        "es": "¿Cuánto le duele?: por favor, responda a esta pregunta.",
        "en": "How strong is your pain?: please answer this question.",
    }
    assert [issue["details"]["text"] for issue in issues(reply)] == [says[ASKED[accepted]]]
    assert reply.headers["Content-Language"] == ASKED[accepted]
    assert keys(reply) == ["required-missing"]


def test_an_update_is_refused_in_the_language_that_the_caller_accepts(published: Running) -> None:
    body = {**UNANSWERED, "id": "spoken"}
    headers = {"Accept-Language": "es"}
    reply = published.send("PUT", f"{RESPONSES}/spoken", body, headers=headers)
    assert reply.status_code == 422
    assert reply.headers["Content-Language"] == "es"


def test_a_warning_of_what_was_stored_comes_in_that_language(published: Running) -> None:
    body = {**UNANSWERED, "status": "in-progress"}
    headers = {"Accept-Language": "es", "Prefer": "return=OperationOutcome"}
    reply = published.send("POST", RESPONSES, body, headers=headers)
    assert reply.status_code == 201
    assert reply.headers["Content-Language"] == "es"
    assert "por favor" in issues(reply)[0]["details"]["text"]


def test_what_is_no_finding_on_a_response_is_told_in_english(published: Running) -> None:
    headers = {"Accept-Language": "es"}
    reply = published.send("POST", RESPONSES, b"{", headers=headers)
    assert reply.headers["Content-Language"] == "en"
