"""The note waits for the encounter of the visit, and is filed once, for that patient alone."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fhir_service.store.outbox import release
from fhir_service.workflow.parcels import WrongPatient, must_be_of_one_patient
from tests.support.delivering import Delivering, delivering
from tests.support.ehr import an_ehr


@pytest.fixture
def at(tmp_path: Path) -> Iterator[Delivering]:
    with an_ehr() as ehr, delivering(tmp_path, ehr, "epic") as made:
        yield made


def iso(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds")


def appointment(at: Delivering, patient: str = "ada", id_: str = "a1", **span: float) -> datetime:
    """An appointment so long after now; when it begins."""
    start = at.clock.time + timedelta(**(span or {"days": 3}))
    at.ehr.put(
        {
            "resourceType": "Appointment",
            "id": id_,
            "status": "booked",
            "start": iso(start),
            "end": iso(start + timedelta(minutes=30)),
            "participant": [{"actor": {"reference": f"Patient/{patient}"}, "status": "accepted"}],
        }
    )
    return start


def encounter(at: Delivering, patient: str = "ada", id_: str = "e1", **members: Any) -> None:
    at.ehr.put(
        {
            "resourceType": "Encounter",
            "id": id_,
            "status": "arrived",
            "class": {"code": "AMB"},
            "subject": {"reference": f"Patient/{patient}"},
            "appointment": [{"reference": "Appointment/a1"}],
            **members,
        }
    )


def test_the_note_waits_for_the_encounter_and_is_filed_once_when_it_is_there(
    at: Delivering,
) -> None:
    appointment(at)
    at.send()
    for _ in range(4):
        at.work()
        assert at.states() == [("waiting-for-encounter", "no-encounter-yet")]
        at.clock.later(hours=12)
    encounter(at)
    at.work()
    at.clock.later(hours=1)
    at.work()
    (note,) = at.notes()
    assert note["context"] == {"encounter": [{"reference": "Encounter/e1"}]}
    assert note["docStatus"] == "preliminary"
    assert "author" not in note
    assert "identifier" not in note
    ((attachment),) = [one["attachment"] for one in note["content"]]
    assert attachment["contentType"] == "text/plain"
    assert b64decode(attachment["data"]).isascii()


def test_without_an_appointment_it_waits_and_no_encounter_is_guessed(at: Delivering) -> None:
    at.send()
    encounter(at, appointment=[], period={"start": iso(at.clock.time + timedelta(days=1))})
    at.work()
    assert at.states() == [("waiting-for-encounter", "no-appointment")]
    release(at.running.service.store, 1, at.clock.time, "e1")
    at.work()
    assert at.states() == [("delivered", None)]
    assert at.notes()[0]["context"]["encounter"][0]["reference"] == "Encounter/e1"


def test_an_encounter_that_names_no_appointment_is_taken_only_if_it_is_the_only_one_near(
    at: Delivering,
) -> None:
    start = appointment(at)
    at.send()
    near: dict[str, Any] = {
        "period": {"start": iso(start - timedelta(minutes=10))},
        "appointment": [],
    }
    encounter(at, id_="e1", **near)
    encounter(at, id_="e2", **near)
    at.work()
    assert at.states() == [("waiting-for-encounter", "no-encounter-yet")]
    encounter(at, id_="e2", **{**near, "status": "cancelled"})
    at.clock.later(hours=2)
    at.work()
    assert at.notes()[0]["context"]["encounter"][0]["reference"] == "Encounter/e1"


@pytest.mark.parametrize("status", ["cancelled", "noshow", "entered-in-error"])
def test_an_appointment_that_does_not_take_place_is_none(at: Delivering, status: str) -> None:
    appointment(at)
    at.ehr.kept["Appointment", "a1"]["status"] = status
    encounter(at)
    at.send()
    at.work()
    assert at.states() == [("waiting-for-encounter", "no-appointment")]


def test_when_the_visit_is_over_the_note_is_given_up(at: Delivering) -> None:
    appointment(at, days=2)
    at.send()
    at.work()
    at.clock.later(days=2, minutes=29)
    at.work()
    assert at.states() == [("waiting-for-encounter", "no-encounter-yet")]
    at.clock.later(minutes=6)
    encounter(at)
    at.work()
    assert at.states() == [("given-up", "visit-passed")]
    assert at.notes() == []


def test_a_note_that_comes_late_is_not_sent_after_the_visit(tmp_path: Path) -> None:
    with an_ehr() as ehr, delivering(tmp_path, ehr, "plain") as at:
        appointment(at, days=1)
        at.send()
        ehr.plan = lambda: "429"
        at.work()
        at.clock.later(days=2)
        ehr.plan = lambda: "none"
        at.work()
        assert at.states() == [("given-up", "visit-passed")]
        assert at.notes() == []


def test_an_ehr_that_tells_no_appointments_gets_a_late_note_within_its_days(
    tmp_path: Path,
) -> None:
    with an_ehr() as ehr, delivering(tmp_path, ehr, "plain") as at:
        at.send()
        at.clock.later(days=2)
        patient = b'{"resourceType":"Patient","id":"ada"}'
        at.courier().day.plan()
        ehr.answers += [(200, {}, patient), (403, {}, b"")]
        at.work()
        assert at.states() == [("delivered", None)]


def test_the_encounter_that_the_response_names_is_read_and_taken(at: Delivering) -> None:
    encounter(at)
    at.send(encounter={"reference": "Encounter/e1"})
    at.work()
    assert at.states() == [("delivered", None)]


@pytest.mark.parametrize(
    ("members", "reason"),
    [
        ({"patient": "bob"}, "wrong-patient:encounter"),
        ({"status": "cancelled"}, "encounter-cancelled"),
        ({"id_": "another"}, "encounter-not-at-ehr"),
    ],
)
def test_an_encounter_that_is_not_hers_or_not_there_gets_no_note(
    at: Delivering, members: dict[str, Any], reason: str
) -> None:
    encounter(at, **members)
    at.send(encounter={"reference": "Encounter/e1"})
    at.work()
    assert at.states() == [("refused", reason)]
    assert at.notes() == []


def test_an_encounter_that_changes_hands_before_sending_is_found_out(
    at: Delivering, monkeypatch: pytest.MonkeyPatch
) -> None:
    appointment(at)
    encounter(at)
    at.send()
    search = at.ehr.find

    def changed(kind: str, query: dict[str, str]) -> list[dict[str, Any]]:
        found = search(kind, query)
        if kind == "Encounter":
            encounter(at, "bob")
        return found

    monkeypatch.setattr(at.ehr, "find", changed)
    at.work()
    assert at.states() == [("refused", "wrong-patient:encounter")]
    assert at.notes() == []


def test_oracle_gets_the_end_of_the_visit_and_waits_until_it_is_known(tmp_path: Path) -> None:
    with an_ehr() as ehr, delivering(tmp_path, ehr, "oracle-health") as at:
        at.send()
        at.work()
        assert at.states() == [("waiting-for-encounter", "no-appointment")]
        start = appointment(at)
        at.clock.later(hours=1)
        at.work()
        (note,) = at.notes()
        period = note["context"]["period"]
        assert datetime.fromisoformat(period["end"]) == start.replace(microsecond=0) + timedelta(
            minutes=30
        )
        assert note["docStatus"] == "final"
        assert [one["attachment"]["contentType"] for one in note["content"]] == ["application/pdf"]
        assert "category" not in note


PEOPLE = st.sampled_from(["ada", "bob", "cyd"])


@given(subject=PEOPLE, named=PEOPLE, theirs=st.none() | PEOPLE, id_=st.sampled_from(["e1", "e2"]))
def test_only_note_response_and_encounter_of_one_patient_pass(
    subject: str, named: str, theirs: str | None, id_: str
) -> None:
    note = {
        "subject": {"reference": f"Patient/{named}"},
        "context": {"encounter": [{"reference": "Encounter/e1"}]},
    }
    read = None
    if theirs is not None:
        read = {"id": id_, "subject": {"reference": f"Patient/{theirs}"}}
    fits = subject == named == theirs and id_ == "e1"
    try:
        must_be_of_one_patient(subject, note, read)
    except WrongPatient:
        assert not fits
    else:
        assert fits


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["send", "appointment", "encounter", "swap", "work", "wait"]),
        st.sampled_from(["ada", "bob"]),
    ),
    min_size=3,
    max_size=14,
)


@pytest.mark.long
@settings(max_examples=150, suppress_health_check=list(HealthCheck), deadline=None)
@given(steps=STEPS)
def test_whatever_happens_in_whatever_order_no_note_is_in_anothers_chart(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, str]]
) -> None:
    with an_ehr() as ehr, delivering(tmp_path_factory.mktemp("order"), ehr, "epic") as at:
        ehr.put({"resourceType": "Patient", "id": "bob", "birthDate": "1960-01-01"})
        owner: dict[str, str] = {}
        for number, (step, patient) in enumerate(steps):
            if step == "send":
                owner[at.send(patient, item=_words(patient, number))] = patient
            elif step == "appointment":
                appointment(at, patient, f"a-{patient}", days=3)
            elif step in ("encounter", "swap"):
                whose = patient if step == "encounter" else {"ada": "bob", "bob": "ada"}[patient]
                booked = [{"reference": f"Appointment/a-{patient}"}]
                encounter(at, whose, f"e-{patient}", appointment=booked)
            elif step == "work":
                at.work()
            else:
                at.clock.later(hours=2)
        at.work()
        for note in at.notes():
            patient = note["subject"]["reference"].removeprefix("Patient/")
            text = b64decode(note["content"][0]["attachment"]["data"]).decode()
            other = {"ada": "bob", "bob": "ada"}[patient]
            assert f"words of {patient}" in text
            assert f"words of {other}" not in text
        assert all(patient == of_encounter for patient, of_encounter in ehr.charts)
        assert len(ehr.charts) == len(at.notes())
        assert len(at.notes()) == len([one for one in at.entries() if one.state == "delivered"])


def _words(patient: str, number: int) -> list[dict[str, Any]]:
    return [
        {"linkId": "pain", "answer": [{"valueInteger": number % 11}]},
        {"linkId": "worry", "answer": [{"valueString": f"words of {patient} {number}"}]},
    ]
