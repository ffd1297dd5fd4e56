"""A batch does each entry by itself; a transaction all of them, or none."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.support.service import FORM_URL, Running, answers, short_form

ADA = "urn:uuid:6f1b7a3c-0c63-4c8e-9f0b-1f6b7b1f0001"


def entry(method: str, url: str, resource: object = None, **more: Any) -> dict[str, Any]:
    request = {"method": method, "url": url} | {k: v for k, v in more.items() if k != "fullUrl"}
    made: dict[str, Any] = {"request": request}
    if resource is not None:
        made["resource"] = resource
    if "fullUrl" in more:
        made["fullUrl"] = more["fullUrl"]
    return made


def bundle(kind: str, *entries: dict[str, Any]) -> dict[str, Any]:
    return {"resourceType": "Bundle", "type": kind, "entry": list(entries)}


def done(running: Running, sent: object, **asked: Any) -> list[dict[str, Any]]:
    reply = running.send("POST", "/fhir", sent, **asked)
    assert reply.status_code == 200, reply.text
    made = json.loads(reply.data)
    assert made["resourceType"] == "Bundle"
    assert made["type"] in ("batch-response", "transaction-response")
    found: list[dict[str, Any]] = made["entry"]
    return found


def statuses(found: list[dict[str, Any]]) -> list[str]:
    return [one["response"]["status"][:3] for one in found]


def of(patient: str, **changes: Any) -> dict[str, Any]:
    return answers(patient, **changes)


def test_each_entry_of_a_batch_stands_for_itself(running: Running) -> None:
    before = running.kept()
    found = done(
        running,
        bundle(
            "batch",
            entry("POST", "QuestionnaireResponse", of("bat")),
            entry("POST", "QuestionnaireResponse", {"resourceType": "QuestionnaireResponse"}),
            entry("GET", "Questionnaire/short-form"),
            entry("GET", "Questionnaire/none"),
            entry("GET", "Questionnaire?_id=short-form"),
            entry("GET", "Medication/1"),
            entry("DELETE", "Patient/none"),
        ),
    )
    assert statuses(found) == ["201", "400", "200", "404", "200", "404", "405"]
    assert running.kept() == before + 1
    assert found[0]["response"]["location"].endswith("/_history/1")
    assert found[0]["response"]["etag"] == 'W/"1"'
    assert found[1]["response"]["outcome"]["resourceType"] == "OperationOutcome"
    assert found[2]["resource"]["id"] == "short-form"
    assert found[4]["resource"]["type"] == "searchset"


def test_links_of_a_transaction_lead_to_where_the_resources_lie(running: Running) -> None:
    sent = bundle(
        "transaction",
        entry("POST", "QuestionnaireResponse", of("x", subject={"reference": ADA})),
        entry("POST", "Patient", {"resourceType": "Patient", "active": True}, fullUrl=ADA),
    )
    found = done(running, sent, headers={"Prefer": "return=representation"})
    assert statuses(found) == ["201", "201"]
    patient = f"Patient/{found[1]['resource']['id']}"
    assert found[0]["resource"]["subject"] == {"reference": patient}
    read = running.send("GET", f"/fhir/QuestionnaireResponse?patient={patient}&_summary=count")
    assert json.loads(read.data)["total"] == 1


def test_decimals_and_blanks_of_a_resource_in_a_bundle_stay_as_they_were(
    running: Running,
) -> None:
    body = json.dumps(of("dec")).replace('"item": [', '"item":  [', 1)
    fever = '{"linkId": "fever", "answer": [{"valueBoolean": true}]}'
    highest = '{"linkId": "highest", "answer": [{"valueDecimal": 38.10}]}'
    worry = '{"linkId": "worry"'
    body = body.replace(worry, f"{fever}, {highest}, {worry}")
    request = '{"method":"POST","url":"QuestionnaireResponse"}'
    sent = f'{{"request":{request},"resource":{body}}}'
    raw = f'{{"resourceType":"Bundle","type":"transaction","entry":[{sent}]}}'.encode()
    (made,) = done(running, raw)
    place = made["response"]["location"].split("/fhir/")[1]
    text = running.send("GET", f"/fhir/{place}").text
    assert "38.10" in text
    assert '"item":  [' in text


@pytest.mark.parametrize("broken", [0, 1])
def test_of_a_transaction_that_fails_nothing_is_stored(running: Running, broken: int) -> None:
    entries = [
        entry("POST", "QuestionnaireResponse", of("all")),
        entry("PUT", "Patient/all", {"resourceType": "Patient", "id": "all"}),
        entry(
            "PUT",
            "Questionnaire/draft-of-all",
            short_form("9.9.9", "draft") | {"id": "draft-of-all"},
        ),
    ]
    entries.insert(broken, entry("POST", "QuestionnaireResponse", of("all", status="nonsense")))
    before = running.kept()
    reply = running.send("POST", "/fhir", bundle("transaction", *entries))
    assert reply.status_code in (400, 422), reply.text
    assert f"Bundle.entry[{broken}]" in reply.text
    assert running.kept() == before
    assert running.send("GET", "/fhir/Patient/all").status_code == 404
    assert running.send("GET", "/fhir/Questionnaire/draft-of-all").status_code == 404


def test_a_form_and_its_answers_can_come_together(running: Running) -> None:
    sent = bundle(
        "transaction",
        entry("POST", "Questionnaire", short_form("7.7.7")),
        entry("POST", "QuestionnaireResponse", of("tog", questionnaire=f"{FORM_URL}|7.7.7")),
    )
    assert statuses(done(running, sent)) == ["201", "201"]


def test_deletes_come_first_and_gets_last(running: Running) -> None:
    draft = of("ord", status="in-progress")
    id_ = json.loads(running.send("POST", "/fhir/QuestionnaireResponse", draft).data)["id"]
    query = "QuestionnaireResponse?patient=ord&_summary=count"
    sent = bundle(
        "transaction",
        entry("GET", query),
        entry("POST", "QuestionnaireResponse", of("ord")),
        entry("DELETE", f"QuestionnaireResponse/{id_}"),
    )
    found = done(running, sent)
    assert statuses(found) == ["200", "201", "204"]
    assert found[0]["resource"]["total"] == 1


@pytest.mark.parametrize("kind", ["batch", "transaction"])
def test_conditions_hold_in_entries(running: Running, kind: str) -> None:
    body = of("con", identifier={"system": "urn:b", "value": f"con-{kind}"})
    post = entry("POST", "QuestionnaireResponse", body, ifNoneExist=f"identifier=urn:b|con-{kind}")
    assert statuses(done(running, bundle(kind, post))) == ["201"]
    assert statuses(done(running, bundle(kind, post, post))) == ["200", "200"]
    put = entry("PUT", "Patient/con", {"resourceType": "Patient", "id": "con"}, ifMatch='W/"7"')
    reply = running.send("POST", "/fhir", bundle(kind, put))
    text = reply.text
    assert ("412" in text) if kind == "batch" else reply.status_code == 412, text


def test_a_link_to_what_matches_leads_there(running: Running) -> None:
    body = {"resourceType": "Patient", "identifier": [{"system": "urn:p", "value": "lnk"}]}
    there = json.loads(running.send("POST", "/fhir/Patient", body).data)["id"]
    sent = bundle(
        "transaction",
        entry("POST", "Patient", body, fullUrl=ADA, ifNoneExist="identifier=urn:p|lnk"),
        entry("POST", "QuestionnaireResponse", of("x", subject={"reference": ADA})),
    )
    assert statuses(done(running, sent)) == ["200", "201"]
    reply = running.send("GET", f"/fhir/QuestionnaireResponse?patient={there}&_summary=count")
    assert json.loads(reply.data)["total"] == 1


REFUSED: list[tuple[str, object, int]] = [
    ("a document", bundle("document"), 400),
    ("another resource", {"resourceType": "Patient"}, 400),
    (
        "the same resource twice",
        bundle(
            "transaction",
            entry("PUT", "Patient/two", {"resourceType": "Patient", "id": "two"}),
            entry("DELETE", "Patient/two"),
        ),
        400,
    ),
    (
        "the same fullUrl twice",
        bundle(
            "transaction",
            *[entry("POST", "Patient", {"resourceType": "Patient"}, fullUrl=ADA)] * 2,
        ),
        400,
    ),
    ("too many entries", bundle("batch", *[entry("GET", "Patient/none")] * 201), 413),
    ("an entry without request", bundle("batch", {"resource": {"resourceType": "Patient"}}), 400),
    ("an operation", bundle("transaction", entry("POST", "Questionnaire/$validate", {})), 400),
    ("another method", bundle("transaction", entry("PATCH", "Patient/a", {})), 400),
    (
        "another server",
        bundle("transaction", entry("GET", "https://evil.example.org/Patient/a")),
        400,
    ),
]


@pytest.mark.parametrize(("sent", "status"), [r[1:] for r in REFUSED], ids=[r[0] for r in REFUSED])
def test_what_is_no_sound_batch_or_transaction_is_refused(
    running: Running, sent: object, status: int
) -> None:
    reply = running.send("POST", "/fhir", sent)
    assert reply.status_code == status, reply.text
    assert json.loads(reply.data)["resourceType"] == "OperationOutcome"


def test_each_entry_has_its_line_in_the_audit(running: Running) -> None:
    sent = bundle(
        "transaction",
        entry("POST", "QuestionnaireResponse", of("aud")),
        entry("GET", "QuestionnaireResponse?patient=aud"),
    )
    reply = running.send("POST", "/fhir", sent)
    running.service.store.write_notes()
    rows = running.service.store.database.rows(
        "SELECT interaction, patient FROM audit WHERE request_id = ? ORDER BY id",
        (reply.headers["X-Request-Id"],),
    )
    assert [tuple(row) for row in rows] == [
        ("create", "aud"),
        ("search-type", "aud"),
        ("batch", None),
    ]
