"""AuditEvents and Provenances are read out of the audit, on both databases."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl

import pytest

from fhir_service.fhir.searching import Search, read_search
from fhir_service.store import noting
from fhir_service.store.database import unavailable
from fhir_service.store.noting import Noting
from fhir_service.store.opening import StoreDesk
from fhir_service.store.people import erase_patient
from fhir_service.workflow.ports import Told
from tests.support.cases import cases
from tests.support.records import NOON, keep, response, submit, version

TOKEN_ID = "jti-1"  # noqa: S105  no secret


def asked(kind: str, query: str) -> Search:
    pairs = parse_qsl(query, keep_blank_values=True)
    search, ignored = read_search(kind, pairs, default_count=200)
    assert ignored == ()
    return search


def line(number: int, **said: Any) -> Told:
    made = {"interaction": "read", "client": "operator", "patient": "ivy"} | said
    return Told(NOON + timedelta(minutes=number), **made)


@pytest.fixture
def told(desk: StoreDesk) -> StoreDesk:
    """One of each kind of line that the cases ask for."""
    desk.note(
        line(
            0,
            resource_type="Questionnaire",
            resource_id="short-form",
            resource_version=1,
            patient=None,
        ),
        line(1, interaction="create", token=TOKEN_ID, resource_type="Task", resource_id="t"),
        line(2, interaction="search-type", query="Patient?name=*"),
        line(3, outcome="4", reason="not-found", client="nobody", patient=None),
    )
    return desk


def test_lines_are_found_by_each_parameter(told: StoreDesk) -> None:
    wrong = []
    for _, case in (one.values for one in cases("audit", "searches.json")):
        query = case["query"]
        page = told.reading().search(asked("AuditEvent", query))
        total = told.reading().search(asked("AuditEvent", f"{query}&_total=accurate")).total
        if bool(page.found) != case["found"] or total != len(page.found):
            wrong.append((query, len(page.found), total))
    assert wrong == []


def test_pages_of_the_audit_hold_every_line_once_both_ways(told: StoreDesk) -> None:
    for number in range(10, 40):
        told.note(line(number))
    for sort in ("", "&_sort=date"):
        page = told.reading().search(asked("AuditEvent", f"_count=7{sort}"))
        seen = [one.id for one in page.found]
        while page.next:
            told.note(line(99))
            search = asked("AuditEvent", f"_count=7{sort}&_cursor={page.next}")
            page = told.reading().search(search)
            seen += [one.id for one in page.found]
            if len(seen) > 60:
                break
        assert len(seen) == len(set(seen))
        back = told.reading().search(
            asked("AuditEvent", f"_count=7{sort}&_cursor={page.previous}")
        )
        assert [one.id for one in back.found] == seen[-len(page.found) - 7 : -len(page.found)]


@pytest.mark.parametrize(
    ("query", "minutes"),
    [
        ("date=ge2026-11-22T14:00:00Z", range(120, 300)),
        ("date=lt2026-11-22T12:30:00Z", range(30)),
        ("date=ge2026-11-22T13:00:00Z&date=lt2026-11-22T14:00:00Z", range(60, 120)),
        ("date=2026-11-22T12:07", range(7, 8)),
    ],
)
def test_a_range_of_time_is_found_by_halving(desk: StoreDesk, query: str, minutes: range) -> None:
    for number in range(300):
        desk.note(line(number))
    page = desk.reading().search(asked("AuditEvent", query))
    found = {round((one.last_updated - NOON).total_seconds() / 60) for one in page.found}
    assert found == set(minutes[-200:])


def test_a_provenance_is_there_as_long_as_its_version(desk: StoreDesk) -> None:
    submit(desk, version("r1", response(author={"reference": "Patient/ada"})))
    submit(desk, version("r2", response(), patient="bea"))
    (found,) = desk.reading().search(asked("Provenance", "target=QuestionnaireResponse/r1")).found
    assert json.loads(found.body)["agent"][0]["who"] == {"reference": "Patient/ada"}
    assert found.patient == "ada"
    assert desk.reading().read("Provenance", found.id, "bea") is None
    assert desk.reading().search(asked("Provenance", ""), "bea").found[0].patient == "bea"
    erase_patient(desk, "ada")
    assert desk.reading().read("Provenance", found.id) is None
    assert desk.reading().search(asked("Provenance", "patient=ada")).found == ()


def test_lines_that_could_not_be_written_wait_and_are_written_later(
    desk: StoreDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    notes = Noting(desk.database)

    def locked(_: object) -> None:
        raise unavailable()

    monkeypatch.setattr(noting, "GATHER_SECONDS", 60.0)
    monkeypatch.setattr(desk.database, "write", locked)
    notes.note(line(1), line(2))
    with pytest.raises(Exception, match="unavailable"):
        notes.flush()
    monkeypatch.undo()
    notes.flush()
    recorded = desk.database.rows("SELECT recorded FROM audit ORDER BY id")
    assert len(recorded) == 2
    assert recorded[0][0] < recorded[1][0]
    notes.close()


def test_a_refused_access_to_what_is_not_there_keeps_no_word_of_its_address(
    desk: StoreDesk,
) -> None:
    keep(desk, version("r1", response()))
    for id_ in ("r1", "Mrs-Example"):
        desk.note(
            line(
                1,
                outcome="4",
                resource_type="QuestionnaireResponse",
                resource_id=id_,
                patient=None,
            )
        )
    desk.write_notes()
    rows = desk.database.rows("SELECT resource_id, patient FROM audit ORDER BY id")
    assert [tuple(row) for row in rows] == [("r1", "ada"), (None, None)]
