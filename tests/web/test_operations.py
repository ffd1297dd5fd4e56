"""The operations over HTTP: what they take, what they answer, and in which form."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from fhir.resources.R4B.bundle import Bundle

from tests.support.service import Running, answers, issues, keys, short_form

ROOT = Path(__file__).parent.parent.parent / "questionnaires"
RESPONSES = "/fhir/QuestionnaireResponse"
COLOURS = "https://clinic.example.org/fhir/CodeSystem/hues"
HUES = "https://clinic.example.org/fhir/ValueSet/hues"


def as_parameters(name: str, resource: dict[str, Any]) -> dict[str, Any]:
    return {"resourceType": "Parameters", "parameter": [{"name": name, "resource": resource}]}


@pytest.fixture(scope="module")
def hues(running: Running) -> Running:
    """The service with a code system and a value set of hues."""
    system = {
        "resourceType": "CodeSystem",
        "id": "hues",
        "url": COLOURS,
        "version": "1",
        "status": "active",
        "content": "complete",
        "concept": [
            {
                "code": "red",
                "display": "Red",
                "designation": [{"language": "es", "value": "Rojo"}],
            },
            {"code": "blue", "display": "Blue"},
        ],
    }
    value_set = {
        "resourceType": "ValueSet",
        "id": "hues",
        "url": HUES,
        "version": "1",
        "status": "active",
        "compose": {"include": [{"system": COLOURS}]},
    }
    assert running.send("PUT", "/fhir/CodeSystem/hues", system).status_code == 201
    assert running.send("PUT", "/fhir/ValueSet/hues", value_set).status_code == 201
    return running


@pytest.fixture(scope="module")
def sent(running: Running) -> str:
    """The address of a typical response to the shipped form."""
    running.service.publish_shipped()
    path = ROOT / "previsit-recurrent-breast" / "responses" / "typical.json"
    reply = running.send("POST", RESPONSES, path.read_bytes())
    assert reply.status_code == 201, reply.text
    return f"{RESPONSES}/{json.loads(reply.data)['id']}"


@pytest.mark.parametrize("wrapped", [False, True])
def test_validate_tells_every_finding_and_stores_nothing(running: Running, wrapped: bool) -> None:
    before = running.kept()
    for response, right in ((answers(), True), (answers(item=[{"linkId": "pain"}]), False)):
        body = as_parameters("resource", response) if wrapped else response
        reply = running.send("POST", f"{RESPONSES}/$validate", body)
        assert reply.status_code == 200, reply.text
        assert any(i["severity"] == "error" for i in issues(reply)) is not right
    assert running.kept() == before


def test_validate_tells_what_is_no_response_at_all(running: Running) -> None:
    reply = running.send("POST", f"{RESPONSES}/$validate", b'{"resourceType":')
    assert reply.status_code == 200
    assert issues(reply)[0]["severity"] in ("error", "fatal")


def test_validate_reads_a_form(running: Running) -> None:
    path = "/fhir/Questionnaire/$validate"
    assert "error" not in {i["severity"] for i in issues(running.send("POST", path, short_form()))}
    twice = short_form()
    twice["item"].append(twice["item"][0])
    found = issues(running.send("POST", path, twice))
    assert any(i["severity"] == "error" for i in found)


def test_process_response_checks_and_stores(running: Running) -> None:
    before = running.kept()
    for body in (answers(), as_parameters("response", answers())):
        reply = running.send("POST", "/fhir/$process-response", body)
        assert reply.status_code == 200, reply.text
        assert keys(reply)[0] == "processed"
    assert running.kept() == before + 2
    refused = running.send("POST", "/fhir/$process-response", answers(questionnaire="urn:none|1"))
    assert refused.status_code == 422
    assert running.kept() == before + 2


def test_a_summary_comes_in_the_form_that_is_asked_for(running: Running, sent: str) -> None:
    document = running.send("GET", f"{sent}/$summary")
    assert document.status_code == 200, document.text
    assert document.headers["Content-Type"].startswith("application/fhir+json")
    bundle = json.loads(document.data)
    Bundle.model_validate(bundle)
    assert bundle["type"] == "document"
    text = running.send("GET", f"{sent}/$summary", headers={"Accept": "text/plain"})
    assert text.headers["Content-Type"].startswith("text/plain")
    assert "Not reviewed before this visit" in text.text
    page = running.send("POST", f"{sent}/$summary?_format=html")
    assert page.headers["Content-Type"].startswith("text/html")
    assert "script" not in page.headers["Content-Security-Policy"]
    assert "Not reviewed before this visit" in page.text
    assert running.send("GET", f"{sent}/$summary?_format=xml").status_code == 406


def test_a_summary_comes_as_pdf(running: Running, sent: str) -> None:
    pdf = running.send("GET", f"{sent}/$summary", headers={"Accept": "application/pdf"})
    assert pdf.status_code == 200, pdf.text
    assert pdf.headers["Content-Type"] == "application/pdf"
    assert pdf.data.startswith(b"%PDF-")


def test_a_draft_has_no_summary(running: Running) -> None:
    draft = running.send("POST", RESPONSES, answers(status="in-progress"))
    id_ = json.loads(draft.data)["id"]
    assert running.send("GET", f"{RESPONSES}/{id_}/$summary").status_code == 409
    assert running.send("GET", f"{RESPONSES}/never-there/$summary").status_code == 404


def test_a_value_set_is_expanded_by_url_by_id_and_in_a_body(hues: Running) -> None:
    asked = {
        "resourceType": "Parameters",
        "parameter": [{"name": "url", "valueUri": HUES}, {"name": "filter", "valueString": "bl"}],
    }
    by_url = hues.send("GET", f"/fhir/ValueSet/$expand?url={HUES}&_format=json")
    by_id = hues.send("GET", "/fhir/ValueSet/hues/$expand?count=1&offset=1")
    by_body = hues.send("POST", "/fhir/ValueSet/$expand", asked)
    codes = [
        [c["code"] for c in json.loads(reply.data)["expansion"]["contains"]]
        for reply in (by_url, by_id, by_body)
    ]
    assert codes == [["red", "blue"], ["blue"], ["blue"]]


@pytest.mark.parametrize(
    ("headers", "query", "display"),
    [
        ({}, "", "Red"),
        ({"Accept-Language": "es"}, "", "Rojo"),
        ({"Accept-Language": "es"}, "&displayLanguage=en", "Red"),
    ],
)
def test_displays_come_in_the_language_that_is_asked_for(
    hues: Running, headers: dict[str, str], query: str, display: str
) -> None:
    reply = hues.send("GET", f"/fhir/ValueSet/$expand?url={HUES}{query}", headers=headers)
    assert json.loads(reply.data)["expansion"]["contains"][0]["display"] == display


def test_a_code_is_validated_and_looked_up(hues: Running) -> None:
    for path in (
        f"/fhir/ValueSet/$validate-code?url={HUES}&system={COLOURS}&code=red",
        f"/fhir/ValueSet/hues/$validate-code?system={COLOURS}&code=red",
    ):
        result = json.loads(hues.send("GET", path).data)["parameter"]
        assert {"name": "result", "valueBoolean": True} in result
    found = hues.send("GET", f"/fhir/CodeSystem/$lookup?system={COLOURS}&code=red")
    assert {"name": "display", "valueString": "Red"} in json.loads(found.data)["parameter"]
    missing = hues.send("GET", f"/fhir/CodeSystem/$lookup?system={COLOURS}&code=green")
    assert missing.status_code == 404


@pytest.mark.parametrize(
    ("query", "status"),
    [("url=urn:none", 404), ("", 400), ("url=urn:x&colour=red", 400), ("url=urn:x&count=a", 400)],
)
def test_a_question_that_can_not_be_answered_is_refused(
    hues: Running, query: str, status: int
) -> None:
    reply = hues.send("GET", f"/fhir/ValueSet/$expand?{query}")
    assert reply.status_code == status, reply.text
    assert issues(reply)


def test_operations_need_their_scope(hues: Running, sent: str) -> None:
    token = hues.token("system/Patient.rs")
    for method, path in (
        ("GET", f"/fhir/ValueSet/$expand?url={HUES}"),
        ("GET", f"/fhir/CodeSystem/$lookup?system={COLOURS}&code=red"),
        ("GET", f"{sent}/$summary"),
        ("POST", f"{RESPONSES}/$validate"),
        ("POST", "/fhir/$process-response"),
    ):
        body = answers() if method == "POST" else None
        assert hues.send(method, path, body, token=token).status_code == 403, path
