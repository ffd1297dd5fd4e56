"""The responses of one visit become one summary, whichever is asked for."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fhir_service.fhir.issues import Conflict, NotHere
from fhir_service.settings import read_settings
from fhir_service.wiring import Service, build
from fhir_service.workflow import submit, summarise
from tests.support.answers import SYSTEM, about, patient_caller, response

FORMS = ("previsit-recurrent-breast", "doctor-questions", "coping-support")


def sent(service: Service, form: str, patient: str = "ada-example", **changes: object) -> str:
    body = response(form, "typical", subject=about(patient), **changes)
    return submit.create(service.site, SYSTEM, body).stored.id


def text(service: Service, id_: str, patient: str | None = None) -> str:
    caller = patient_caller(patient) if patient else SYSTEM
    return summarise.summary(service.site, caller, id_, "text").body.decode()


def test_both_lists_meet_in_one_summary_whichever_is_asked_for(service: Service) -> None:
    ids = [sent(service, form) for form in FORMS]
    summaries = {text(service, id_) for id_ in ids}
    assert len(summaries) == 1
    (one,) = summaries
    assert "Can I wait with treatment until after the wedding in May?" in one
    assert "My back has hurt for weeks" in one


def test_another_patients_answers_stay_out(service: Service) -> None:
    mine = sent(service, "previsit-recurrent-breast", "ada-example")
    sent(service, "doctor-questions", "bea-example")
    assert "Can I wait with treatment" not in text(service, mine)
    with pytest.raises(NotHere):
        text(service, mine, patient="bea-example")
    assert "My back has hurt" in text(service, mine, patient="ada-example")


def test_another_encounter_is_another_visit(service: Service) -> None:
    one = {"reference": "Encounter/1"}
    two = {"reference": "Encounter/2"}
    mine = sent(service, "previsit-recurrent-breast", encounter=one)
    sent(service, "doctor-questions", encounter=two)
    assert "Can I wait with treatment" not in text(service, mine)
    sent(service, "coping-support")
    assert "Coping and support" in text(service, mine)


@pytest.mark.parametrize("status", ["in-progress", "entered-in-error"])
def test_what_was_not_sent_or_is_withdrawn_has_no_summary(service: Service, status: str) -> None:
    kept = submit.create(service.site, SYSTEM, response(status=status)).stored
    with pytest.raises(Conflict):
        text(service, kept.id)


def test_the_same_visit_gives_the_same_bytes(service: Service) -> None:
    id_ = sent(service, "doctor-questions")
    for form in ("document", "html", "text", "pdf"):
        first = summarise.summary(service.site, SYSTEM, id_, form)
        again = summarise.summary(service.site, SYSTEM, id_, form)
        assert first == again


def document(service: Service, id_: str) -> dict[str, Any]:
    made = summarise.summary(service.site, SYSTEM, id_, "document")
    return dict(json.loads(made.body))


def replaced(bundle: dict[str, Any]) -> str | None:
    """The identifier of the document whose place this one takes."""
    related = bundle["entry"][0]["resource"].get("relatesTo")
    if related is None:
        return None
    (one,) = related
    assert one["code"] == "replaces"
    return str(one["targetIdentifier"]["value"])


def test_each_document_of_a_visit_takes_the_place_of_the_one_before(service: Service) -> None:
    """Another form that comes in, and an amendment: whichever response is asked for."""
    one = sent(service, "doctor-questions")
    first = document(service, one)
    two = sent(service, "coping-support")
    second = document(service, one)
    changed = {"subject": about("ada-example"), "id": two, "status": "amended"}
    submit.update(service.site, SYSTEM, two, response("coping-support", "typical", **changed))
    third, asked_otherwise = document(service, one), document(service, two)
    assert replaced(first) is None
    assert replaced(second) == first["identifier"]["value"]
    assert replaced(third) == replaced(asked_otherwise) == second["identifier"]["value"]
    assert len({one["identifier"]["value"] for one in (first, second, third)}) == 3
    names = {one["entry"][0]["resource"]["identifier"]["value"] for one in (first, second, third)}
    assert len(names) == 1


def test_the_visit_keeps_its_identifier_when_a_form_comes_in_under_a_lower_id(
    service: Service,
) -> None:
    one = sent(service, "doctor-questions")
    before = document(service, one)
    body = response("coping-support", "typical", subject=about("ada-example"), id="0-lower")
    submit.update(service.site, SYSTEM, "0-lower", body)
    after = document(service, one)
    identifiers = [made["entry"][0]["resource"]["identifier"] for made in (before, after)]
    assert identifiers[0] == identifiers[1]
    assert replaced(after) == before["identifier"]["value"]


@pytest.fixture
def elsewhere(tmp_path: Path) -> Iterator[Service]:
    environ = {
        "FHIR_SERVICE_DATA_DIR": str(tmp_path),
        "FHIR_SERVICE_CANONICAL_BASE": "https://clinic.example.org/forms",
    }
    built = build(read_settings(environ))
    built.publish_shipped()
    yield built
    built.close()


def test_a_site_with_canonicals_of_its_own_has_the_same_summary(elsewhere: Service) -> None:
    ours, theirs = b"https://fhir-service.example.org/fhir", b"https://clinic.example.org/forms"
    body = response("doctor-questions", "typical").replace(ours, theirs)
    kept = submit.create(elsewhere.site, SYSTEM, body).stored
    assert "OPEN WITH THESE" in text(elsewhere, kept.id)
    bundle = summarise.summary(elsewhere.site, SYSTEM, kept.id, "document").body
    sections = json.loads(bundle)["entry"][0]["resource"]["section"]
    systems = {section["code"]["coding"][0]["system"] for section in sections}
    assert "https://clinic.example.org/forms/CodeSystem/previsit" in systems
