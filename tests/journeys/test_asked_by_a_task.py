"""The whole way of a Task: a clinic asks, the patient comes by its link, the Task tells it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from fhir_service.workflow import sessions, tasks
from fhir_service.workflow.session import Session
from tests.support.filling import ADA, AtThePage
from tests.support.service import Running, start
from tests.support.tasks import a_task, now, sent
from tests.support.ways import CLINIC, offered_form, publish

FOR_ADA = {"reference": "Patient/ada-example"}


@pytest.fixture
def clinic(tmp_path: Path) -> Iterator[Running]:
    running = start(tmp_path)
    publish(running, offered_form())
    assert running.send("PUT", "/fhir/Patient/ada-example", ADA).status_code == 201
    yield running
    running.close()


def comes(running: Running, task: str) -> AtThePage:
    """The patient, who opened the link of this Task on a device of her own."""
    link = tasks.create_link(running.service.site, CLINIC, task)
    ada = AtThePage(running, running.client.application.test_client())
    ada.open(link.address)
    return ada


def test_a_task_follows_the_patient_from_the_link_to_what_she_sent(clinic: Running) -> None:
    task, other = sent(clinic, **{"for": FOR_ADA}), sent(clinic, **{"for": FOR_ADA})
    ada = comes(clinic, task)
    assert now(clinic, task)["status"] == "accepted"
    ada.begin()
    assert now(clinic, task)["status"] == "in-progress"
    ada.send("1", {"pain": "7"})
    tablet = comes(clinic, task)
    assert tablet.base == ada.base  # another device, the same response
    tablet.send("check", {}, go="send")
    assert ada.stored()["status"] == "completed"
    done = now(clinic, task)
    assert done["status"] == "completed"
    assert done["output"][0]["valueReference"]["reference"].endswith(ada.base.rpartition("/")[2])
    ada.send("sent", {})  # she begins to change what she sent: that answers no other Task
    assert now(clinic, other)["status"] == "requested"
    assert "I would rather not" not in ada.get("sent")


def test_a_patient_may_say_that_she_would_rather_not(clinic: Running) -> None:
    task = sent(clinic, **{"for": FOR_ADA})
    ada = comes(clinic, task)
    assert f'{ada.base}/decline"' in ada.get()
    assert "You do not have to answer" in ada.get("decline")
    assert now(clinic, task)["status"] == "accepted"  # asking is not saying
    reply = ada.send("decline", {})
    assert "Your clinic knows now" in reply.text
    told = now(clinic, task)
    assert (told["status"], told["statusReason"]["text"]) == (
        "rejected",
        "Declined by the patient",
    )
    assert ada.client.get(f"{ada.base}/decline").status_code == 404
    assert "/decline" not in ada.get()


def test_the_page_says_until_when_the_clinic_would_like_it(clinic: Running) -> None:
    end = {"restriction": {"period": {"end": "2099-11-28T16:05:00Z"}}}
    task = sent(clinic, **{"for": FOR_ADA}, **end)
    ada = comes(clinic, task)
    assert "would like it before</dt><dd>28 November 2099, 16:05</dd>" in ada.get()
    spanish = ada.client.get(f"{ada.base}?lang=es").text
    assert "antes de esta fecha</dt><dd>28 de noviembre de 2099, 16:05</dd>" in spanish
    ada.begin()
    ada.send("1", {"pain": "7"})
    ada.send("check", {}, go="send")
    session = Session(
        reference="s1",
        kind="patient",
        client="portal",
        scope="patient/*.rs patient/QuestionnaireResponse.cu",
        created=clinic.service.site.clock.now(),
        idle_until=clinic.service.site.clock.now() + timedelta(minutes=10),
        expires=clinic.service.site.clock.now() + timedelta(hours=1),
        patient="ada-example",
    )
    begun = sessions.begin(clinic.service.site, session)
    portal = clinic.client.application.test_client()
    portal.set_cookie("__Host-fhir-patient", begun.secret, domain="localhost")
    assert "28 November" not in portal.get("/forms/").text
    sent(clinic, **{"for": FOR_ADA}, **end)
    assert "would like it before: 28 November 2099, 16:05" in portal.get("/forms/").text


def test_without_a_task_there_is_nothing_to_decline(clinic: Running) -> None:
    task = sent(clinic, **{"for": FOR_ADA})
    ada = comes(clinic, task)
    body = json.loads(clinic.send("GET", f"/fhir/Task/{task}").data) | {"status": "cancelled"}
    assert clinic.send("PUT", f"/fhir/Task/{task}", body).status_code == 200
    assert "/decline" not in ada.get()
    assert a_task()["status"] == "requested"
