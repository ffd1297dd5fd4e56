"""A published file never changes again: its hash is in the lock.

https://hl7.org/fhir/uv/sdc/STU4/
"""

from __future__ import annotations

import datetime
import hashlib
import tomllib
from pathlib import Path
from typing import Any

from tests.support.forms import ROOT, named, published_files, read


def locked() -> list[dict[str, Any]]:
    """The entries of the lock."""
    entries: list[dict[str, Any]] = tomllib.loads(
        (ROOT / "published.toml").read_text(encoding="utf-8")
    )["published"]
    return entries


def changed(entries: list[dict[str, Any]], root: Path) -> list[str]:
    """The files whose bytes are not those of the lock, or that are gone."""
    return [
        entry["file"]
        for entry in entries
        if not (root / entry["file"]).is_file()
        or hashlib.sha256((root / entry["file"]).read_bytes()).hexdigest() != entry["sha256"]
    ]


def test_no_published_file_has_changed() -> None:
    assert changed(locked(), ROOT) == []


def test_a_change_of_one_letter_in_a_published_file_is_found(tmp_path: Path) -> None:
    entry = next(one for one in locked() if one["file"].startswith("coping-support/"))
    path = tmp_path / entry["file"]
    path.parent.mkdir()
    whole = (ROOT / entry["file"]).read_bytes()
    path.write_bytes(whole)
    assert changed([entry], tmp_path) == []
    path.write_bytes(whole.replace(b"hard", b"Hard", 1))
    assert changed([entry], tmp_path) == [entry["file"]]
    path.unlink()
    assert changed([entry], tmp_path) == [entry["file"]]


def test_every_published_file_is_in_the_lock_with_its_canonical() -> None:
    entries = {entry["file"]: entry for entry in locked()}
    assert entries.keys() == {named(path) for path in published_files()}
    for name, entry in entries.items():
        found = read(ROOT / name)
        assert (entry["canonical"], entry["version"]) == (found["url"], found["version"])
        assert entry["date"] == datetime.date.fromisoformat(found["date"])
