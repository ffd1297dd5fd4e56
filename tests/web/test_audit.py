"""Every access leaves its AuditEvent, shaped as R4 and BALP have it; and no name stands in one."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fhir.resources.R4B.auditevent import AuditEvent
from fhir.resources.R4B.provenance import Provenance
from flask import Response
from werkzeug.test import TestResponse

from fhir_service.fhir.search_parameters import parameters_of
from fhir_service.store import noting
from fhir_service.web.auditing import MOST_OF_NOBODY, interaction_of, withheld
from fhir_service.web.guard import OPEN, caller
from fhir_service.web.page_table import PAGES
from tests.support.cases import cases
from tests.support.service import Running, answers, short_form, start

RESPONSES = "/fhir/QuestionnaireResponse"


@pytest.fixture(scope="module")
def audited(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    running = start(tmp_path_factory.mktemp("audit"))
    form = short_form() | {"id": "short-form"}
    assert running.send("PUT", "/fhir/Questionnaire/short-form", form).status_code == 201
    yield running
    running.close()


def events(running: Running, query: str = "") -> list[dict[str, Any]]:
    """The AuditEvents that an officer finds, the newest first."""
    reply = running.send("GET", f"/fhir/AuditEvent?_count=200&{query}")
    assert reply.status_code == 200, reply.text
    return [entry["resource"] for entry in json.loads(reply.data).get("entry", ())]


def event_of(running: Running, reply: TestResponse) -> dict[str, Any]:
    """The one AuditEvent of the request that was answered so."""
    asked = json.dumps({"value": reply.headers["X-Request-Id"]})
    (found,) = [event for event in events(running) if asked in json.dumps(event)]
    return found


def code(event: dict[str, Any]) -> str:
    return str(event["subtype"][0]["code"])


def patient_of(event: dict[str, Any]) -> str | None:
    found = [
        e["what"]["reference"]
        for e in event.get("entity", ())
        if e.get("role", {}).get("code") == "1"
    ]
    return found[0] if found else None


def submitted(running: Running, patient: str = "ada") -> str:
    reply = running.send("POST", RESPONSES, answers(patient))
    assert reply.status_code == 201, reply.text
    return str(json.loads(reply.data)["id"])


def test_each_interaction_has_its_event(audited: Running) -> None:
    id_ = submitted(audited)
    place = f"{RESPONSES}/{id_}"
    form = (("Content-Type", "application/x-www-form-urlencoded"),)
    amended = answers(status="amended") | {"id": id_, "language": "en"}
    for method, path, body, headers, interaction, action in (
        ("GET", place, None, (), "read", "R"),
        ("GET", f"{place}/_history/1", None, (), "vread", "R"),
        ("GET", f"{place}/_history", None, (), "history-instance", "R"),
        ("GET", f"{RESPONSES}?patient=ada", None, (), "search-type", "E"),
        ("POST", f"{RESPONSES}/_search", b"patient=ada", form, "search-type", "E"),
        ("GET", f"{place}/$summary", None, (("Accept", "text/plain"),), "$summary", "E"),
        ("PUT", place, amended, (), "update", "U"),
    ):
        reply = audited.send(method, path, body, headers=dict(headers))
        assert reply.status_code == 200, reply.text
        event = event_of(audited, reply)
        where = (interaction, event)
        assert (code(event), event["action"], event["outcome"]) == (interaction, action, "0"), (
            where
        )
        assert patient_of(event) == "Patient/ada", where


def test_a_search_that_finds_several_patients_has_an_event_for_each(audited: Running) -> None:
    for patient in ("eve", "fay"):
        submitted(audited, patient)
    reply = audited.send("GET", f"{RESPONSES}?subject=Patient/eve,Patient/fay")
    found = [e for e in events(audited) if reply.headers["X-Request-Id"] in json.dumps(e)]
    assert {patient_of(event) for event in found} == {"Patient/eve", "Patient/fay"}


def test_a_refused_access_names_the_patient_it_was_after_and_why(audited: Running) -> None:
    id_ = submitted(audited, "gil")
    stranger = audited.token("patient/*.rs", "hal")
    reply = audited.send("GET", f"{RESPONSES}/{id_}", token=stranger)
    assert reply.status_code == 404
    event = event_of(audited, reply)
    assert (event["outcome"], event["outcomeDesc"]) == ("4", "not-found")
    assert patient_of(event) == "Patient/gil"
    assert [e["id"] for e in events(audited, "patient=gil&outcome=4")] == [event["id"]]


def test_what_is_refused_without_a_token_is_told_and_can_not_fill_the_disk(
    tmp_path: Path,
) -> None:
    audited = start(tmp_path)
    for _ in range(MOST_OF_NOBODY + 50):
        assert audited.client.get("/fhir/Patient/Grazia-Canary").status_code == 401
    found = events(audited, "altid=nobody")
    assert 0 < len(found) <= 2 * MOST_OF_NOBODY
    assert "Grazia" not in json.dumps(found)
    audited.close()


def test_events_are_fhir(audited: Running) -> None:
    id_ = submitted(audited)
    audited.send("POST", RESPONSES, {"resourceType": "QuestionnaireResponse"})
    audited.send("GET", f"{RESPONSES}/{id_}")
    audited.send("GET", f"{RESPONSES}?patient=ada")
    found = events(audited)
    assert len(found) > 3
    for event in found:
        AuditEvent.model_validate(event)


@pytest.mark.parametrize(("_document", "case"), cases("audit", "searches.json"))
def test_an_officer_finds_events_by_each_parameter(
    audited: Running, _document: Any, case: dict[str, Any]
) -> None:
    submitted(audited, "ivy")
    audited.send("GET", f"{RESPONSES}?patient=ivy")
    audited.send("GET", f"{RESPONSES}/none-there")
    found = events(audited, case["query"])
    assert bool(found) == case["found"], case["query"]
    for event in found:
        assert case.get("each", "") in json.dumps(event), event


def test_each_parameter_of_the_audit_has_a_case_that_finds_and_one_that_does_not() -> None:
    (document,) = {id(c.values[0]): c.values[0] for c in cases("audit", "searches.json")}.values()
    for parameter in parameters_of("AuditEvent"):
        found = {
            case["found"]
            for case in document["cases"]
            if case["query"].split("=")[0].split(":")[0] == parameter.name
        }
        assert found == {True, False}, parameter.name


@pytest.mark.parametrize(("_document", "case"), cases("audit", "withheld.json"))
def test_a_search_is_kept_without_what_could_name_anybody(
    _document: Any, case: dict[str, Any]
) -> None:
    assert withheld(case["type"], [tuple(pair) for pair in case["given"]]) == case["kept"]


def test_the_query_stands_in_the_event_as_balp_has_it(audited: Running) -> None:
    asked = f"{RESPONSES}?patient=Grazia-Canary&authored=ge2026-01-01&_count=5"
    event = event_of(audited, audited.send("GET", asked))
    (entity,) = [e for e in event["entity"] if "query" in e]
    kept = "QuestionnaireResponse?patient=*&authored=ge2026-01-01&_count=5"
    assert base64.b64decode(entity["query"]).decode() == entity["description"] == kept


def unaudited(running: Running) -> list[str]:
    """The routes whose answer leaves no line in the audit, of all that are not open."""
    app, found = running.client.application, []
    for rule in list(app.url_map.iter_rules()):
        if rule.endpoint in {*OPEN, *PAGES}:
            continue
        method = next(m for m in ("GET", "POST", "PUT", "DELETE") if m in (rule.methods or ()))
        path = rule.rule.replace("<id_>", "none").replace("<path:rest>", "x")
        path = path.replace("<int(max=999999999):version>", "1")
        reply = running.send(method, path, {} if method in ("POST", "PUT") else None)
        asked = reply.headers["X-Request-Id"]
        running.service.store.write_notes()
        rows = running.service.store.database.rows(
            "SELECT interaction FROM audit WHERE request_id = ?", (asked,)
        )
        if {row[0] for row in rows} != {interaction_of(rule.endpoint)[0]}:
            found.append(f"{method} {rule.rule}")
    return found


def test_every_route_is_audited(audited: Running) -> None:
    assert unaudited(audited) == []


def test_a_route_that_is_not_audited_would_be_noticed(tmp_path: Path) -> None:
    """Planted: a view that says its line is written already, and wrote none."""
    running = start(tmp_path)

    def careless() -> Response:
        caller().trail.told = True
        return Response("all of it")

    running.client.application.add_url_rule("/fhir/everything", "everything", careless)
    assert unaudited(running) == ["GET /fhir/everything"]
    running.close()


def test_nothing_is_given_out_while_the_audit_can_not_be_written(
    audited: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(noting, "MOST_WAITING", 0)
    assert audited.send("GET", "/fhir/Questionnaire/short-form").status_code == 503
    monkeypatch.undo()
    assert audited.send("GET", "/fhir/Questionnaire/short-form").status_code == 200


def provenances(running: Running, query: str, **asked: Any) -> list[dict[str, Any]]:
    reply = running.send("GET", f"/fhir/Provenance?{query}", **asked)
    assert reply.status_code == 200, reply.text
    return [entry["resource"] for entry in json.loads(reply.data).get("entry", ())]


def test_every_version_of_a_response_has_its_provenance(audited: Running) -> None:
    written = answers(
        "kim", author={"reference": "Practitioner/p"}, source={"reference": "Patient/kim"}
    )
    id_ = json.loads(audited.send("POST", RESPONSES, written).data)["id"]
    amended = written | {"id": id_, "status": "amended", "language": "en"}
    assert audited.send("PUT", f"{RESPONSES}/{id_}", amended).status_code == 200
    second, first = provenances(audited, f"target=QuestionnaireResponse/{id_}")
    for made, version, activity in ((first, 1, "CREATE"), (second, 2, "UPDATE")):
        Provenance.model_validate(made)
        assert made["target"] == [{"reference": f"QuestionnaireResponse/{id_}/_history/{version}"}]
        assert made["activity"]["coding"][0]["code"] == activity
        agents = {a["type"]["coding"][0]["code"]: a["who"] for a in made["agent"]}
        assert agents["author"] == {"reference": "Practitioner/p"}
        assert agents["informant"] == {"reference": "Patient/kim"}
        assert agents["enterer"]["identifier"]["value"] == "operator"
        forms = [e["what"].get("identifier", {}).get("value") for e in made["entity"]]
        assert written["questionnaire"] in forms
    assert {
        "role": "revision",
        "what": {"reference": f"QuestionnaireResponse/{id_}/_history/1"},
    } in second["entity"]
    version_one = provenances(audited, f"target=QuestionnaireResponse/{id_}/_history/1")
    assert [p["id"] for p in version_one] == [first["id"]]


def test_a_patient_sees_the_provenance_of_her_own_record_alone(audited: Running) -> None:
    id_ = submitted(audited, "lea")
    submitted(audited, "mia")
    mine = provenances(audited, "", token=audited.token("patient/*.rs", "lea"))
    assert [p["target"][0]["reference"] for p in mine] == [
        f"QuestionnaireResponse/{id_}/_history/1"
    ]
    other = audited.token("patient/*.rs", "mia")
    assert audited.send("GET", f"/fhir/Provenance/{mine[0]['id']}", token=other).status_code == 404
