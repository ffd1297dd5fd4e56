"""What was active never changes; the same again is welcome; a form that was answered stays."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from fhir_service.catalogue.definitions import definitions
from fhir_service.catalogue.questionnaires import shipped
from fhir_service.fhir.issues import Conflict, NotAllowed, NotHere, NotUnderstood, NotValid, Stale
from fhir_service.fhir.searching import Search
from fhir_service.settings import read_settings
from fhir_service.wiring import Service, build
from fhir_service.workflow import publish, submit
from tests.support.answers import SYSTEM, patient_caller, response
from tests.support.forms import FORMS, form

Q = "Questionnaire"


def a_form(**changes: Any) -> bytes:
    made = {
        "resourceType": Q,
        "url": "https://clinic.example.org/Questionnaire/a",
        "version": "1.0.0",
        "title": "A",
        "name": "A",
        "status": "active",
        "item": [{"linkId": "one", "text": "How are you?", "type": "string"}],
    }
    return json.dumps({**made, **changes}).encode()


def test_the_same_content_again_is_answered_with_what_is_there(service: Service) -> None:
    first = publish.create(service.site, SYSTEM, Q, a_form())
    again = publish.create(service.site, SYSTEM, Q, a_form(id="x", meta={"versionId": "7"}))
    assert (first.created, again.created, again.changed) == (True, False, False)
    assert again.stored.id == first.stored.id


def test_other_content_under_the_same_version_is_refused(service: Service) -> None:
    kept = publish.create(service.site, SYSTEM, Q, a_form()).stored
    with pytest.raises(Conflict):
        publish.create(service.site, SYSTEM, Q, a_form(title="B"))
    with pytest.raises(Conflict):
        publish.update(service.site, SYSTEM, Q, kept.id, a_form(id=kept.id, title="B"))
    with pytest.raises(Conflict):
        publish.update(service.site, SYSTEM, Q, "other", a_form(id="other", title="B"))


def test_a_digit_more_is_other_content(service: Service) -> None:
    weight = "http://hl7.org/fhir/StructureDefinition/maxValue"
    item = {"linkId": "one", "text": "How much?", "type": "decimal"}
    body = a_form(item=[item | {"extension": [{"url": weight, "valueDecimal": 1.5}]}])
    publish.create(service.site, SYSTEM, Q, body)
    with pytest.raises(Conflict):
        publish.create(service.site, SYSTEM, Q, body.replace(b"1.5", b"1.50"))


def test_an_active_form_can_be_retired_and_nothing_else(service: Service) -> None:
    kept = publish.create(service.site, SYSTEM, Q, a_form()).stored
    retired = a_form(id=kept.id, status="retired", date="2026-11-22")
    assert publish.update(service.site, SYSTEM, Q, kept.id, retired).stored.version == 2
    with pytest.raises(Conflict):
        publish.update(service.site, SYSTEM, Q, kept.id, a_form(id=kept.id))


def test_a_draft_changes_until_it_is_active(service: Service) -> None:
    kept = publish.create(service.site, SYSTEM, Q, a_form(status="draft")).stored
    changed = a_form(id=kept.id, status="draft", title="B")
    assert publish.update(service.site, SYSTEM, Q, kept.id, changed, 1).stored.version == 2
    with pytest.raises(Stale):
        publish.update(service.site, SYSTEM, Q, kept.id, a_form(id=kept.id), 1)
    assert publish.update(service.site, SYSTEM, Q, kept.id, a_form(id=kept.id), 2).changed


def test_a_broken_form_is_refused_with_every_finding(service: Service) -> None:
    twice = [
        {"linkId": "a", "type": "string"},
        {"linkId": "a", "type": "display", "required": True},
    ]
    with pytest.raises(NotValid) as refused:
        publish.create(service.site, SYSTEM, Q, a_form(item=twice))
    assert len([i for i in refused.value.issues if i.severity == "error"]) >= 2


def test_what_is_of_another_type_is_not_understood(service: Service) -> None:
    with pytest.raises(NotUnderstood):
        publish.create(service.site, SYSTEM, "ValueSet", a_form())


def test_an_answered_form_stays_and_an_unanswered_one_can_go(service: Service) -> None:
    submit.create(service.site, SYSTEM, response("coping-support"))
    with pytest.raises(Conflict):
        publish.delete(service.site, SYSTEM, Q, "coping-support")
    gone = publish.delete(service.site, SYSTEM, Q, "doctor-questions")
    assert (gone.deleted, gone.version) == (True, 2)
    assert publish.delete(service.site, SYSTEM, Q, "doctor-questions") == gone
    with pytest.raises(NotHere):
        publish.delete(service.site, SYSTEM, Q, "nowhere")


def test_a_patient_publishes_nothing(service: Service) -> None:
    with pytest.raises(NotAllowed):
        publish.create(service.site, patient_caller("ada"), Q, a_form())


def test_what_ships_is_published_once(service: Service) -> None:
    assert service.publish_shipped() == 0
    reader = service.site.desk.reading()
    stored = reader.read(Q, "coping-support")
    assert stored is not None
    assert stored.version == 1


def test_what_a_site_has_deleted_stays_deleted_at_the_next_start(service: Service) -> None:
    publish.delete(service.site, SYSTEM, Q, "doctor-questions")
    assert service.publish_shipped() == 0
    stored = service.site.desk.reading().read(Q, "doctor-questions")
    assert stored is not None
    assert stored.deleted


def test_services_that_start_together_publish_what_ships_once(tmp_path: Path) -> None:
    settings = read_settings({"FHIR_SERVICE_DATA_DIR": str(tmp_path)})
    services = [build(settings) for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        published = list(pool.map(Service.publish_shipped, services))
    reader = services[0].site.desk.reading()
    total = reader.search(Search(Q, total=True, count=0)).total
    assert total == len(FORMS)
    assert sum(published) == len(tuple(shipped(None, None))) + len(tuple(definitions()))
    for one in services:
        one.close()


def test_a_form_with_another_telephone_number_is_another_version(service: Service) -> None:
    url = form("previsit-recurrent-breast")["url"]
    elsewhere = replace(
        service, settings=replace(service.settings, clinic_phone="555-0100 day and night")
    )
    assert elsewhere.publish_shipped() == 1
    assert elsewhere.publish_shipped() == 0
    reader = service.site.desk.reading()
    plain = reader.canonical(Q, url, "1.0.0")
    newest = reader.canonical(Q, url, None)
    assert plain is not None
    assert newest is not None
    assert plain.id == "previsit-recurrent-breast"
    assert newest.id.startswith("previsit-recurrent-breast-1.0.0-site.")
    assert b"555-0100 day and night" in newest.body
