"""Entries are claimed by one worker at a time, begun and ended in the ledger, moved by people."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from fhir_service.fhir.issues import Conflict, NotHere
from fhir_service.store.deliveries import Deliveries, attempts
from fhir_service.store.opening import StoreDesk
from fhir_service.store.outbox import entries, entry, filed, page_of, release, retry
from fhir_service.store.people import erase_patient
from fhir_service.workflow.outbox import HELD_UNTIL, LeaseLost, Outcome, Sending
from tests.support.records import NOON, response, submit, version

LATER = NOON + timedelta(minutes=10)
SENT = Sending("note", b"h" * 32, 100)


def owed(desk: StoreDesk, count: int) -> None:
    for number in range(count):
        submit(desk, version(f"r{number}", response(), patient=f"p{number}"))


def test_each_entry_is_claimed_by_one_worker_alone(desk: StoreDesk) -> None:
    owed(desk, 60)
    outbox = Deliveries(desk)

    def take(worker: int) -> list[int]:
        mine = []
        while found := outbox.claim(f"w{worker}", LATER, 3, NOON):
            mine += [one.number for one in found]
        return mine

    with ThreadPoolExecutor(6) as pool:
        taken = [number for mine in pool.map(take, range(6)) for number in mine]
    assert sorted(taken) == sorted({one.number for one in entries(desk)})


def test_a_lease_that_ends_gives_the_entry_to_the_next_worker(desk: StoreDesk) -> None:
    owed(desk, 1)
    outbox = Deliveries(desk)
    (first,) = outbox.claim("one", LATER, 5, NOON)
    assert not outbox.claim("two", LATER, 5, NOON)  # leased
    (second,) = outbox.claim("two", LATER + timedelta(hours=1), 5, LATER)
    assert second.number == first.number
    with pytest.raises(LeaseLost):
        outbox.begin(first, "one", LATER, LATER, SENT)
    assert attempts(desk, first.number) == []
    assert not outbox.finish(first, "one", Outcome("delivered", LATER), LATER)


def test_the_ledger_is_open_from_beginning_to_end(desk: StoreDesk) -> None:
    owed(desk, 1)
    outbox = Deliveries(desk)
    (one,) = outbox.claim("one", LATER, 5, NOON)
    attempt = outbox.begin(one, "one", NOON, LATER, SENT)
    (open_,) = attempts(desk, one.number)
    assert (open_.ended, open_.result, open_.sha256) == (None, None, (b"h" * 32).hex())
    done = Outcome("delivered", NOON, status=201, ehr_type="T", ehr_id="d1", tried=True)
    assert outbox.finish(one, "one", done, NOON, attempt)
    (closed,) = attempts(desk, one.number)
    assert (closed.ended, closed.result, closed.status) == (NOON, "delivered", 201)
    found = entry(desk, one.number)
    assert found is not None
    assert (found.state, found.ehr_id, found.attempts, found.finished) == (
        "delivered",
        "d1",
        1,
        NOON,
    )
    assert not outbox.claim("one", LATER, 5, LATER)


def test_an_answer_that_comes_late_is_taken_even_so(desk: StoreDesk) -> None:
    owed(desk, 1)
    outbox = Deliveries(desk)
    (one,) = outbox.claim("slow", LATER, 5, NOON)
    attempt = outbox.begin(one, "slow", NOON, LATER, SENT)
    (seen,) = outbox.claim("other", LATER + timedelta(hours=1), 5, LATER)
    assert seen.state == "sending"
    assert outbox.finish(seen, "other", Outcome("unknown", HELD_UNTIL, "worker-ended"), LATER)
    told = Outcome("delivered", LATER, status=201, ehr_id="d1")
    assert outbox.finish(one, "slow", told, LATER, attempt)
    found = entry(desk, one.number)
    assert found is not None
    assert (found.state, found.ehr_id) == ("delivered", "d1")


def test_a_person_retries_releases_and_closes_only_what_waits_for_her(desk: StoreDesk) -> None:
    owed(desk, 1)
    outbox = Deliveries(desk)
    (one,) = outbox.claim("one", LATER, 5, NOON)
    outbox.finish(one, "one", Outcome("refused", HELD_UNTIL, "no"), NOON)
    assert not outbox.claim("one", LATER, 5, LATER)
    assert retry(desk, one.number, LATER).state == "due"
    assert release(desk, one.number, LATER, "e1").encounter == "e1"
    with pytest.raises(Conflict):
        retry(desk, one.number, LATER)
    assert filed(desk, one.number, LATER, "d9").ehr_id == "d9"
    for act in (retry, release):
        with pytest.raises(Conflict):
            act(desk, one.number, LATER)
    with pytest.raises(NotHere):
        retry(desk, 999, LATER)
    assert [e.number for e in page_of(desk, ("delivered",), 0, 5)] == [one.number]


def test_what_is_being_sent_can_not_be_moved_by_a_person(desk: StoreDesk) -> None:
    owed(desk, 1)
    outbox = Deliveries(desk)
    (one,) = outbox.claim("one", LATER, 5, NOON)
    outbox.begin(one, "one", NOON, LATER, SENT)
    with pytest.raises(Conflict):
        release(desk, one.number, NOON)
    with pytest.raises(Conflict):
        filed(desk, one.number, NOON, None)


def test_the_figures_tell_what_to_alert_on(desk: StoreDesk) -> None:
    owed(desk, 3)
    outbox = Deliveries(desk)
    first, second, _ = outbox.claim("one", LATER, 5, NOON)
    outbox.finish(first, "one", Outcome("unknown", HELD_UNTIL, "lost"), NOON)
    outbox.finish(second, "one", Outcome("given-up", HELD_UNTIL, "visit-passed"), NOON)
    told = desk.figures()
    assert (told["outbox_unknown"], told["outbox_given_up"], told["outbox_refused"]) == (1, 1, 0)
    assert told["outbox_waiting"] == 2
    assert told["outbox_overdue_seconds"] >= 0


def test_erasing_a_patient_takes_her_ledger_and_ends_what_is_on_its_way(desk: StoreDesk) -> None:
    owed(desk, 1)
    outbox = Deliveries(desk)
    (one,) = outbox.claim("one", LATER, 5, NOON)
    attempt = outbox.begin(one, "one", NOON, LATER, SENT)
    assert erase_patient(desk, "p0").outbox == 1
    assert attempts(desk, one.number) == []
    assert not outbox.finish(one, "one", Outcome("delivered", NOON), NOON, attempt)
