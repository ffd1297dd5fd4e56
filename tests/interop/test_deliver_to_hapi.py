"""What we deliver is taken by a real FHIR server, found valid by HAPI's rules, and read back."""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from fhir_service.store.outbox import entries
from tests.support.delivering import PLAIN
from tests.support.hapi import Hapi
from tests.support.service import Running, start

ROOT = Path(__file__).resolve().parents[2]
FORMS = ("previsit-recurrent-breast", "doctor-questions", "coping-support")


@contextmanager
def serving(folder: Path, hapi: Hapi, target: str) -> Iterator[Running]:
    """The real service with the forms that ship, which owes this server."""
    own = folder / "targets"
    own.mkdir()
    (own / "plain.toml").write_text(PLAIN, encoding="utf-8")
    how = {"EHR_BASE": hapi.base, "EHR_TARGET": target, "EHR_TARGETS_DIR": str(own)}
    running = start(folder, **how, EHR_FOLDER=str(folder / "drop"), EHR_REQUESTS_PER_SECOND="0")
    try:
        running.service.publish_shipped()
        yield running
    finally:
        running.close()


def example(form: str, patient: str) -> dict[str, Any]:
    path = ROOT / "questionnaires" / form / "responses" / "typical.json"
    made: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    made.pop("id", None)
    made.pop("author", None)
    made.pop("source", None)
    made["subject"] = {"reference": f"Patient/{patient}"}
    return made


def send(running: Running, body: dict[str, Any]) -> str:
    reply = running.send("POST", "/fhir/QuestionnaireResponse", body)
    assert reply.status_code == 201, reply.text
    return str(json.loads(reply.data)["id"] if reply.data else reply.headers["Location"])


def work(running: Running) -> list[tuple[str, str | None]]:
    courier = running.service.courier("interop", lambda _: None)
    while courier.work():
        pass
    return [(one.state, one.reason) for one in entries(running.service.store)]


def know(hapi: Hapi, patient: str) -> None:
    """A patient with an appointment in two days, and its encounter."""
    start_, person = datetime.now(UTC) + timedelta(days=2), {"reference": f"Patient/{patient}"}
    iso = start_.isoformat(timespec="seconds")
    hapi.put({"resourceType": "Patient", "id": patient, "birthDate": "1951-04-03"})
    hapi.put(
        {
            "resourceType": "Appointment",
            "id": f"a-{patient}",
            "status": "booked",
            "start": iso,
            "end": (start_ + timedelta(minutes=30)).isoformat(timespec="seconds"),
            "participant": [{"actor": person, "status": "accepted"}],
        }
    )
    act = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
    hapi.put(
        {
            "resourceType": "Encounter",
            "id": f"e-{patient}",
            "status": "arrived",
            "class": {"system": act, "code": "AMB"},
            "subject": person,
            "appointment": [{"reference": f"Appointment/a-{patient}"}],
            "period": {"start": iso},
        }
    )


NOTES = ("hapi", "medplum", "us-core", "epic", "oracle-health", "openemr")


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("target", NOTES)
def test_the_note_of_each_target_is_taken_valid_and_read_back(
    tmp_path: Path, hapi: Hapi, target: str, form: str
) -> None:
    patient = f"{target}-{form}"[:60]
    know(hapi, patient)
    with serving(tmp_path, hapi, target) as running:
        send(running, example(form, patient))
        assert work(running) == [("delivered", None)]
    (note,) = hapi.search("DocumentReference", f"patient={patient}")
    assert hapi.validate(note) == []
    for content in note["content"]:
        assert len(b64decode(content["attachment"]["data"])) > 400
    if target == "epic":
        named = note["context"]["encounter"]
        assert named == [{"reference": f"Encounter/e-{patient}"}]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("target", ["athenahealth", "meditech"])
def test_the_response_is_taken_and_is_valid(
    tmp_path: Path, hapi: Hapi, target: str, form: str
) -> None:
    patient = f"{target}-{form}"[:60]
    know(hapi, patient)
    with serving(tmp_path, hapi, target) as running:
        body = example(form, patient)
        id_ = send(running, body)
        assert work(running) == [("delivered", None)]
    (filed,) = hapi.search("QuestionnaireResponse", f"patient={patient}")
    assert filed["identifier"]["value"].endswith(f"{id_}/_history/1")
    assert filed["item"] == body["item"]
    assert hapi.validate(filed) == []


def test_amendment_replaces_and_entered_in_error_withdraws(tmp_path: Path, hapi: Hapi) -> None:
    know(hapi, "changing")
    with serving(tmp_path, hapi, "plain") as running:
        body = example("doctor-questions", "changing")
        id_ = send(running, body)
        work(running)
        for status in ("amended", "entered-in-error"):
            reply = running.send(
                "PUT", f"/fhir/QuestionnaireResponse/{id_}", {**body, "id": id_, "status": status}
            )
            assert reply.status_code == 200, reply.text
            work(running)
    first, second = hapi.search("DocumentReference", "patient=changing")
    assert second["relatesTo"][0]["target"]["reference"] == f"DocumentReference/{first['id']}"
    assert (first["status"], second["status"]) == ("current", "entered-in-error")


def test_a_lost_answer_is_found_by_our_identifier_on_a_real_server(
    tmp_path: Path, hapi: Hapi
) -> None:
    know(hapi, "lost")
    with serving(tmp_path, hapi, "plain") as running:
        send(running, example("doctor-questions", "lost"))
        work(running)
        database = running.service.store.database
        database.write(
            lambda c: c.run("UPDATE outbox SET state = 'unknown', ehr_id = NULL, due = 0")
        )
        assert work(running) == [("delivered", "found-by-reading-back")]
        database.write(lambda c: c.run("UPDATE outbox SET state = 'due', ehr_id = NULL, due = 0"))
        assert work(running) == [("delivered", None)]
    assert len(hapi.search("DocumentReference", "patient=lost")) == 1


def test_the_plan_is_made_of_the_live_statement(tmp_path: Path, hapi: Hapi) -> None:
    with serving(tmp_path, hapi, "hapi") as running:
        chosen = running.service.today().plan().chosen
    assert chosen is not None
    route = chosen.route
    assert (route.kind, route.conditional_create, route.read_back) == ("note", True, True)


def test_the_document_in_the_folder_is_valid(tmp_path: Path, hapi: Hapi) -> None:
    with serving(tmp_path, hapi, "folder") as running:
        for form in FORMS:
            send(running, example(form, "ada"))
        work(running)
    documents = sorted((tmp_path / "drop").glob("*.fhir.json"))
    assert documents
    for path in documents:
        assert hapi.validate(path.read_bytes()) == []
