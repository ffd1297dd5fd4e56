"""What is owed reaches the chart once, for the right patient, in time; or says why it does not."""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from fhir_service.sdc.solicitation import RESPONSE, SYSTEM
from fhir_service.store.outbox import release, retry
from fhir_service.workflow.outbox import HELD_UNTIL, Sending
from tests.support.delivering import Delivering, delivering
from tests.support.ehr import an_ehr
from tests.support.records import keep, version


@pytest.fixture
def at(tmp_path: Path) -> Iterator[Delivering]:
    with an_ehr(hang_seconds=1.3) as ehr, delivering(tmp_path, ehr, "plain") as made:
        yield made


def test_a_summary_is_filed_once_and_the_ledger_says_what_was_sent(at: Delivering) -> None:
    id_ = at.send()
    at.work()
    at.work()
    (note,) = at.notes()
    (entry,) = at.entries()
    (attempt,) = at.ledger(entry.number)
    sent = next(body for method, _, _, body in at.ehr.asked if method == "POST")
    assert (entry.state, entry.ehr_type, entry.ehr_id) == (
        "delivered",
        "DocumentReference",
        note["id"],
    )
    assert (attempt.status, attempt.result, attempt.route) == (201, "delivered", "note")
    assert (attempt.sha256, attempt.size) == (sha256(sent).hexdigest(), len(sent))
    assert note["subject"] == {"reference": "Patient/ada"}
    assert note["identifier"][0]["value"].endswith(f"/QuestionnaireResponse/{id_}/_history/1")
    text = b64decode(note["content"][0]["attachment"]["data"]).decode()
    assert "Whether it comes back" in text


def test_the_audit_says_that_it_left_the_house(at: Delivering) -> None:
    id_ = at.send()
    at.work()
    rows = at.running.service.store.database.rows(
        "SELECT interaction, client, patient, resource_id FROM audit WHERE interaction = 'deliver'"
    )
    assert [tuple(row) for row in rows] == [("deliver", "delivery", "ada", id_)]


@pytest.mark.parametrize("fault", ["429", "503 and retry"])
def test_what_surely_was_not_done_is_tried_again_later(at: Delivering, fault: str) -> None:
    faults = iter([fault, fault])
    at.ehr.plan = lambda: next(faults, "none")
    at.send()
    at.work()
    assert at.states() == [("due", f"busy:{fault[:3]}")]
    at.work()
    assert len(at.ehr.faults) == 1
    at.clock.later(seconds=31)
    at.work()
    at.clock.later(seconds=61)
    at.work()
    assert at.states() == [("delivered", None)]
    assert [one.result for one in at.ledger(1)] == ["due", "due", "delivered"]
    assert len(at.notes()) == 1


LOST = ["time-out after", "reset after", "500 after", "cut body", "slow drip"]


@pytest.mark.parametrize("fault", LOST)
def test_a_lost_answer_is_unknown_and_found_by_reading_back(at: Delivering, fault: str) -> None:
    at.ehr.plan = lambda: fault
    at.send()
    at.work()
    assert at.states()[0][0] == "unknown"
    at.work()
    at.clock.later(seconds=90)
    at.work()
    (entry,) = at.entries()
    (note,) = at.notes()
    assert (entry.state, entry.reason) == ("delivered", "found-by-reading-back")
    assert entry.ehr_id == note["id"]
    assert len(at.ehr.faults) == 1


@pytest.mark.parametrize("fault", ["time-out before", "reset before", "500 before"])
def test_what_is_not_found_after_three_looks_is_sent_again(at: Delivering, fault: str) -> None:
    faults = iter([fault])
    at.ehr.plan = lambda: next(faults, "none")
    at.send()
    at.work()
    for seconds in (61, 301):
        at.clock.later(seconds=seconds)
        at.work()
        assert at.states()[0][0] == "unknown"
    at.clock.later(seconds=1801)
    at.work()
    assert at.states() == [("delivered", None)]
    assert len(at.notes()) == 1


@pytest.mark.parametrize("fault", ["time-out after", "reset before"])
def test_where_nothing_can_be_read_back_a_person_decides(tmp_path: Path, fault: str) -> None:
    with an_ehr(hang_seconds=1.5) as ehr, delivering(tmp_path, ehr, "us-core", "epic") as at:
        ehr.plan = lambda: fault
        at.send()
        at.work()
        for _ in range(5):
            at.clock.later(hours=12)
            at.work()
        (entry,) = at.entries()
        assert (entry.state, entry.due) == ("unknown", HELD_UNTIL)
        assert len(ehr.faults) == 1


def test_a_look_that_does_not_succeed_changes_nothing(at: Delivering) -> None:
    at.ehr.plan = lambda: "500 after"
    at.send()
    at.work()
    at.clock.later(seconds=61)
    at.ehr.answers += [(500, {}, b"")]
    at.work()
    assert at.states() == [("unknown", "fault:500:exception")]
    at.clock.later(seconds=31)
    at.work()
    assert at.states()[0][0] == "delivered"


def test_a_refused_note_is_held_with_the_codes_of_the_refusal(at: Delivering) -> None:
    at.ehr.plan = lambda: "422"
    at.send()
    at.work()
    at.clock.later(days=1)
    at.work()
    assert at.states() == [("refused", "refused:422:invalid")]
    assert len(at.ehr.faults) == 1


def test_an_ehr_that_is_down_is_asked_again_until_the_visit_is_over(tmp_path: Path) -> None:
    with ExitStack() as stack:
        server = stack.enter_context(ExitStack())
        at = stack.enter_context(delivering(tmp_path, server.enter_context(an_ehr()), "plain"))
        at.courier().day.plan()
        server.close()
        at.send()
        for _ in range(13):
            at.work()
            assert at.states() == [("due", "unreachable")]
            at.clock.later(days=1)
        at.clock.later(days=2)
        at.work()
        assert at.states() == [("given-up", "visit-passed")]


def test_a_worker_that_died_while_sending_leaves_it_unknown_and_not_due(at: Delivering) -> None:
    at.send()
    courier = at.courier("dead")
    (claimed,) = courier.outbox.claim("dead", at.clock.time, 1, at.clock.time)
    until = at.clock.time
    courier.outbox.begin(claimed, "dead", until, until, Sending("note", b"x" * 32, 1))
    at.clock.later(seconds=1)
    at.work()
    assert at.states() == [("unknown", "worker-ended")]
    (attempt,) = at.ledger(1)
    assert (attempt.result, attempt.reason) == ("unknown", "worker-ended")
    at.clock.later(seconds=61)
    at.work()
    at.clock.later(seconds=301)
    at.work()
    at.clock.later(seconds=1801)
    at.work()
    assert at.states() == [("delivered", None)]


def test_a_worker_whose_lease_is_over_does_not_send(at: Delivering) -> None:
    at.send()
    slow = at.courier("slow")
    now = at.clock.time
    (claimed,) = slow.outbox.claim("slow", now, 1, now)
    at.clock.later(seconds=1)
    at.work()
    slow.handle(claimed)
    assert len(at.notes()) == 1
    assert at.states() == [("delivered", None)]


def amended(at: Delivering, id_: str, text: str) -> None:
    item: list[dict[str, Any]] = [
        {"linkId": "pain", "answer": [{"valueInteger": 8}]},
        {"linkId": "worry", "answer": [{"valueString": text}]},
    ]
    at.send(id_=id_, status="amended", item=item)


def test_an_amended_response_makes_a_note_that_replaces_the_first(at: Delivering) -> None:
    id_ = at.send()
    at.work()
    amended(at, id_, "Something else")
    at.work()
    first, second = at.notes()
    target = {"reference": f"DocumentReference/{first['id']}"}
    assert second["relatesTo"] == [{"code": "replaces", "target": target}]
    assert "relatesTo" not in first


def test_an_amendment_before_the_first_was_sent_is_the_only_note(at: Delivering) -> None:
    id_ = at.send()
    amended(at, id_, "Something else")
    at.work()
    (note,) = at.notes()
    assert "relatesTo" not in note
    assert at.states() == [("superseded", "told-by-a-later-one"), ("delivered", None)]


def test_an_amendment_waits_while_the_first_is_unknown(at: Delivering) -> None:
    faults = iter(["500 after"])
    at.ehr.plan = lambda: next(faults, "none")
    id_ = at.send()
    at.work()
    amended(at, id_, "Something else")
    at.work()
    assert [state for state, _ in at.states()] == ["unknown", "due"]
    at.clock.later(seconds=90)
    at.work()
    at.clock.later(seconds=90)
    at.work()
    first, second = at.notes()
    assert second["relatesTo"][0]["target"]["reference"].endswith(first["id"])


def test_a_response_entered_in_error_withdraws_its_note(at: Delivering) -> None:
    id_ = at.send()
    at.work()
    at.send(id_=id_, status="entered-in-error")
    at.work()
    (note,) = at.notes()
    assert (note["status"], note["meta"]["versionId"]) == ("entered-in-error", "2")
    assert at.states()[1] == ("delivered", "withdrawn")


def test_a_response_entered_in_error_before_its_note_was_sent_makes_none(at: Delivering) -> None:
    id_ = at.send()
    at.send(id_=id_, status="entered-in-error")
    at.work()
    at.clock.later(hours=1)
    at.work()
    assert at.notes() == []
    assert [state for state, _ in at.states()] == ["superseded", "superseded"]


def test_after_the_visit_nothing_is_sent_until_a_person_releases_it(at: Delivering) -> None:
    at.send()
    at.clock.later(days=15)
    at.work()
    assert at.states() == [("given-up", "visit-passed")]
    store = at.running.service.store
    retry(store, 1, at.clock.time)
    at.work()
    assert at.states() == [("given-up", "visit-passed")]
    assert at.notes() == []
    release(store, 1, at.clock.time)
    at.work()
    assert at.states() == [("delivered", None)]


def test_what_was_owed_before_there_were_deadlines_does_not_flood_a_chart(at: Delivering) -> None:
    at.send()
    store = at.running.service.store
    store.database.write(lambda c: c.run("UPDATE outbox SET deadline = NULL"))
    at.clock.later(days=15)
    at.work()
    assert at.states() == [("given-up", "visit-passed")]
    assert at.notes() == []


@pytest.mark.parametrize(("hours", "state"), [(30, "delivered"), (53, "given-up")])
def test_the_visit_of_its_task_ends_what_comes_late(
    at: Delivering, hours: int, state: str
) -> None:
    id_ = at.send()
    end = (at.clock.time + timedelta(hours=48)).isoformat(timespec="seconds")
    task = {
        "resourceType": "Task",
        "status": "completed",
        "executionPeriod": {"end": end},
        "output": [
            {
                "type": {"coding": [{"system": SYSTEM, "code": RESPONSE}]},
                "valueReference": {"reference": f"QuestionnaireResponse/{id_}"},
            }
        ],
    }
    told = version("t1", json.dumps(task).encode(), 1, "ada", "Task")
    keep(at.running.service.store, told)
    at.clock.later(hours=hours)
    at.work()
    assert at.states()[0][0] == state


def test_an_old_backlog_without_a_target_never_floods_a_chart(tmp_path: Path) -> None:
    with an_ehr() as ehr, delivering(tmp_path, ehr, "plain") as at:
        at.running.service.store.database.write(
            lambda connection: connection.run("UPDATE outbox SET state = 'no-target'")
        )
        at.send()
        at.running.service.store.database.write(
            lambda connection: connection.run("UPDATE outbox SET state = 'no-target'")
        )
        at.work()
        assert at.notes() == []
        assert at.states() == [("no-target", None)]


@pytest.mark.parametrize(
    ("patient", "reason"),
    [
        (None, "patient-not-at-ehr"),
        ({"link": [{"type": "replaced-by", "other": {}}]}, "patient-merged"),
        ({"birthDate": "1980-01-01"}, "patient-mismatch"),
    ],
)
def test_a_patient_who_is_another_at_the_ehr_gets_no_note(
    at: Delivering, patient: dict[str, Any] | None, reason: str
) -> None:
    ours = {"resourceType": "Patient", "id": "ada", "birthDate": "1951-04-03"}
    store = at.running.service.store
    keep(store, version("ada", json.dumps(ours).encode(), 1, "ada", "Patient"))
    del at.ehr.kept["Patient", "ada"]
    if patient is not None:
        at.ehr.put({"resourceType": "Patient", "id": "ada", **patient})
    at.send()
    at.work()
    assert at.states() == [("refused", reason)]
    assert at.notes() == []


def test_odd_data_of_an_ehr_holds_its_entry_and_no_other(at: Delivering) -> None:
    at.ehr.put({"resourceType": "Patient", "id": "bob", "link": "odd"})
    at.send("bob")
    at.send("ada")
    at.work()
    assert at.states() == [("refused", "fault:AttributeError"), ("delivered", None)]


def test_what_becomes_of_each_entry_is_told_in_a_line_without_the_patient(at: Delivering) -> None:
    told: list[str] = []
    at.send()
    at.work(tell=lambda entry, outcome: told.append(f"{entry.number} {outcome.state}"))
    assert told == ["1 delivered"]


def test_no_word_of_a_patient_or_an_ehr_stands_in_outbox_or_ledger(at: Delivering) -> None:
    at.ehr.plan = lambda: "422"
    at.send()
    at.work()
    database = at.running.service.store.database
    told = repr([database.rows("SELECT * FROM outbox"), database.rows("SELECT * FROM attempt")])
    for word in ("Example", "comes back", "1951"):
        assert word not in told
