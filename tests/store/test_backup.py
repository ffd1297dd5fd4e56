"""A backup holds every committed byte of one moment, and can be restored into either database."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from threading import Event, Thread

import pytest

from fhir_service.fhir.issues import Conflict
from fhir_service.fhir.searching import read_search
from fhir_service.store.backup import backup, restore
from fhir_service.store.checking import check_database
from fhir_service.store.database import StoreFault
from fhir_service.store.opening import StoreDesk, open_desk
from fhir_service.store.token_keys import TokenKeys
from tests.support.databases import Server, new_url
from tests.support.records import NOON, deleted, form, keep, response, submit, version

KIND = "QuestionnaireResponse"


def only_key(kind: str) -> dict[str, str]:
    return {"kid": "only", "kty": kind}


@pytest.mark.parametrize("into", ["sqlite", "postgresql"])
def test_what_is_restored_is_what_was_backed_up(
    desk: StoreDesk, tmp_path: Path, server: Server | None, into: str
) -> None:
    keep(desk, version("form", form(title="Ada's form"), 1, None, "Questionnaire"))
    for n in range(30):
        submit(desk, version(f"r{n}", response(n=n, identifier={"value": f"i{n}"}), 1, "ada"))
    keep(desk, version("r1", response(status="amended"), 2))
    keep(desk, deleted("r2", 2))
    TokenKeys(desk.database, only_key, lambda: NOON).all()
    told: list[tuple[int, int]] = []
    (tmp_path / "kept").mkdir()
    made = backup(
        desk.database.url, tmp_path / "kept" / "b", lambda done, of: told.append((done, of))
    )
    assert made.bodies_verified == 33
    assert told[-1][0] == told[-1][1]
    url = new_url(into, tmp_path, server)
    restored = restore(url, tmp_path / "kept" / "b")
    assert restored.rows == made.rows
    assert check_database(url) == ()
    again = open_desk(url)
    for n in range(30):
        assert again.reading().history(KIND, f"r{n}") == desk.reading().history(KIND, f"r{n}")
    search, _ = read_search(KIND, [("identifier", "i7")], default_count=5)
    assert [one.id for one in again.reading().search(search).found] == ["r7"]
    kept = TokenKeys(again.database, lambda kind: {}, lambda: NOON).all()
    assert kept == ({"kid": "only", "kty": "EC"},)
    submit(again, version("after", response()))
    again.close()
    assert [p.name for p in (tmp_path / "kept").iterdir()] == ["b"]


def test_a_backup_under_writing_is_of_one_moment(desk: StoreDesk, tmp_path: Path) -> None:
    stop = Event()
    written: list[int] = []

    def write() -> None:
        n = 0
        while not stop.is_set():
            submit(desk, version(f"w{n}", response(x="y" * 3000)))
            written.append(n)
            n += 1

    thread = Thread(target=write)
    thread.start()
    while len(written) < 50:
        stop.wait(0.01)
    before = len(written)
    made = backup(desk.database.url, tmp_path / "b")
    stop.set()
    thread.join()
    rows = made.rows
    assert before <= rows["resource_version"] <= len(written) + 1
    assert rows["resource"] == rows["resource_version"] == rows["audit"] == rows["outbox"]
    assert check_database(f"sqlite:///{tmp_path}/b") == ()


def test_only_an_empty_database_is_restored_into(desk: StoreDesk, tmp_path: Path) -> None:
    keep(desk, version("r", response()))
    backup(desk.database.url, tmp_path / "b")
    with pytest.raises(Conflict):
        restore(desk.database.url, tmp_path / "b")
    with pytest.raises(Conflict):
        backup(desk.database.url, tmp_path / "b")
    with pytest.raises(StoreFault):
        restore(desk.database.url, tmp_path / "nowhere")


def test_a_damaged_backup_is_not_restored(tmp_path: Path) -> None:
    desk = open_desk(f"sqlite:///{tmp_path}/a.db")
    keep(desk, version("r", response()))
    desk.close()
    backup(f"sqlite:///{tmp_path}/a.db", tmp_path / "b")
    with sqlite3.connect(tmp_path / "b") as connection:
        connection.execute("UPDATE resource_version SET body = x'00'")
    connection.close()
    with pytest.raises(StoreFault):
        restore(f"sqlite:///{tmp_path}/new.db", tmp_path / "b")
    assert check_database(f"sqlite:///{tmp_path}/b") == (
        "the body of QuestionnaireResponse/r/_history/1 differs from its SHA-256",
    )
    empty = open_desk(f"sqlite:///{tmp_path}/new.db")
    assert empty.reading().read(KIND, "r") is None
    empty.close()


def test_a_pointer_that_went_astray_is_found(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/a.db"
    desk = open_desk(url)
    keep(desk, version("r", response()))
    keep(desk, version("r", response(status="amended"), 2))
    desk.close()
    with sqlite3.connect(tmp_path / "a.db") as connection:
        connection.execute("UPDATE resource SET version = 1")
    connection.close()
    assert check_database(url) == (
        "QuestionnaireResponse/r does not point to its newest version",
        "QuestionnaireResponse/r says otherwise than its newest version",
    )
