"""A response is taken whole or not at all, for the right patient, and only as what may follow."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from fhir_service.fhir.issues import (
    Conflict,
    NotAllowed,
    NotHere,
    NotUnderstood,
    NotValid,
    Refusal,
    Stale,
)
from fhir_service.fhir.searching import Search
from fhir_service.wiring import Service
from fhir_service.workflow import submit
from fhir_service.workflow.submit import FOLLOWS
from tests.support.answers import SYSTEM, about, patient_caller, response

ANYBODY = Search("QuestionnaireResponse", total=True, count=0)


def stored(service: Service) -> int | None:
    return service.site.desk.reading().search(ANYBODY).total


def owed(service: Service) -> list[tuple[str, int, str]]:
    rows = service.store.database.rows(
        "SELECT resource_id, resource_version, state FROM outbox ORDER BY resource_version"
    )
    return [tuple(row) for row in rows]


def told(service: Service) -> list[str]:
    rows = service.store.database.rows(
        "SELECT interaction FROM audit WHERE resource_type = 'QuestionnaireResponse' ORDER BY 1"
    )
    return [row[0] for row in rows]


def test_what_is_taken_is_kept_told_and_owed_together(service: Service) -> None:
    body = response()
    kept = submit.create(service.site, SYSTEM, body)
    read = service.site.desk.reading().read("QuestionnaireResponse", kept.stored.id)
    assert read is not None
    assert (read.body, read.version, read.patient) == (body, 1, kept.stored.patient)
    assert owed(service) == [(kept.stored.id, 1, "no-target")]
    assert told(service) == ["create"]


def test_a_draft_is_kept_and_owed_to_nobody(service: Service) -> None:
    submit.create(service.site, SYSTEM, response(name="in-progress"))
    assert stored(service) == 1
    assert owed(service) == []


@pytest.mark.parametrize(
    ("changes", "refusal", "key"),
    [
        ({"subject": None}, NotValid, "subject-missing"),
        ({"subject": about("a/b")}, NotUnderstood, None),
        ({"subject": {"reference": "Group/1"}}, NotValid, "subject-not-a-patient"),
        ({"subject": {"display": "Ada"}}, NotValid, "subject-missing"),
        (
            {"subject": {"reference": "https://elsewhere.example.org/fhir/Patient/ada"}},
            NotValid,
            "subject-not-a-patient",
        ),
        ({"questionnaire": None}, NotValid, "questionnaire-missing"),
        ({"questionnaire": "https://x.example.org/q|1"}, NotValid, "questionnaire-unknown"),
        (
            {"questionnaire": "https://x.example.org/fhir/ValueSet/q|1"},
            NotValid,
            "questionnaire-other-type",
        ),
        ({"status": None}, NotUnderstood, None),
        ({"item": [{"linkId": "nowhere"}]}, NotValid, "item-unknown"),
    ],
)
def test_what_is_refused_leaves_nothing_behind(
    service: Service, changes: dict[str, Any], refusal: type[Refusal], key: str | None
) -> None:
    with pytest.raises((refusal, NotValid)) as refused:
        submit.create(service.site, SYSTEM, response(**changes))
    if key:
        assert key in [issue.key for issue in refused.value.issues]
    assert (stored(service), owed(service), told(service)) == (0, [], [])


def test_another_version_than_those_published_is_refused_by_name(service: Service) -> None:
    canonical = json.loads(response())["questionnaire"].partition("|")[0]
    with pytest.raises(NotValid) as refused:
        submit.create(service.site, SYSTEM, response(questionnaire=canonical + "|9.9.9"))
    (issue,) = refused.value.issues
    assert issue.key == "questionnaire-version-unknown"
    assert issue.expression == "QuestionnaireResponse.questionnaire"


def test_a_patient_writes_for_herself_and_for_nobody_else(service: Service) -> None:
    own = response(subject=about("ada"))
    assert submit.create(service.site, patient_caller("ada"), own).stored.patient == "ada"
    with pytest.raises(NotAllowed):
        submit.create(service.site, patient_caller("bea"), own)
    with pytest.raises(NotAllowed):
        submit.create(service.site, patient_caller("ada", "patient/*.rs"), own)
    assert stored(service) == 1


def test_what_is_another_patients_looks_as_if_it_were_not_there(service: Service) -> None:
    kept = submit.create(service.site, SYSTEM, response(subject=about("ada")))
    body = response(subject=about("bea"), id=kept.stored.id)
    with pytest.raises(NotHere) as mine:
        submit.update(service.site, patient_caller("bea"), kept.stored.id, body, 1)
    with pytest.raises(NotHere) as deleted:
        submit.delete(service.site, patient_caller("bea"), kept.stored.id)
    assert mine.value.says == deleted.value.says


def test_a_draft_becomes_complete_and_then_amended(service: Service) -> None:
    first = submit.create(service.site, SYSTEM, response(status="in-progress")).stored
    done = response(id=first.id, status="completed")
    second = submit.update(service.site, SYSTEM, first.id, done, 1).stored
    again = response(id=first.id, status="amended")
    third = submit.update(service.site, SYSTEM, first.id, again, 2).stored
    assert (second.version, third.version) == (2, 3)
    assert owed(service) == [(first.id, 2, "no-target"), (first.id, 3, "no-target")]
    assert third.last_updated >= second.last_updated >= first.last_updated


def test_the_same_bytes_again_change_nothing(service: Service) -> None:
    first = submit.create(service.site, SYSTEM, response()).stored
    body = response(id=first.id, status="amended")
    submit.update(service.site, SYSTEM, first.id, body, 1)
    kept = submit.update(service.site, SYSTEM, first.id, body, 2)
    assert (kept.changed, kept.stored.version) == (False, 2)


@pytest.mark.parametrize("before", sorted(FOLLOWS))
@pytest.mark.parametrize("after", sorted(FOLLOWS))
def test_a_status_is_followed_only_by_what_may_follow_it(
    service: Service, before: str, after: str
) -> None:
    first = submit.create(service.site, SYSTEM, response(status=before)).stored
    body = response(id=first.id, status=after, language="en")
    if after in FOLLOWS[before]:
        assert submit.update(service.site, SYSTEM, first.id, body).stored.version == 2
        return
    with pytest.raises(NotValid) as refused:
        submit.update(service.site, SYSTEM, first.id, body)
    assert [issue.key for issue in refused.value.issues] == ["status-transition"]


def test_subject_and_form_of_a_response_stay(service: Service) -> None:
    first = submit.create(service.site, SYSTEM, response(status="in-progress")).stored
    other = response("doctor-questions", id=first.id, subject=about("bea"), status="completed")
    with pytest.raises(NotValid) as refused:
        submit.update(service.site, SYSTEM, first.id, other)
    assert [i.key for i in refused.value.issues] == ["subject-changed", "form-changed"]


def test_a_patient_must_name_the_version_that_she_changes(service: Service) -> None:
    ada = patient_caller("ada")
    first = submit.create(
        service.site, ada, response(subject=about("ada"), status="in-progress")
    ).stored
    body = response(subject=about("ada"), id=first.id)
    for wrong in (None, 2):
        with pytest.raises(Stale):
            submit.update(service.site, ada, first.id, body, wrong)
    assert submit.update(service.site, ada, first.id, body, 1).stored.version == 2


def test_the_id_in_the_body_is_that_of_the_address(service: Service) -> None:
    with pytest.raises(NotUnderstood):
        submit.update(service.site, SYSTEM, "one", response(id="two"))


def test_a_client_may_choose_the_id(service: Service) -> None:
    kept = submit.update(service.site, SYSTEM, "chosen-1", response(id="chosen-1"))
    assert (kept.created, kept.stored.id, kept.stored.version) == (True, "chosen-1", 1)


def test_only_a_draft_can_be_deleted_and_its_versions_stay(service: Service) -> None:
    draft = submit.create(service.site, SYSTEM, response(status="in-progress")).stored
    gone = submit.delete(service.site, SYSTEM, draft.id)
    assert (gone.deleted, gone.version) == (True, 2)
    assert submit.delete(service.site, SYSTEM, draft.id) == gone
    assert service.site.desk.reading().vread("QuestionnaireResponse", draft.id, 1) == draft
    sent = submit.create(service.site, SYSTEM, response()).stored
    with pytest.raises(Conflict):
        submit.delete(service.site, SYSTEM, sent.id)


def test_time_never_goes_back_between_versions(service: Service) -> None:
    first = submit.create(service.site, SYSTEM, response(status="in-progress")).stored
    assert first.last_updated - service.site.clock.now() < timedelta(seconds=5)
