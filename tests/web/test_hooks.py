"""The CDS Hooks service over HTTP: who may call it, what the call must bring, what comes back."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from werkzeug.test import TestResponse

from fhir_service.cds.cards import Ways
from fhir_service.cds.services import Call
from fhir_service.smart.access import Access
from fhir_service.smart.assertions import public_client_keys
from fhir_service.smart.scopes import read_scopes
from fhir_service.workflow.advise import advise
from fhir_service.workflow.caller import Caller
from fhir_service.workflow.launched import patient_id
from fhir_service.workflow.oauth.model import Client
from fhir_service.workflow.oauth.registering import must_be_sound
from tests.support.cases import cases
from tests.support.forms import FORMS, ROOT
from tests.support.service import BASE_URL, Running, answers, keys, short_form, start
from tests.support.smart import assertion, key, register

ISS = "https://ehr.example.org/cds"
EHR = "https://ehr.example.org/fhir"
PLACE = f"{BASE_URL}/cds-services"
SCOPE = "system/QuestionnaireResponse.rs"
CDS: dict[str, Any] = {"grants": ("cds-hooks",), "scope": SCOPE}
CONTEXT: dict[str, dict[str, Any]] = {
    "patient-view": {},
    "encounter-start": {"encounterId": "visit-1"},
    "appointment-book": {"appointments": {"resourceType": "Bundle", "type": "collection"}},
}
PREFETCH = {"patient": {"resourceType": "Patient", "id": "ada-example"}}


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A service that knows one EHR, whose CDS client is registered, with answers of Ada's."""
    made = start(tmp_path_factory.mktemp("cds"), EHR_BASE=EHR, LAUNCH_CLIENT_ID="previsit")
    made.service.publish_shipped()
    form = short_form() | {"id": "short-form"}
    assert made.send("PUT", "/fhir/Questionnaire/short-form", form).status_code == 201
    for name in FORMS:
        body = (ROOT / name / "responses" / "typical.json").read_bytes()
        assert made.send("POST", "/fhir/QuestionnaireResponse", body).status_code == 201
    must_be_sound(register(made, ISS, **CDS))
    register(made, "backend")
    others = public_client_keys([key("ec-other") | {"kid": "other"}])
    register(made, "other", jwks=others, **CDS)
    yield made
    made.close()


def jwt(address: str, **made: Any) -> str:
    claims = {"aud": address, "sub": None} | made.pop("claims", {})
    return assertion(ISS, claims=claims, **made).signed()


def called(hook: str, /, **members: Any) -> dict[str, Any]:
    """A call of this hook about Ada."""
    context = {"userId": "Practitioner/example", "patientId": "ada-example", **CONTEXT[hook]}
    body = {"hook": hook, "hookInstance": str(uuid4()), "fhirServer": EHR, "context": context}
    return {k: v for k, v in (body | members).items() if v is not None}


def post(running: Running, path: str, body: object, token: str | None = None) -> TestResponse:
    address = f"{PLACE}/{path}"
    return running.send(
        "POST",
        f"/cds-services/{path}",
        body,
        token=token or jwt(address),
        headers={"Content-Type": "application/json"},
    )


def cards(reply: TestResponse) -> list[dict[str, Any]]:
    assert reply.status_code == 200, reply.text
    found: list[dict[str, Any]] = json.loads(reply.data)["cards"]
    return found


def about(hook: str = "patient-view", **context: Any) -> dict[str, Any]:
    body = called(hook)
    said = body["context"] | context
    return body | {"context": {k: v for k, v in said.items() if v is not None}}


def test_a_caller_made_of_the_discovery_document_gets_a_card_of_each_service(
    running: Running,
) -> None:
    """It knows nothing of us but the document and what the standard says of each hook."""
    reply = running.client.get("/cds-services")
    assert reply.status_code == 200
    services = json.loads(reply.data)["services"]
    assert len(services) == 3
    for service in services:
        assert all(isinstance(service[name], str) for name in ("hook", "id", "description"))
        for more in ({}, {"prefetch": PREFETCH}):
            (card,) = cards(post(running, service["id"], called(service["hook"], **more)))
            assert 0 < len(card["summary"]) < 140
            assert card["indicator"] in ("info", "warning", "critical")
            assert card["source"]["label"]
            assert {link["type"] for link in card["links"]} <= {"absolute", "smart"}
            for link in card["links"]:
                assert link["label"]
                assert link["url"].startswith("https://")
                assert link["type"] == "smart" or "appContext" not in link


def test_the_card_leads_to_the_page_of_the_newest_answers(running: Running) -> None:
    (card,) = cards(post(running, "patient-view", called("patient-view")))
    assert card["indicator"] == "warning"
    assert "CALL NOW" in card["summary"]
    smart, absolute = card["links"]
    response = json.loads(smart["appContext"])["response"]
    assert absolute["url"] == f"{BASE_URL}/summary/{response}/"
    assert smart["url"] == f"{BASE_URL}/launch"
    read = running.send("GET", f"/fhir/QuestionnaireResponse/{response}")
    assert json.loads(read.data)["subject"]["reference"] == "Patient/ada-example"


@pytest.mark.parametrize("prefetch", [{}, {"patient": None}, {"patient": {}}])
def test_a_prefetch_that_holds_nothing_is_taken(
    running: Running, prefetch: dict[str, Any]
) -> None:
    """MedplumClient sends an empty one; null stands for what could not be had."""
    assert cards(post(running, "patient-view", called("patient-view", prefetch=prefetch)))
    nobody = about(patientId="")
    assert post(running, "patient-view", nobody | {"prefetch": prefetch}).status_code == 400


def test_another_patient_is_not_shown(running: Running) -> None:
    worry = [
        {"linkId": "pain", "answer": [{"valueInteger": 2}]},
        {"linkId": "worry", "answer": [{"valueString": "words of beatrix alone"}]},
    ]
    sent = running.send("POST", "/fhir/QuestionnaireResponse", answers("beatrix", item=worry))
    assert sent.status_code == 201, sent.text
    reply = post(running, "patient-view", about(patientId="beatrix"))
    (card,) = cards(reply)
    assert "CALL NOW" not in reply.text
    assert json.loads(sent.data)["id"] in card["links"][-1]["url"]
    assert "beatrix" not in post(running, "patient-view", called("patient-view")).text
    assert cards(post(running, "patient-view", about(patientId="never-there"))) == []


def test_there_is_no_card_of_what_was_not_sent(running: Running) -> None:
    begun = answers("cleo", "in-progress")
    assert running.send("POST", "/fhir/QuestionnaireResponse", begun).status_code == 201
    assert cards(post(running, "patient-view", about(patientId="cleo"))) == []


@pytest.mark.parametrize(("minutes", "number"), [(-5, 1), (5, 0)])
def test_there_is_no_card_once_the_days_of_a_visit_are_over(
    running: Running, minutes: int, number: int
) -> None:
    """As if the call came that much before, or after, the answers are visit_days old."""
    site = running.service.site
    later = timedelta(days=site.visit_days, minutes=minutes)

    class Later:
        def now(self) -> datetime:
            return site.clock.now() + later

    caller = Caller(ISS, "jti", Access(read_scopes(SCOPE)))
    call = Call("ada-example", "Practitioner/example", EHR)
    then = replace(site, clock=Later())
    found = advise(then, caller, running.service.launchers, call, lambda id_, _: Ways(id_))
    assert len(found["cards"]) == number


@pytest.mark.parametrize("user", ["Patient/ada-example", "RelatedPerson/son", "nobody"])
def test_a_patient_who_books_for_herself_is_shown_no_card(running: Running, user: str) -> None:
    assert cards(post(running, "appointment-book", about("appointment-book", userId=user))) == []


def test_without_fhir_server_the_ids_are_those_of_the_one_ehr_and_nothing_is_launched(
    running: Running,
) -> None:
    (card,) = cards(post(running, "patient-view", called("patient-view", fhirServer=None)))
    assert [link["type"] for link in card["links"]] == ["absolute"]
    (card,) = cards(post(running, "patient-view", called("patient-view", fhirServer=f"{EHR}/")))
    assert len(card["links"]) == 2


def test_a_server_that_is_not_set_up_can_not_be_answered(running: Running) -> None:
    elsewhere = called("patient-view", fhirServer="https://elsewhere.example.org/fhir")
    reply = post(running, "patient-view", elsewhere)
    assert reply.status_code == 412
    assert keys(reply) == ["cds-unknown-server"]


def test_the_same_id_at_another_ehr_is_another_patient(tmp_path: Path) -> None:
    other = "https://other.example.org/fhir"
    file = tmp_path / "ehrs.toml"
    file.write_text(f'[[ehr]]\nbase = "{other}"\nclient_id = "previsit"\nname = "Other"\n')
    made = start(tmp_path, EHR_BASE=EHR, LAUNCH_CLIENT_ID="previsit", LAUNCH_EHRS=str(file))
    form = short_form() | {"id": "short-form"}
    assert made.send("PUT", "/fhir/Questionnaire/short-form", form).status_code == 201
    register(made, ISS, **CDS)
    there = made.service.launchers.ehrs[other]
    for id_ in ("ada-example", patient_id(there, "eve")):
        sent = made.send("POST", "/fhir/QuestionnaireResponse", answers(id_))
        assert sent.status_code == 201, sent.text
    asked = about()
    assert len(cards(post(made, "patient-view", asked))) == 1
    assert cards(post(made, "patient-view", asked | {"fhirServer": other})) == []
    assert len(cards(post(made, "patient-view", about(patientId="eve") | {"fhirServer": other})))
    without = {k: v for k, v in asked.items() if k != "fhirServer"}
    assert post(made, "patient-view", without).status_code == 412
    made.close()


@pytest.mark.parametrize(("_document", "case"), cases("cds"))
def test_a_jwt_is_answered_as_it_deserves(
    running: Running, _document: Any, case: dict[str, Any]
) -> None:
    def filled(value: Any) -> Any:
        if isinstance(value, list):
            return [filled(one) for one in value]
        return value.replace("{place}", PLACE) if isinstance(value, str) else value

    claims = {name: filled(value) for name, value in case.get("claims", {}).items()}
    token = jwt(
        f"{PLACE}/patient-view",
        claims=claims,
        header=case.get("header"),
        signing=case.get("key", "ec"),
    )
    reply = post(running, "patient-view", called("patient-view"), token)
    assert reply.status_code == case["status"], reply.text
    if case["status"] == 401:
        assert "CALL" not in reply.text
        assert reply.headers["WWW-Authenticate"].startswith("Bearer")


def test_a_jwt_is_good_once(running: Running) -> None:
    token = jwt(f"{PLACE}/patient-view")
    assert len(cards(post(running, "patient-view", called("patient-view"), token))) == 1
    assert post(running, "patient-view", called("patient-view"), token).status_code == 401


def test_neither_an_access_token_nor_nothing_opens_a_service(running: Running) -> None:
    for token in (running.token(), "nonsense", "a.b.c"):
        assert post(running, "patient-view", called("patient-view"), token).status_code == 401
    assert running.client.post("/cds-services/patient-view", json={}).status_code == 401


def test_a_jwt_of_a_cds_client_opens_nothing_else(running: Running) -> None:
    path = "/fhir/QuestionnaireResponse"
    reply = running.send("GET", path, token=jwt(f"{BASE_URL}{path}"))
    assert reply.status_code == 401


def test_where_no_client_is_registered_every_call_is_refused(tmp_path: Path) -> None:
    made = start(tmp_path)
    assert made.client.get("/cds-services").status_code == 200
    assert post(made, "patient-view", called("patient-view")).status_code == 401
    made.close()


def test_a_client_that_may_not_read_answers_gets_none(tmp_path: Path) -> None:
    made = start(tmp_path, EHR_BASE=EHR)
    register(made, ISS, **(CDS | {"scope": "system/Questionnaire.rs"}))
    assert post(made, "patient-view", called("patient-view")).status_code == 403
    made.close()


@pytest.mark.parametrize(
    ("hook", "change"),
    [
        ("patient-view", {"hook": "encounter-start"}),
        ("patient-view", {"hook": None}),
        ("patient-view", {"hookInstance": None}),
        ("patient-view", {"hookInstance": "seven"}),
        ("patient-view", {"context": None}),
        ("patient-view", {"context": {"userId": "Practitioner/example"}}),
        ("patient-view", {"context": {"patientId": "ada-example"}}),
        ("patient-view", {"context": {"userId": "Practitioner/example", "patientId": "../x"}}),
        ("patient-view", {"prefetch": "all"}),
        ("patient-view", {"fhirServer": 7}),
        (
            "encounter-start",
            {"context": {"userId": "Practitioner/example", "patientId": "ada-example"}},
        ),
        (
            "appointment-book",
            {"context": {"userId": "Practitioner/example", "patientId": "ada-example"}},
        ),
    ],
)
def test_a_bad_call_is_told_what_to_mend(
    running: Running, hook: str, change: dict[str, Any]
) -> None:
    reply = post(running, hook, called(hook, **change))
    assert reply.status_code == 400
    assert keys(reply) == ["not-understood"]


def test_what_is_no_json_or_no_service_is_refused(running: Running) -> None:
    assert post(running, "patient-view", b"{").status_code == 400
    assert post(running, "patient-view", b"[]").status_code == 400
    assert post(running, "no-such", called("patient-view")).status_code == 404


def test_feedback_is_counted_in_the_audit_without_a_clinicians_words(running: Running) -> None:
    (card,) = cards(post(running, "patient-view", called("patient-view")))
    told = {
        "card": card["uuid"],
        "outcome": "overridden",
        "overrideReason": {"userComment": "Zyx"},
    }
    path = "patient-view/feedback"
    reply = post(running, path, {"feedback": [told, told | {"outcome": "accepted"}]})
    assert reply.status_code == 200, reply.text
    found = running.send("GET", "/fhir/AuditEvent?_count=200").text
    assert "accepted=1&overridden=1" in found
    assert "Zyx" not in found
    bad: dict[str, Any]
    for bad in ({}, {"feedback": []}, {"feedback": [{"card": "x", "outcome": "liked"}]}):
        assert post(running, path, bad).status_code == 400


def test_a_card_leaves_its_line_in_the_audit(running: Running) -> None:
    reply = post(running, "patient-view", called("patient-view"))
    found = json.loads(running.send("GET", "/fhir/AuditEvent?_count=50&patient=ada-example").data)
    asked = reply.headers["X-Request-Id"]
    (event,) = [e["resource"] for e in found["entry"] if asked in json.dumps(e)]
    assert event["subtype"][0]["code"] == "cds-call"
    assert ISS in json.dumps(event)


def test_the_token_endpoint_gives_a_cds_client_nothing(running: Running) -> None:
    client = running.service.authorizations.client(ISS)
    assert isinstance(client, Client)
    assert client.grants == ("cds-hooks",)
    form = {
        "grant_type": "client_credentials",
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        "client_assertion": assertion(ISS).signed(),
    }
    assert running.client.post("/auth/token", data=form).status_code in (400, 401)
