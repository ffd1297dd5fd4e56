"""What a form may learn from the EHR: of its subject, and of what the person may read, alone."""

from __future__ import annotations

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from typing_extensions import override

from tests.support.answers import walk_answers
from tests.support.service import Running, start

SDC = "http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire-"
VARIABLE = "http://hl7.org/fhir/StructureDefinition/variable"
PATIENT = "ada"
BORN = "1960-05-17"


def _condition(id_: str, who: str | None, text: str) -> dict[str, Any]:
    subject = {} if who is None else {"subject": {"reference": f"Patient/{who}"}}
    return {"resourceType": "Condition", "id": id_, "code": {"text": text}, **subject}


CARELESS = [
    _condition("1", "ada", "her own"),
    _condition("2", "mallory", "SECRET of another"),
    _condition("3", None, "SECRET of nobody"),
    {"resourceType": "Patient", "id": "mallory", "name": [{"text": "SECRET name"}]},
    {"resourceType": "MedicationRequest", "id": "4", "subject": {"reference": "Patient/ada"}},
]
"""What an EHR gives that looks at no parameter at all."""


class Ehr:
    """An EHR on a socket that answers every search alike, and notes what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, list[tuple[str, str]]]] = []
        self.status = 200
        self.born = BORN
        ehr = self

        class Handler(BaseHTTPRequestHandler):
            @override
            def log_message(self, format: str, *args: Any) -> None:
                """Say nothing."""

            def do_GET(self) -> None:
                path = urlsplit(self.path)
                body = json.dumps(ehr.said(path.path, parse_qsl(path.query))).encode()
                self.send_response(ehr.status)
                self.send_header("Content-Type", "application/fhir+json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.base = f"http://127.0.0.1:{self.server.server_port}/fhir"

    def said(self, path: str, pairs: list[tuple[str, str]]) -> dict[str, Any]:
        if path == "/fhir/Patient/ada":
            return {"resourceType": "Patient", "id": "ada", "birthDate": self.born}
        self.asked.append((path.rsplit("/", 1)[-1], pairs))
        entries = [{"resource": one} for one in CARELESS]
        return {"resourceType": "Bundle", "type": "searchset", "entry": entries}


@pytest.fixture(scope="module")
def socket() -> Iterator[Ehr]:
    made = Ehr()
    thread = Thread(target=made.server.serve_forever, args=(0.01,))
    thread.start()
    yield made
    made.server.shutdown()
    thread.join()
    made.server.server_close()


@pytest.fixture(scope="module")
def running(socket: Ehr, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    service = start(tmp_path_factory.mktemp("populated"), EHR_BASE=socket.base)
    yield service
    service.close()


@pytest.fixture
def ehr(socket: Ehr) -> Ehr:
    """The EHR as it is at first: it has been asked nothing."""
    socket.asked.clear()
    socket.status = 200
    socket.born = BORN
    return socket


def _form(query: str) -> dict[str, Any]:
    raw = {"name": "found", "language": "application/x-fhir-query", "expression": query}
    name = {"system": "http://hl7.org/fhir/uv/sdc/CodeSystem/launchContext", "code": "patient"}
    launch = [{"url": "name", "valueCoding": name}, {"url": "type", "valueCode": "Patient"}]
    asks = "%found.entry.resource.descendants().where($this is string)"
    return {
        "resourceType": "Questionnaire",
        "extension": [
            {"extension": launch, "url": SDC + "launchContext"},
            {"url": VARIABLE, "valueExpression": raw},
        ],
        "url": "https://clinic.example.org/fhir/Questionnaire/curious",
        "status": "active",
        "item": [
            {
                "extension": [
                    {
                        "url": SDC + "initialExpression",
                        "valueExpression": {"language": "text/fhirpath", "expression": asks},
                    }
                ],
                "linkId": "all",
                "text": "Everything",
                "type": "string",
                "repeats": True,
            }
        ],
    }


def _populated(
    running: Running, query: str, token: str | None = None, who: str = PATIENT
) -> tuple[list[str], str]:
    """(answers, the whole reply as text)."""
    given = {
        "resourceType": "Parameters",
        "parameter": [
            {"name": "questionnaire", "resource": _form(query)},
            {"name": "subject", "valueReference": {"reference": f"Patient/{who}"}},
            {"name": "local", "valueBoolean": True},
        ],
    }
    reply = running.send("POST", "/fhir/Questionnaire/$populate", given, token=token)
    assert reply.status_code == 200, reply.text
    response = json.loads(reply.data)["parameter"][0]["resource"]
    return [answer["valueString"] for _, answer in walk_answers(response)], reply.text


def test_only_the_subjects_own_comes_through(running: Running, ehr: Ehr) -> None:
    answers, text = _populated(running, "Condition?patient={{%patient.id}}")
    assert "her own" in answers
    assert "SECRET" not in text
    ((_, pairs),) = ehr.asked
    assert ("patient", "Patient/ada") in pairs


@pytest.mark.parametrize(
    "query",
    [
        "Condition",
        "Condition?code=x",
        "Condition?subject:Patient=ada",
        "Condition?_include=Condition:subject&_revinclude=Provenance:target",
        "Condition?_has:Observation:patient:code=x",
    ],
)
def test_a_query_without_the_patient_is_narrowed_to_her(
    running: Running, ehr: Ehr, query: str
) -> None:
    _, text = _populated(running, query)
    assert "SECRET" not in text
    ((_, pairs),) = ehr.asked
    assert [value for name, value in pairs if name == "patient"] == ["Patient/ada"]


@pytest.mark.parametrize(
    "query",
    [
        "Condition?patient=mallory",
        "Condition?patient=ada,mallory",
        "Condition?subject=Patient/mallory",
        "Patient?_id=mallory",
        "Patient/mallory",
        "Group?member=ada",
        "https://evil.example.org/fhir/Condition",
        "../admin",
        "Condition/1/_history",
        "Condition/$everything",
        "Nonsense?x=y",
    ],
)
def test_a_query_for_somebody_else_or_elsewhere_is_never_sent(
    running: Running, ehr: Ehr, query: str
) -> None:
    answers, text = _populated(running, query)
    assert answers == []
    assert ehr.asked == []
    assert "populate-not-fetched" in text


def test_what_the_scopes_leave_out_is_not_asked_for(running: Running, ehr: Ehr) -> None:
    own = "patient/Questionnaire.r patient/QuestionnaireResponse.c patient/Patient.r"
    answers, _ = _populated(running, "Condition?code=x", running.token(own, PATIENT))
    assert answers == []
    assert ehr.asked == []
    more = f"{own} patient/Condition.rs"
    answers, text = _populated(running, "Condition?code=x", running.token(more, PATIENT))
    assert "her own" in answers
    assert "SECRET" not in text


def test_a_narrowed_scope_is_no_scope_for_the_ehr(running: Running, ehr: Ehr) -> None:
    scopes = (
        "patient/Questionnaire.r patient/QuestionnaireResponse.c"
        " patient/Observation.rs?category=survey"
    )
    answers, _ = _populated(running, "Observation?code=x", running.token(scopes, PATIENT))
    assert (answers, ehr.asked) == ([], [])


def test_an_ehr_that_fails_is_told_and_nothing_of_what_it_said(running: Running, ehr: Ehr) -> None:
    ehr.status = 400
    answers, text = _populated(running, "Condition?code=x")
    assert answers == []
    assert "populate-not-fetched" in text
    assert "SECRET" not in text


def test_a_patient_with_another_id_at_the_ehr_is_asked_for_by_that(
    running: Running, ehr: Ehr
) -> None:
    ours = {
        "resourceType": "Patient",
        "id": "ada-here",
        "birthDate": BORN,
        "identifier": [{"system": ehr.base, "value": "ada"}],
    }
    assert running.send("PUT", "/fhir/Patient/ada-here", ours).status_code == 201
    answers, text = _populated(running, "Condition?patient={{%patient.id}}", who="ada-here")
    assert "her own" in answers
    assert "Patient/ada-here" in answers
    assert "SECRET" not in text
    ((_, pairs),) = ehr.asked
    assert ("patient", "Patient/ada") in pairs


def test_one_who_was_born_on_another_day_is_somebody_else(running: Running, ehr: Ehr) -> None:
    ehr.born = "1970-01-01"
    ours = {"resourceType": "Patient", "id": "ada", "birthDate": BORN}
    assert running.send("PUT", "/fhir/Patient/ada", ours).status_code == 201
    answers, text = _populated(running, "Condition?code=x")
    assert (answers, ehr.asked) == ([], [])
    assert "patient-mismatch" in text
