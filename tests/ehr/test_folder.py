"""A folder for an interface engine: whole files under their names, the index last."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest

from tests.support.delivering import Delivering, delivering
from tests.support.ehr import an_ehr


@pytest.fixture
def at(tmp_path: Path) -> Iterator[Delivering]:
    how = {"EHR_FOLDER": str(tmp_path / "drop")}
    with an_ehr() as ehr, delivering(tmp_path, ehr, "folder", "hapi", **how) as made:
        yield made


def files(tmp_path: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted((tmp_path / "drop").iterdir())}


def test_pdf_text_and_document_are_there_and_the_index_tells_them(
    at: Delivering, tmp_path: Path
) -> None:
    id_ = at.send()
    at.work()
    (entry,) = at.entries()
    found = files(tmp_path)
    name = str(entry.ehr_id)
    assert sorted(found) == [f"{name}.{end}" for end in ("fhir.json", "json", "pdf", "txt")]
    assert found[f"{name}.pdf"].startswith(b"%PDF-")
    assert b"Whether it comes back" in found[f"{name}.txt"]
    assert json.loads(found[f"{name}.fhir.json"])["type"] == "document"
    index = json.loads(found[f"{name}.json"])
    assert (index["patient"], index["status"], index["replaces"]) == ("ada", "current", None)
    assert index["identifier"].endswith(f"/{id_}/_history/1")
    for file in index["files"]:
        body = found[file["name"]]
        assert (file["sha256"], file["bytes"]) == (sha256(body).hexdigest(), len(body))
    assert not at.ehr.asked


def test_the_index_is_the_last_to_come_and_nothing_is_ever_half(
    at: Delivering, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    order: list[str] = []
    rename = Path.replace

    def watched(self: Path, target: Path) -> Path:
        assert self.name.startswith(".")
        assert not target.exists()
        order.append(target.suffix)
        return rename(self, target)

    monkeypatch.setattr(Path, "replace", watched)
    at.send()
    at.work()
    assert order[-1] == ".json"
    assert len(order) == 4
    assert not [one for one in files(tmp_path) if one.startswith(".")]


def test_each_file_is_brought_to_the_disk_before_it_has_its_name(
    at: Delivering, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    sync, rename = os.fsync, Path.replace

    def synced(handle: int) -> None:
        told.append("sync")
        sync(handle)

    def watched(self: Path, target: Path) -> Path:
        told.append("name")
        return rename(self, target)

    monkeypatch.setattr(os, "fsync", synced)
    monkeypatch.setattr(Path, "replace", watched)
    at.send()
    at.work()
    named = [place for place, word in enumerate(told) if word == "name"]
    assert named
    assert all(told[place - 1] == told[place + 1] == "sync" for place in named)


def test_an_amendment_names_what_it_replaces_and_an_error_what_it_withdraws(
    at: Delivering, tmp_path: Path
) -> None:
    id_ = at.send()
    at.work()
    item = [{"linkId": "pain", "answer": [{"valueInteger": 2}]}]
    at.send(id_=id_, status="amended", item=item)
    at.work()
    first, second = at.entries()
    index = json.loads(files(tmp_path)[f"{second.ehr_id}.json"])
    assert index["replaces"] == first.ehr_id
    at.send(id_=id_, status="entered-in-error", item=item)
    at.work()
    third = at.entries()[2]
    index = json.loads(files(tmp_path)[f"{third.ehr_id}.json"])
    assert (index["status"], index["withdraws"]) == ("entered-in-error", second.ehr_id)


def test_a_folder_that_can_not_be_written_to_is_tried_again(
    at: Delivering, tmp_path: Path
) -> None:
    (tmp_path / "drop").write_text("in the way", encoding="utf-8")
    at.send()
    at.work()
    assert at.states() == [("due", "unreachable:folder")]
    (tmp_path / "drop").unlink()
    at.clock.later(minutes=5)
    at.work()
    assert at.states() == [("delivered", None)]


def test_a_worker_that_died_while_writing_is_looked_up(at: Delivering, tmp_path: Path) -> None:
    at.send()
    at.work()
    store = at.running.service.store
    store.database.write(lambda c: c.run("UPDATE outbox SET state = 'sending', due = 0"))
    at.work()
    at.clock.later(minutes=2)
    at.work()
    assert at.states() == [("delivered", "found-by-reading-back")]
    assert len(files(tmp_path)) == 4
