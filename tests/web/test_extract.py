"""$extract and $translate over HTTP, on the shipped pre-visit form."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from fhir.resources.R4B import get_fhir_model_class

from tests.support.cases import cases
from tests.support.service import Running, keys

FORM = Path(__file__).parents[2] / "questionnaires" / "previsit-recurrent-breast"
RESPONSES = FORM / "responses"
PREVISIT = "https://fhir-service.example.org/fhir/CodeSystem/previsit"
MAP = "https://fhir-service.example.org/fhir/ConceptMap/previsit"
PATH = "/fhir/QuestionnaireResponse"


@pytest.fixture(scope="module")
def stored(running: Running) -> dict[str, str]:
    """The ids of example responses to the shipped form, by name."""
    running.service.publish_shipped()
    found = {}
    for name in ("everything", "typical", "minimal", "in-progress"):
        body = (RESPONSES / f"{name}.json").read_bytes()
        reply = running.send("POST", PATH, body)
        assert reply.status_code == 201, reply.text
        found[name] = json.loads(reply.data)["id"]
    return found


def _made(reply: Any) -> list[dict[str, Any]]:
    assert reply.status_code == 200, reply.text
    given = {one["name"]: one["resource"] for one in json.loads(reply.data)["parameter"]}
    assert given["return"]["type"] == "transaction"
    return list(given["return"].get("entry", []))


def _of_type(entries: list[dict[str, Any]], type_: str) -> list[dict[str, Any]]:
    return [one["resource"] for one in entries if one["resource"]["resourceType"] == type_]


def _codes(concept: dict[str, Any]) -> list[str]:
    return [one["code"] for one in concept.get("coding", ())]


@pytest.mark.parametrize("name", ["everything", "typical", "minimal", "in-progress"])
def test_every_resource_of_an_example_is_sound_r4(
    running: Running, stored: dict[str, str], name: str
) -> None:
    entries = _made(running.send("POST", f"{PATH}/{stored[name]}/$extract"))
    for entry in entries:
        resource = entry["resource"]
        get_fhir_model_class(resource["resourceType"]).model_validate(resource)
        assert entry["request"] == {"method": "POST", "url": resource["resourceType"]}
    again = _made(running.send("GET", f"{PATH}/{stored[name]}/$extract"))
    assert again == entries


def test_symptoms_follow_the_pattern_of_hl7(running: Running, stored: dict[str, str]) -> None:
    entries = _made(running.send("POST", f"{PATH}/{stored['everything']}/$extract"))
    symptoms = [
        one
        for one in _of_type(entries, "Observation")
        if _codes(one["code"]) == ["75325-1"] and "bone-pain" in str(one["valueCodeableConcept"])
    ]
    (bone,) = symptoms
    assert _codes(bone["valueCodeableConcept"]) == ["12584003", "bone-pain"]
    assert bone["valueCodeableConcept"]["text"].startswith("Bone pain")
    assert {_codes(one["code"])[0] for one in bone["component"]} == {
        "89253-9",
        "64750-3",
        "symptom-vs-first",
    }
    assert bone["derivedFrom"] == [{"reference": f"QuestionnaireResponse/{stored['everything']}"}]
    assert bone["meta"]["tag"] == [{"system": PREVISIT, "code": "patient-reported"}]


def test_scores_stand_in_their_panel_and_pain_is_a_score(
    running: Running, stored: dict[str, str]
) -> None:
    entries = _made(running.send("POST", f"{PATH}/{stored['typical']}/$extract"))
    by_url = {one["fullUrl"]: one["resource"] for one in entries}
    (panel,) = [
        one for one in _of_type(entries, "Observation") if _codes(one["code"]) == ["69724-3"]
    ]
    members = [by_url[one["reference"]] for one in panel["hasMember"]]
    codes = [_codes(one["code"])[0] for one in members]
    assert codes[:4] == ["69725-0", "68509-9", "44250-9", "44255-8"]
    assert {"55758-7", "gad2-total"} & set(codes)
    assert all(_codes(one["category"][0]) == ["survey"] for one in members)
    pain = [one for one in _of_type(entries, "Observation") if "72514-3" in _codes(one["code"])]
    assert [one["valueQuantity"]["code"] for one in pain] == ["{score}"]


def test_medicines_are_statements_of_the_patient(running: Running, stored: dict[str, str]) -> None:
    entries = _made(running.send("POST", f"{PATH}/{stored['everything']}/$extract"))
    taken = [
        one
        for one in _of_type(entries, "MedicationStatement")
        if "text" in one["medicationCodeableConcept"] and "dosage" in one
    ]
    assert taken
    for one in taken:
        assert one["status"] in ("active", "stopped")
        assert one["informationSource"]["reference"].split("/")[0] in ("Patient", "RelatedPerson")
        assert one["meta"]["tag"][0]["code"] == "patient-reported"


def test_what_is_never_said_is_never_made(running: Running, stored: dict[str, str]) -> None:
    for name in ("everything", "typical"):
        text = json.dumps(_made(running.send("POST", f"{PATH}/{stored[name]}/$extract")))
        for code in ("none-of-these", "no-new-symptoms", "89247-1", "97509-4", "314955001"):
            assert f'"{code}"' not in text
        for type_ in ("Goal", "ServiceRequest", "Consent"):
            assert f'"resourceType": "{type_}"' not in text


def test_on_request_the_patient_is_named_by_her_identifier(running: Running) -> None:
    patient = {
        "resourceType": "Patient",
        "id": "identified",
        "identifier": [{"system": "https://clinic.example.org/mrn", "value": "A 1"}],
    }
    assert running.send("PUT", "/fhir/Patient/identified", patient).status_code == 201
    body = json.loads((RESPONSES / "typical.json").read_text("utf-8"))
    body = json.loads(json.dumps(body).replace(body["subject"]["reference"], "Patient/identified"))
    id_ = json.loads(running.send("POST", PATH, body).data)["id"]
    plain = _made(running.send("GET", f"{PATH}/{id_}/$extract"))
    assert "Patient?identifier" not in json.dumps(plain)
    entries = _made(running.send("GET", f"{PATH}/{id_}/$extract?conditional=true"))
    subjects = {one["subject"]["reference"] for one in _of_type(entries, "Observation")}
    assert subjects == {"Patient?identifier=https://clinic.example.org/mrn|A%201"}
    assert all("ifNoneExist" in one["request"] for one in entries if "Provenance" not in str(one))


def test_what_staff_is_asked_for_is_proposed(running: Running, stored: dict[str, str]) -> None:
    entries = _made(running.send("POST", f"{PATH}/{stored['everything']}/$extract"))
    tasks = _of_type(entries, "Task")
    assert tasks
    assert {one["intent"] for one in tasks} == {"proposal"}
    assert "need-none" not in json.dumps(tasks)


def test_a_response_can_be_sent_along_with_its_form(running: Running) -> None:
    document, _ = cases("extraction", "template_ids.json")[0].values
    form = {"resourceType": "Questionnaire", "status": "draft", **document["form"]}
    item = {"linkId": "who", "item": [{"linkId": "name", "answer": [{"valueString": "Example"}]}]}
    response = {"resourceType": "QuestionnaireResponse", "status": "completed", "item": [item]}
    given = {
        "resourceType": "Parameters",
        "parameter": [
            {"name": "questionnaire-response", "resource": response},
            {"name": "questionnaire", "resource": form},
            {"name": "provenance", "valueBoolean": False},
        ],
    }
    (entry,) = _made(running.send("POST", f"{PATH}/$extract", given))
    assert entry["resource"] == {"resourceType": "Patient", "name": [{"family": "Example"}]}


def test_the_response_alone_may_be_the_body(running: Running, stored: dict[str, str]) -> None:
    body = (RESPONSES / "typical.json").read_bytes()
    assert _of_type(_made(running.send("POST", f"{PATH}/$extract", body)), "Provenance")


def test_a_draft_is_extracted_and_said_to_be_one(running: Running, stored: dict[str, str]) -> None:
    reply = running.send("POST", f"{PATH}/{stored['in-progress']}/$extract")
    assert reply.status_code == 200
    assert "extract-not-final" in reply.text


def test_another_patients_answers_are_not_there(running: Running, stored: dict[str, str]) -> None:
    token = running.token("patient/*.rs", "somebody-else")
    reply = running.send("POST", f"{PATH}/{stored['typical']}/$extract", token=token)
    assert reply.status_code == 404
    blind = running.token("system/Questionnaire.r")
    assert running.send("POST", f"{PATH}/x/$extract", token=blind).status_code == 403


@pytest.mark.parametrize(
    ("given", "status"),
    [
        ([], 400),
        ([{"name": "questionnaire-response", "resource": {"resourceType": "Patient"}}], 400),
        ([{"name": "surprise", "valueBoolean": True}], 400),
    ],
)
def test_what_can_not_be_extracted_is_refused(
    running: Running, given: list[dict[str, Any]], status: int
) -> None:
    body = {"resourceType": "Parameters", "parameter": given}
    reply = running.send("POST", f"{PATH}/$extract", body)
    assert reply.status_code == status
    assert keys(reply)


def _matches(reply: Any) -> list[tuple[str, str]]:
    assert reply.status_code == 200, reply.text
    found = []
    for one in json.loads(reply.data)["parameter"]:
        if one["name"] == "match":
            parts = {part["name"]: part for part in one["part"]}
            code = parts["concept"]["valueCoding"]["code"]
            found.append((parts["equivalence"]["valueCode"], code))
    return found


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        (f"url={MAP}&system={PREVISIT}&code=nausea", [("equivalent", "422587007")]),
        (f"system={PREVISIT}&code=new-trouble-breathing", [("wider", "267036007")]),
        (f"url={MAP}&system={PREVISIT}&code=never-heard", []),
        (f"url={MAP}&system={PREVISIT}&code=declined&targetsystem=http://snomed.info/sct", []),
        (
            f"url={MAP}&system=http://snomed.info/sct&code=422587007&reverse=true",
            [("equivalent", "nausea")],
        ),
    ],
)
def test_codes_are_translated(
    running: Running, stored: dict[str, str], query: str, expected: list[tuple[str, str]]
) -> None:
    reply = running.send("GET", f"/fhir/ConceptMap/$translate?{query}")
    assert _matches(reply) == expected
    assert json.loads(reply.data)["parameter"][0] == {
        "name": "result",
        "valueBoolean": bool(expected),
    }


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("code=nausea", 400),
        (f"system={PREVISIT}", 400),
        (f"url=https://nowhere.example.org/map&system={PREVISIT}&code=nausea", 404),
    ],
)
def test_what_can_not_be_translated_is_refused(running: Running, query: str, status: int) -> None:
    assert running.send("GET", f"/fhir/ConceptMap/$translate?{query}").status_code == status
