"""$populate over HTTP: what it takes, what it answers, and what it never tells."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.answers import walk_answers
from tests.support.previsit_record import FORM as PREVISIT
from tests.support.service import Running, keys

SDC = "http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire-"
URL = "https://clinic.example.org/fhir/Questionnaire/known-already"
PATH = "/fhir/Questionnaire/$populate"
ADA = {
    "resourceType": "Patient",
    "id": "ada",
    "birthDate": "1960-05-17",
    "name": [{"family": "Example"}],
}


def _form(**more: Any) -> dict[str, Any]:
    def asks(expression: str) -> list[dict[str, Any]]:
        raw = {"language": "text/fhirpath", "expression": expression}
        return [{"url": SDC + "initialExpression", "valueExpression": raw}]

    name = {"system": "http://hl7.org/fhir/uv/sdc/CodeSystem/launchContext", "code": "patient"}
    launch = [{"url": "name", "valueCoding": name}, {"url": "type", "valueCode": "Patient"}]
    query = {
        "name": "before",
        "language": "application/x-fhir-query",
        "expression": "QuestionnaireResponse?patient={{%patient.id}}&_sort=-authored",
    }
    last = "%before.entry.resource.item.where(linkId='family').answer.value.first()"
    return {
        "resourceType": "Questionnaire",
        "id": "known-already",
        "extension": [
            {"extension": launch, "url": SDC + "launchContext"},
            {
                "url": "http://hl7.org/fhir/StructureDefinition/variable",
                "valueExpression": query,
            },
        ],
        "url": URL,
        "version": "1",
        "identifier": [{"system": "https://clinic.example.org/forms", "value": "known"}],
        "status": "active",
        "item": [
            {
                "extension": asks("%patient.name.family"),
                "linkId": "family",
                "text": "Family name",
                "type": "string",
                "maxLength": 10,
            },
            {"extension": asks(last), "linkId": "last", "text": "Last time", "type": "string"},
        ],
        **more,
    }


@pytest.fixture(scope="module")
def published(running: Running) -> Running:
    """The service with a form that can be filled from the patient and her last answers."""
    assert running.send("PUT", "/fhir/Questionnaire/known-already", _form()).status_code == 201
    return running


def _one(name: str, kind: str, value: Any) -> dict[str, Any]:
    return {"name": name, kind: value}


def _context(name: str, *resources: dict[str, Any]) -> dict[str, Any]:
    parts = [_one("content", "resource", one) for one in resources]
    return {"name": "context", "part": [_one("name", "valueString", name), *parts]}


SUBJECT = _one("subject", "valueReference", {"reference": "Patient/ada"})
BY_URL = _one("questionnaire", "valueCanonical", f"{URL}|1")


def _asked(*given: dict[str, Any]) -> dict[str, Any]:
    return {"resourceType": "Parameters", "parameter": list(given)}


def _answers(reply: Any) -> dict[str, Any]:
    assert reply.status_code == 200, reply.text
    parameters = {one["name"]: one["resource"] for one in json.loads(reply.data)["parameter"]}
    found = parameters["response"].get("item", [])
    return {one["linkId"]: one["answer"][0]["valueString"] for one in found}


def _issues(reply: Any) -> list[str]:
    parameters = {one["name"]: one["resource"] for one in json.loads(reply.data)["parameter"]}
    return [
        one["details"]["coding"][0]["code"]
        for one in parameters.get("issues", {}).get("issue", ())
    ]


@pytest.mark.parametrize(
    ("path", "named"),
    [
        (PATH, BY_URL),
        (PATH, _one("questionnaire", "valueCanonical", URL)),
        (
            PATH,
            _one("questionnaire", "valueReference", {"reference": "Questionnaire/known-already"}),
        ),
        (
            PATH,
            _one(
                "questionnaireRef", "valueReference", {"reference": "Questionnaire/known-already"}
            ),
        ),
        (PATH, _one("questionnaire", "resource", _form(status="draft", url=URL + "-draft"))),
        (
            PATH,
            _one(
                "identifier",
                "valueIdentifier",
                {"system": "https://clinic.example.org/forms", "value": "known"},
            ),
        ),
        ("/fhir/Questionnaire/known-already/$populate", None),
    ],
)
def test_a_form_is_named_in_every_way_of_the_operation(
    published: Running, path: str, named: dict[str, Any] | None
) -> None:
    given = [one for one in (named, SUBJECT, _context("patient", ADA)) if one]
    reply = published.send("POST", path, _asked(*given))
    assert _answers(reply) == {"family": "Example"}
    assert _issues(reply) == ["populate-not-fetched"]  # nobody was to be asked
    response = json.loads(reply.data)["parameter"][0]["resource"]
    assert response["subject"] == {"reference": "Patient/ada"}


def test_a_populated_response_can_be_stored_as_it_is(published: Running) -> None:
    reply = published.send("POST", PATH, _asked(BY_URL, SUBJECT, _context("patient", ADA)))
    response = json.loads(reply.data)["parameter"][0]["resource"]
    stored = published.send("POST", "/fhir/QuestionnaireResponse", response)
    assert stored.status_code == 201, stored.text


def test_the_provenance_of_what_was_stored_names_the_sources(published: Running) -> None:
    who = {**ADA, "id": "provenance-ada"}
    subject = _one("subject", "valueReference", {"reference": "Patient/provenance-ada"})
    reply = published.send("POST", PATH, _asked(BY_URL, subject, _context("patient", who)))
    response = json.loads(reply.data)["parameter"][0]["resource"]
    stored = published.send("POST", "/fhir/QuestionnaireResponse", response)
    id_ = json.loads(stored.data)["id"]
    target = f"QuestionnaireResponse/{id_}"
    found = json.loads(published.send("GET", f"/fhir/Provenance?target={target}").data)
    (provenance,) = [entry["resource"] for entry in found["entry"]]
    assert provenance["target"] == [{"reference": f"{target}/_history/1"}]
    sources = [one["what"] for one in provenance["entity"] if one["role"] == "source"]
    assert {"reference": "Patient/provenance-ada"} in sources


def test_the_audit_says_whose_record_a_form_was_filled_from(published: Running) -> None:
    subject = _one("subject", "valueReference", {"reference": "Patient/audited-ada"})
    assert published.send("POST", PATH, _asked(BY_URL, subject)).status_code == 200
    found = json.loads(published.send("GET", "/fhir/AuditEvent?patient=audited-ada").data)
    assert "$populate" in json.dumps(found["entry"])


def test_last_answers_of_the_previsit_form_are_there_to_be_confirmed(published: Running) -> None:
    published.service.publish_shipped()
    folder = Path(__file__).parents[2] / "questionnaires" / "previsit-recurrent-breast"
    sent = json.loads((folder / "responses" / "typical.json").read_text("utf-8"))
    sent = json.loads(json.dumps(sent).replace(sent["subject"]["reference"], "Patient/returns"))
    assert published.send("POST", "/fhir/QuestionnaireResponse", sent).status_code == 201
    subject = _one("subject", "valueReference", {"reference": "Patient/returns"})
    local = _one("local", "valueBoolean", True)
    form = _one("questionnaire", "valueCanonical", PREVISIT)
    reply = published.send("POST", PATH, _asked(form, subject, local))
    response = json.loads(reply.data)["parameter"][0]["resource"]
    filled = {link_id for link_id, _ in walk_answers(response)}
    answered = {link_id for link_id, _ in walk_answers(sent)}
    assert {"first-found", "treatments-had"} <= filled <= answered
    assert not filled & {"safety-now", "symptom-list", "main-concern", "medicine-still"}


def test_plain_parameters_can_be_given_in_the_address(published: Running) -> None:
    reply = published.send("GET", f"{PATH}?questionnaire={URL}&subject=Patient/ada&local=true")
    assert reply.status_code == 200, reply.text
    assert json.loads(reply.data)["parameter"][0]["resource"]["questionnaire"] == f"{URL}|1"


def test_without_an_ehr_local_still_answers_and_says_what_is_missing(published: Running) -> None:
    local = _one("local", "valueBoolean", True)
    reply = published.send("POST", PATH, _asked(BY_URL, SUBJECT, local))
    assert reply.status_code == 200, reply.text
    assert "populate-not-fetched" in _issues(reply)


def test_the_answers_of_last_time_come_from_our_own_record(published: Running) -> None:
    for who, family in (("eve", "Before"), ("mallory", "Secret")):
        sent = {
            "resourceType": "QuestionnaireResponse",
            "questionnaire": f"{URL}|1",
            "status": "completed",
            "subject": {"reference": f"Patient/{who}"},
            "authored": "2026-11-01T10:00:00Z",
            "item": [
                {"linkId": "family", "text": "Family name", "answer": [{"valueString": family}]}
            ],
        }
        assert published.send("POST", "/fhir/QuestionnaireResponse", sent).status_code == 201
    subject = _one("subject", "valueReference", {"reference": "Patient/eve"})
    eve = _context("patient", {"resourceType": "Patient", "id": "eve"})
    local = _one("local", "valueBoolean", True)
    reply = published.send("POST", PATH, _asked(BY_URL, subject, eve, local))
    assert _answers(reply) == {"last": "Before"}
    own = published.token("patient/*.rs patient/QuestionnaireResponse.cu", "eve")
    assert _answers(published.send("POST", PATH, _asked(BY_URL, eve, local), token=own)) == {
        "last": "Before"
    }
    blind = published.token("patient/Questionnaire.r patient/QuestionnaireResponse.c", "eve")
    reply = published.send("POST", PATH, _asked(BY_URL, eve, local), token=blind)
    assert _answers(reply) == {}
    assert "Before" not in reply.text


def test_a_query_for_somebody_else_is_not_sent(published: Running) -> None:
    other = json.loads(
        json.dumps(_form(url=URL + "-other", id="other")).replace("{{%patient.id}}", "mallory")
    )
    named = _one("questionnaire", "resource", other)
    subject = _one("subject", "valueReference", {"reference": "Patient/eve"})
    local = _one("local", "valueBoolean", True)
    reply = published.send("POST", PATH, _asked(named, subject, local))
    assert _answers(reply) == {}
    assert "Secret" not in reply.text


def test_a_patient_is_not_filled_in_for_another(published: Running) -> None:
    token = published.token("patient/*.cruds", "eve")
    reply = published.send("POST", PATH, _asked(BY_URL, SUBJECT), token=token)
    assert reply.status_code == 403
    mixed = published.send(
        "POST", PATH, _asked(BY_URL, SUBJECT, _context("patient", {**ADA, "id": "eve"}))
    )
    assert (mixed.status_code, keys(mixed)) == (422, ["populate-other-patient"])


@pytest.mark.parametrize("scope", ["system/Questionnaire.r", "system/QuestionnaireResponse.c"])
def test_both_rights_are_asked_for(published: Running, scope: str) -> None:
    reply = published.send("POST", PATH, _asked(BY_URL, SUBJECT), token=published.token(scope))
    assert reply.status_code == 403


@pytest.mark.parametrize(
    ("given", "status"),
    [
        ((), 400),
        ((BY_URL, BY_URL), 400),
        ((BY_URL, _one("identifier", "valueIdentifier", {"value": "x"})), 400),
        ((_one("questionnaire", "valueCanonical", "https://nowhere.example.org/q"),), 404),
        ((_one("questionnaire", "valueInteger", 1),), 400),
        ((_one("questionnaire", "resource", {"resourceType": "Patient"}),), 400),
        ((_one("questionnaire", "resource", {"resourceType": "Questionnaire"}),), 422),
        ((BY_URL, _one("subject", "valueReference", {"reference": "Group/1"})), 400),
        ((BY_URL, _one("local", "valueString", "yes")), 400),
        ((BY_URL, _one("surprise", "valueString", "yes")), 400),
        ((BY_URL, {"name": "context", "part": []}), 400),
        (
            (
                BY_URL,
                {
                    "name": "context",
                    "part": [
                        _one("name", "valueString", "patient"),
                        _one("content", "valueString", "x"),
                    ],
                },
            ),
            400,
        ),
    ],
)
def test_what_can_not_be_asked_is_refused(
    published: Running, given: tuple[dict[str, Any], ...], status: int
) -> None:
    reply = published.send("POST", PATH, _asked(*given))
    assert reply.status_code == status, reply.text
    assert keys(reply)
