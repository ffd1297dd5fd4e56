"""A refusal has its status; a fault tells a ticket, and nothing of what was sent."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Response

from fhir_service.fhir import issues as family
from fhir_service.fhir.issues import Refusal
from fhir_service.web.app import create_app
from fhir_service.web.errors import STATUS
from fhir_service.web.logs import Log
from tests.support.service import Running, answers, issues, start

PATIENT = "Mrs Example, born 1951"


def subclasses(kind: type[Refusal]) -> Iterator[type[Refusal]]:
    for one in kind.__subclasses__():
        yield one
        yield from subclasses(one)


def test_every_refusal_has_its_http_status() -> None:
    assert family.Refusal is Refusal
    assert set(STATUS) == set(subclasses(Refusal))
    assert len(set(STATUS.values())) == len(STATUS)


def test_a_fault_gives_a_ticket_and_neither_reply_nor_log_the_patient(running: Running) -> None:
    logged = io.BytesIO()
    app = create_app(running.service, Log(logged))

    def failing(name: str) -> Response:
        try:
            int(name)
        except ValueError as wrong:
            raise RuntimeError(f"could not read {name}") from wrong
        return Response()

    app.add_url_rule("/fhir/Failing/<name>", "failing", failing)
    reply = app.test_client().get(
        f"/fhir/Failing/{PATIENT}?name={PATIENT}",
        headers={"Authorization": f"Bearer {running.token()}", "X-Request-Id": "r1"},
    )
    assert reply.status_code == 500
    (issue,) = issues(reply)
    assert issue["severity"] == "fatal"
    lines = [json.loads(line) for line in logged.getvalue().splitlines()]
    fault, request = lines
    assert fault["event"] == "fault"
    assert fault["ticket"] in issue["details"]["text"]
    assert fault["types"] == ["RuntimeError", "ValueError"]
    assert any("test_faults.py:" in place for place in fault["places"])
    assert (fault["level"], fault["request_id"]) == ("error", "r1")
    assert request["route"] == "/fhir/Failing/<name>"
    for word in ("Example", "1951"):
        assert word not in reply.text
        assert word.encode() not in logged.getvalue()


def test_the_log_tells_route_status_and_client_and_no_id_and_no_query(running: Running) -> None:
    running.logged.seek(0)
    running.logged.truncate()
    made = json.loads(running.send("POST", "/fhir/QuestionnaireResponse", answers("greta")).data)
    running.send("GET", f"/fhir/QuestionnaireResponse/{made['id']}")
    running.send("GET", "/fhir/QuestionnaireResponse?patient=greta")
    running.send("GET", "/fhir/Patient/greta")
    running.send("POST", "/fhir/QuestionnaireResponse", answers("greta", item=[]))
    said = running.logged.getvalue()
    lines = [json.loads(line) for line in said.splitlines()]
    assert [line["status"] for line in lines[:4]] == [201, 200, 200, 404]
    assert lines[1]["route"] == "/fhir/QuestionnaireResponse/<id_>"
    assert lines[0]["client"] == "operator"
    assert lines[4]["findings"]
    for word in ("greta", made["id"], "Whether it comes back"):
        assert word.encode() not in said


def test_the_log_keeps_to_its_level() -> None:
    sink = io.BytesIO()
    log = Log(sink, "error")
    log.line("request", status=200)
    assert sink.getvalue() == b""
    log.line("fault", ticket="abc", request_id=None)
    line = json.loads(sink.getvalue())
    assert line["ticket"] == "abc"
    assert "request_id" not in line


def test_health_readiness_and_figures_are_open_and_know_no_patient(running: Running) -> None:
    running.send("POST", "/fhir/QuestionnaireResponse", answers("figure"))
    running.send("POST", "/fhir/QuestionnaireResponse", answers("figure", item=[]))
    client = running.client
    assert client.get("/healthz").status_code == 200
    assert client.get("/readyz").status_code == 200
    figures = client.get("/metrics").text
    assert 'route="/fhir/QuestionnaireResponse",status="201"' in figures
    assert "fhir_service_request_seconds_bucket" in figures
    assert "fhir_service_findings_total{key=" in figures
    assert "figure" not in figures.replace("fhir_service_figure", "")


def test_a_service_without_forms_is_not_ready(tmp_path: Path) -> None:
    bare = start(tmp_path)
    reply = bare.client.get("/readyz")
    assert (reply.status_code, reply.text) == (503, "no form is published\n")
    bare.close()


@pytest.mark.parametrize("method", ["BREW", "mrs-example"])
def test_a_made_up_method_puts_no_word_into_the_log(running: Running, method: str) -> None:
    running.logged.seek(0)
    running.logged.truncate()
    assert running.send(method, "/fhir/Questionnaire").status_code == 405
    assert json.loads(running.logged.getvalue())["method"] == "other"
