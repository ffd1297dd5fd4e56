"""Who makes a link, for whom, and how an EHR asks for one."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from fhir_service.fhir.issues import NotAllowed, NotValid
from fhir_service.smart.access import Access
from fhir_service.smart.scopes import read_scopes
from fhir_service.workflow import links
from fhir_service.workflow.caller import Caller
from tests.support.service import Running, answers, start
from tests.support.ways import (
    CLINIC,
    FORM,
    a_link,
    a_patient,
    born,
    offered_form,
    open_path,
    publish,
)


@pytest.fixture
def clinic(tmp_path: Path) -> Iterator[Running]:
    running = start(tmp_path)
    publish(running, offered_form())
    a_patient(running)
    yield running
    running.close()


def test_a_link_needs_a_patient_with_her_birthday_and_a_form_that_can_be_offered(
    clinic: Running,
) -> None:
    site = clinic.service.site
    a_patient(clinic, "no-birthday", None)
    a_patient(clinic, "only-a-year", "1951")
    url = FORM.partition("|")[0]
    publish(clinic, offered_form(id="draft", url=f"{url}-draft", status="draft"))
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    for patient, form, terms, key in (
        ("never-there", FORM, {}, "patient-unknown"),
        ("no-birthday", FORM, {}, "birth-date-missing"),
        ("only-a-year", FORM, {}, "birth-date-missing"),
        ("ada", url, {}, "form-without-version"),
        ("ada", f"{url}|9.9.9", {}, "form-unknown"),
        ("ada", f"{url}-draft|1.0.0", {}, "form-not-active"),
        ("ada", FORM, {"uses": 0}, "uses-out-of-range"),
        ("ada", FORM, {"uses": 101}, "uses-out-of-range"),
        ("ada", FORM, {"expires": tomorrow - timedelta(days=2)}, "expiry-out-of-range"),
        ("ada", FORM, {"expires": tomorrow + timedelta(days=366)}, "expiry-out-of-range"),
        ("ada", FORM, {"language": "en&x=1"}, "language-unreadable"),
    ):
        made = links.Terms(**terms)
        with pytest.raises(NotValid) as refused:
            links.create_link(site, CLINIC, patient=patient, questionnaire=form, terms=made)
        assert [one.key for one in refused.value.issues] == [key]
    assert not clinic.service.store.reading().links.of_patient("no-birthday")


def test_a_link_goes_on_with_a_response_of_this_patient_alone(clinic: Running) -> None:
    a_patient(clinic, "grace")
    draft = answers("grace", "in-progress") | {"id": "draft-of-grace"}
    clinic.send("PUT", "/fhir/QuestionnaireResponse/draft-of-grace", draft)
    assert a_link(clinic, "grace", response="draft-of-grace").response == "draft-of-grace"
    reply = clinic.send(
        "POST",
        "/fhir/Questionnaire/$create-link",
        parameters(patient="Patient/ada", response="draft-of-grace"),
    )
    assert reply.status_code == 400


@pytest.mark.parametrize("scope", ["patient/*.cruds", "system/Questionnaire.rs", "patient/*.rs"])
def test_who_may_not_write_for_every_patient_makes_no_link(clinic: Running, scope: str) -> None:
    caller = Caller("x", None, Access(read_scopes(scope), "ada"))
    with pytest.raises(NotAllowed):
        links.create_link(clinic.service.site, caller, patient="ada", questionnaire=FORM)


def parameters(**given: object) -> dict[str, object]:
    made: list[dict[str, object]] = []
    for name, value in ({"questionnaire": FORM} | given).items():
        kind = {
            "questionnaire": "valueCanonical",
            "patient": "valueReference",
            "uses": "valueInteger",
            "expires": "valueInstant",
            "response": "valueId",
            "link": "valueId",
        }.get(name, "valueCode")
        told = {"reference": value} if kind == "valueReference" else value
        made.append({"name": name, kind: told})
    return {"resourceType": "Parameters", "parameter": made}


def said(body: bytes) -> dict[str, object]:
    found = {}
    for one in json.loads(body)["parameter"]:
        kind = next(key for key in one if key.startswith("value"))
        found[one["name"]] = one[kind]
    return found


def test_an_ehr_asks_for_a_link_by_operation_and_revokes_it(clinic: Running) -> None:
    place = "/fhir/Questionnaire/$create-link"
    reply = clinic.send("POST", place, parameters(patient="Patient/ada", language="es", uses=2))
    assert reply.status_code == 200, reply.text
    made = said(reply.data)
    assert str(made["address"]).startswith("https://answers.example.org/link/")
    assert str(made["address"]).endswith("?lang=es")
    path = "/" + str(made["address"]).split("/", 3)[3]
    assert open_path(clinic, path, born()).status_code == 303
    revoke = "/fhir/Questionnaire/$revoke-link"
    asked = {
        "resourceType": "Parameters",
        "parameter": [{"name": "link", "valueId": made["link"]}],
    }
    assert clinic.send("POST", revoke, asked).status_code == 200
    assert open_path(clinic, path, born()).status_code == 403
    hers = clinic.token("patient/*.cruds", "ada")
    for where in (place, revoke):
        assert clinic.send("POST", where, asked, token=hers).status_code in (400, 403)


@pytest.mark.parametrize(
    ("given", "status"),
    [
        ({}, 400),
        ({"patient": "Patient/never-there"}, 422),
        ({"patient": "Practitioner/ada"}, 400),
        ({"patient": "https://elsewhere.example.org/fhir/Patient/ada"}, 400),
        ({"patient": "Patient/ada", "colour": "red"}, 400),
        ({"patient": "Patient/ada", "expires": "2020-01-01T00:00:00Z"}, 422),
    ],
)
def test_a_bad_request_for_a_link_is_told_with_its_place(
    clinic: Running, given: dict[str, object], status: int
) -> None:
    reply = clinic.send("POST", "/fhir/Questionnaire/$create-link", parameters(**given))
    assert reply.status_code == status, reply.text
    assert json.loads(reply.data)["resourceType"] == "OperationOutcome"
