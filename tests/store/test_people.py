"""A patient's record goes out whole, and is gone when it is erased."""

from __future__ import annotations

from pathlib import Path

from fhir_service.fhir.searching import Search
from fhir_service.store.checking import check_database
from fhir_service.store.opening import StoreDesk, open_desk
from fhir_service.store.people import Erased, erase_patient, export_patient
from fhir_service.workflow.ports import Stored, Told
from tests.support.records import NOON, deleted, keep, response, submit, version

KIND = "QuestionnaireResponse"


def test_all_versions_and_audit_lines_of_one_patient_go_out(desk: StoreDesk) -> None:
    submit(desk, version("a", response(n=1)))
    keep(desk, version("a", response(status="amended"), 2), deleted("a", 3))
    submit(desk, version("b", response(n=2)))
    submit(desk, version("of-bob", response(n=3), patient="bob"))
    given = list(export_patient(desk, "ada"))
    kept = [(one.id, one.version, one.body) for one in given if isinstance(one, Stored)]
    assert kept == [
        ("a", 1, response(n=1)),
        ("a", 2, response(status="amended")),
        ("a", 3, b""),
        ("b", 1, response(n=2)),
    ]
    told = [one for one in given if isinstance(one, Told)]
    assert [(one.patient, one.resource_id, one.recorded) for one in told] == [
        ("ada", "a", NOON),
        ("ada", "b", NOON),
    ]
    assert list(export_patient(desk, "nobody")) == []


def test_erasing_removes_the_patient_and_nobody_else(desk: StoreDesk) -> None:
    submit(desk, version("a", response(identifier={"value": "1"})))
    keep(desk, version("a", response(status="amended", identifier={"value": "1"}), 2))
    submit(desk, version("b", response(identifier={"value": "2"}), patient="bob"))
    line = Told(NOON, "$erase", "operator", patient="ada")
    assert erase_patient(desk, "ada", line) == Erased(
        resources=1, versions=2, search_values=1, outbox=1, audit_lines_kept=2
    )
    left = list(export_patient(desk, "ada"))
    assert all(isinstance(one, Told) for one in left)
    assert left[-1] == line
    assert [one.id for one in desk.reading().search(Search(KIND)).found] == ["b"]
    assert desk.reading().history(KIND, "a") == []
    assert check_database(desk.database.url) == ()
    assert erase_patient(desk, "ada").versions == 0


def test_the_file_does_not_hold_what_was_erased(tmp_path: Path) -> None:
    desk = open_desk(f"sqlite:///{tmp_path}/a.db")
    secret = b"the words of Ada Example" * 300
    submit(desk, version("a", response(said=secret.decode())))
    erase_patient(desk, "ada")
    left = b"".join(file.read_bytes() for file in tmp_path.glob("a.db*"))
    assert b"the words of Ada Example" not in left
    desk.close()
