"""A asking asks by a Task; what the patient does moves it in the same transaction."""

from __future__ import annotations

import json
from copy import deepcopy
from dataclasses import replace
from typing import Any

import pytest

from fhir_service.fhir.issues import Conflict, NotHere
from fhir_service.sdc.solicitation import CODE, SYSTEM
from fhir_service.smart.access import Access
from fhir_service.smart.scopes import read_scopes
from fhir_service.workflow import submit, task_moves, tasks
from fhir_service.workflow.caller import Caller
from fhir_service.workflow.visits import of_one_visit
from tests.support.service import Running, answers, keys
from tests.support.tasks import a_task, ahead, answered, concept, now, output, sent
from tests.support.ways import (
    CLINIC,
    FORM,
    born,
    offered_form,
    open_path,
    publish,
)

ADA = Caller("portal", "jti", Access(read_scopes("patient/*.cruds"), "ada"))


def test_a_draft_begins_a_task_and_the_sent_answers_complete_it(asking: Running) -> None:
    task = sent(asking)
    response = answered(asking, "in-progress")
    assert (now(asking, task)["status"], output(now(asking, task))) == (
        "in-progress",
        [f"QuestionnaireResponse/{response}"],
    )
    version = now(asking, task)["meta"]["versionId"]
    answered(asking, "in-progress", response, authored="2026-03-16T09:30:00Z")
    assert now(asking, task)["meta"]["versionId"] == version  # nothing to move
    answered(asking, "completed", response)
    done = now(asking, task)
    assert (done["status"], output(done)) == (
        "completed",
        [f"QuestionnaireResponse/{response}"],
    )
    answered(asking, "amended", response, authored="2026-03-17T09:30:00Z")
    assert now(asking, task) == done
    history = json.loads(asking.send("GET", f"/fhir/Task/{task}/_history").data)
    assert [entry["resource"]["status"] for entry in history["entry"]] == [
        "completed",
        "in-progress",
        "requested",
    ]
    told = asking.service.store.database.rows(
        "SELECT interaction FROM audit WHERE resource_type = 'Task' AND resource_id = ?"
        " AND interaction <> 'read' AND interaction <> 'history-instance' ORDER BY id",
        (task,),
    )
    assert [row[0] for row in told] == ["create", "update", "update"]


def test_response_and_task_are_stored_together_or_not_at_all(
    asking: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    task, kept = sent(asking), asking.kept()

    def fails(*_: Any, **__: Any) -> None:
        raise RuntimeError("the disk went away")

    monkeypatch.setattr(task_moves, "_move", fails)
    reply = asking.send("POST", "/fhir/QuestionnaireResponse", answers("ada"))
    assert reply.status_code == 500
    assert asking.kept() == kept
    assert now(asking, task)["status"] == "requested"


def test_the_task_whose_deadline_is_first_is_answered_first(asking: Running) -> None:
    later = sent(asking, restriction={"period": {"end": ahead(days=9)}})
    sooner = sent(asking, restriction={"period": {"end": ahead(days=2)}})
    open_ended = sent(asking, restriction=None)
    for task in (sooner, later, open_ended):
        answered(asking, "completed")
        assert now(asking, task)["status"] == "completed"


@pytest.mark.parametrize("other", ["another patient", "another form", "another version"])
def test_what_a_task_does_not_ask_for_does_not_move_it(asking: Running, other: str) -> None:
    task = sent(asking)
    url = FORM.partition("|")[0]
    publish(asking, offered_form(id="two", version="2.0.0"))
    publish(asking, offered_form(id="three", url=f"{url}-3"))
    changed = {
        "another patient": answers("grace"),
        "another form": answers("ada", questionnaire=f"{url}-3|1.0.0"),
        "another version": answers("ada", questionnaire=f"{url}|2.0.0"),
    }[other]
    reply = asking.send("POST", "/fhir/QuestionnaireResponse", changed)
    assert reply.status_code == 201, reply.text
    assert now(asking, task)["status"] == "requested"


def test_a_draft_in_error_gives_the_task_back(asking: Running) -> None:
    task = sent(asking)
    draft = answered(asking, "in-progress")
    answered(asking, "entered-in-error", draft)
    assert (now(asking, task)["status"], output(now(asking, task))) == ("accepted", [])
    answered(asking, "completed")
    assert now(asking, task)["status"] == "completed"


def test_sent_answers_in_error_open_their_task_again_and_no_other(asking: Running) -> None:
    other, task = sent(asking), sent(asking, restriction={"period": {"end": ahead(days=2)}})
    response = answered(asking, "completed")
    assert now(asking, task)["status"] == "completed"
    answered(asking, "entered-in-error", response)
    again = now(asking, task)
    assert (again["status"], output(again)) == ("accepted", [])
    assert again["statusReason"]["text"] == task_moves.IN_ERROR
    assert now(asking, other)["status"] == "requested"
    response = answered(asking, "completed")
    done = now(asking, task)
    assert (done["status"], output(done)) == ("completed", [f"QuestionnaireResponse/{response}"])
    assert "statusReason" not in done


def test_the_patients_link_comes_from_the_task(asking: Running) -> None:
    deadline = ahead(days=3)
    task = sent(asking, restriction={"period": {"end": deadline}})
    ask = {"resourceType": "Parameters", "parameter": [{"name": "language", "valueCode": "es"}]}
    reply = asking.send("POST", f"/fhir/Task/{task}/$create-link", ask)
    assert reply.status_code == 200, reply.text
    said = {one["name"]: one for one in json.loads(reply.data)["parameter"]}
    assert now(asking, task)["status"] == "received"
    assert said["expires"]["valueInstant"][:19] >= deadline[:19]
    path = "/" + said["address"]["valueUrl"].split("/", 3)[3]
    assert open_path(asking, path, born()).status_code == 303
    assert now(asking, task)["status"] == "accepted"
    response = said["response"]["valueReference"]["reference"].rpartition("/")[2]
    answered(asking, "in-progress", response)
    assert (now(asking, task)["status"], output(now(asking, task))) == (
        "in-progress",
        [f"QuestionnaireResponse/{response}"],
    )
    again = tasks.create_link(asking.service.site, CLINIC, task)
    assert again.response == response
    answered(asking, "completed", response)
    with pytest.raises(Conflict):
        tasks.create_link(asking.service.site, CLINIC, task)


def test_two_tasks_for_one_form_keep_to_the_responses_of_their_links(asking: Running) -> None:
    site = asking.service.site
    first, second = sent(asking), sent(asking)
    links = [tasks.create_link(site, CLINIC, task) for task in (first, second)]
    answered(asking, "completed", links[1].response)
    assert now(asking, second)["status"] == "completed"
    assert now(asking, first)["status"] == "received"


def test_the_patient_sees_her_own_tasks_and_may_decline(asking: Running) -> None:
    site, task = asking.service.site, sent(asking)
    hers = asking.token("patient/*.cruds", "ada")
    his = asking.token("patient/*.cruds", "alan")
    found = json.loads(asking.send("GET", "/fhir/Task", token=hers).data)
    assert [entry["resource"]["id"] for entry in found["entry"]] == [task]
    assert "entry" not in json.loads(asking.send("GET", "/fhir/Task", token=his).data)
    assert asking.send("GET", f"/fhir/Task/{task}", token=his).status_code == 404
    changed = a_task(status="cancelled") | {"id": task}
    assert asking.send("PUT", f"/fhir/Task/{task}", changed, token=hers).status_code == 403
    with pytest.raises(NotHere):
        task_moves.decline(site, replace(ADA, access=Access(ADA.access.scopes, "alan")), task)
    task_moves.decline(site, ADA, task, "I would rather talk about it")
    assert now(asking, task)["status"] == "rejected"
    assert now(asking, task)["statusReason"]["text"] == "I would rather talk about it"
    with pytest.raises(Conflict):
        task_moves.decline(site, ADA, task)


BAD: dict[str, tuple[dict[str, Any], str]] = {
    "another code": ({"code": concept("fulfill")}, "task-code"),
    "no form": ({"input": None}, "task-form"),
    "two forms": ({"input": a_task()["input"] * 2}, "task-form"),
    "a form as a string": (
        {"input": [{"type": concept("questionnaire"), "valueString": FORM}]},
        "task-form",
    ),
    "a focus": ({"focus": {"reference": "ServiceRequest/1"}}, "task-focus"),
    "no requester": ({"requester": None}, "task-incomplete"),
    "no date": ({"authoredOn": None}, "task-incomplete"),
    "nobody": ({"for": None}, "task-incomplete"),
    "no patient": ({"for": {"reference": "Group/1"}}, "task-patient"),
    "somebody elsewhere": (
        {"for": {"reference": "https://elsewhere.example.org/Patient/ada"}},
        "task-patient",
    ),
    "another owner": ({"owner": {"reference": "Patient/alan"}}, "task-owner"),
    "an output": (
        {
            "output": [
                {
                    "type": concept("questionnaire-response"),
                    "valueReference": {"reference": "QuestionnaireResponse/1"},
                }
            ]
        },
        "server-owned",
    ),
    "done already": ({"status": "completed"}, "task-status"),
    "no status of FHIR": ({"status": "done"}, "code-unknown"),
    "too late": ({"restriction": {"period": {"end": "2020-01-01"}}}, "deadline-passed"),
    "backwards": (
        {"restriction": {"period": {"start": "2999-01-02", "end": "2999-01-01"}}},
        "period-backwards",
    ),
    "another endpoint": (
        {
            "input": [
                *a_task()["input"],
                {
                    "type": concept("response-endpoint"),
                    "valueUrl": "https://answers.example.org.evil.example.com/fhir",
                },
            ]
        },
        "task-endpoint",
    ),
    "an unknown form": (
        {"input": [{"type": concept("questionnaire"), "valueCanonical": f"{FORM}9"}]},
        "form-unknown",
    ),
    "any version": (
        {"input": [{"type": concept("questionnaire"), "valueCanonical": FORM.partition("|")[0]}]},
        "form-without-version",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_a_task_that_can_not_be_done_is_refused_with_its_place(asking: Running, name: str) -> None:
    changes, key = BAD[name]
    reply = asking.send("POST", "/fhir/Task", a_task(**deepcopy(changes)))
    assert reply.status_code == 422, reply.text
    assert key in keys(reply)
    for issue in json.loads(reply.data)["issue"]:
        assert issue["expression"][0].startswith("Task")
    assert asking.kept("Task") == 0


def test_an_endpoint_of_ours_and_an_owner_who_is_the_patient_are_taken(asking: Running) -> None:
    endpoint = {
        "type": concept("response-endpoint"),
        "valueUrl": "https://answers.example.org/fhir",
    }
    task = a_task()
    sent(asking, input=[*task["input"], endpoint], owner=task["for"])


@pytest.mark.parametrize(
    ("status", "code"),
    [
        ("cancelled", 200),
        ("on-hold", 200),
        ("received", 200),
        ("completed", 422),
        ("in-progress", 422),
        ("draft", 422),
    ],
)
def test_a_client_may_call_a_task_off_but_not_say_that_it_is_done(
    asking: Running, status: str, code: int
) -> None:
    task = sent(asking)
    reply = asking.send("PUT", f"/fhir/Task/{task}", now(asking, task) | {"status": status})
    assert reply.status_code == code, reply.text


def test_what_a_task_asks_never_changes(asking: Running) -> None:
    task = sent(asking)
    before = now(asking, task)
    for element, value in (
        ("for", {"reference": "Patient/alan"}),
        ("intent", "plan"),
        ("output", [{"type": concept("x"), "valueString": "y"}]),
    ):
        reply = asking.send("PUT", f"/fhir/Task/{task}", before | {element: value})
        assert reply.status_code == 422, element
    cancelled = before | {"status": "cancelled"}
    assert asking.send("PUT", f"/fhir/Task/{task}", cancelled).status_code == 200
    answered(asking, "completed")
    assert now(asking, task)["status"] == "cancelled"
    assert asking.send("PUT", f"/fhir/Task/{task}", before).status_code == 422


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("patient=ada", True),
        ("patient=alan", False),
        ("status=requested,received", True),
        ("status=completed", False),
        (f"code={SYSTEM}|{CODE}", True),
        (f"questionnaire={FORM}", True),
        ("questionnaire=https://elsewhere.example.org/x", False),
        ("deadline=gt2026-01-01", True),
        ("deadline=lt2026-01-01", False),
        ("group-identifier=urn:visits|v1", True),
        ("group-identifier=urn:visits|v2", False),
        ("authored-on=2026-03-01", True),
        ("requester=Practitioner/example", True),
    ],
)
def test_tasks_are_found_by_what_they_say(asking: Running, query: str, found: bool) -> None:
    sent(asking, groupIdentifier={"system": "urn:visits", "value": "v1"})
    reply = asking.send("GET", f"/fhir/Task?{query}", headers={"Prefer": "handling=strict"})
    assert reply.status_code == 200, reply.text
    assert ("entry" in json.loads(reply.data)) == found


def test_the_group_of_their_tasks_says_which_responses_are_one_visit(asking: Running) -> None:
    url = FORM.partition("|")[0]
    ids = []
    for number, group in ((1, "v1"), (2, "v2"), (3, "v1")):
        publish(asking, offered_form(id=f"form-{number}", url=f"{url}-{number}"))
        form = f"{url}-{number}|1.0.0"
        sent(
            asking,
            input=[{"type": concept("questionnaire"), "valueCanonical": form}],
            groupIdentifier={"system": "urn:visits", "value": group},
        )
        ids.append(answered(asking, "completed", questionnaire=form))
    site = asking.service.site
    asked = site.desk.reading().read("QuestionnaireResponse", ids[0])
    assert asked is not None
    visit = of_one_visit(site, asked, None)
    assert [stored.id for stored, _ in visit] == [ids[0], ids[2]]


def test_a_response_by_a_use_case_moves_the_task_too(asking: Running) -> None:
    task = sent(asking)
    submit.create(asking.service.site, ADA, json.dumps(answers("ada")).encode())
    assert now(asking, task)["status"] == "completed"
