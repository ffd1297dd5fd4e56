"""What holds for every file of the project."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LONGEST = 400

_REGISTRIES = re.compile(
    r"pypi\.org|pythonhosted\.org|registry\.npmjs|crates\.io|repo1?\.maven|ghcr\.io|docker\.io|quay\.io"
)
_MACHINES = re.compile(r"(?<![\w.])/(?:work|root|home/\w+|Users/\w+)/[\w.]")
_SAME = {"tests/architecture/test_the_tree.py"}


def _files() -> list[str]:
    """Every file that is, or would be, under version control."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if listed.returncode:  # an archive without its history
        return [
            str(path.relative_to(ROOT))
            for path in ROOT.rglob("*")
            if path.is_file() and not {p for p in path.parts if p.startswith(".")} - {".ci"}
        ]
    return [name for name in listed.stdout.splitlines() if (ROOT / name).is_file()]


def _texts() -> list[tuple[str, str]]:
    found = []
    for name in _files():
        body = (ROOT / name).read_bytes()
        if b"\0" not in body and name not in _SAME:
            found.append((name, body.decode("utf-8")))
    return found


def test_no_python_file_is_longer_than_four_hundred_lines() -> None:
    long = {
        name: len(text.splitlines())
        for name, text in _texts()
        if name.endswith(".py") and len(text.splitlines()) > LONGEST
    }
    assert not long, "split these along their subject"


@pytest.mark.parametrize(
    "unwanted", [_REGISTRIES, _MACHINES], ids=["registry host", "machine path"]
)
def test_no_file_names_a_registry_host_or_a_path_of_one_machine(unwanted: re.Pattern[str]) -> None:
    named = [
        f"{name}:{number}: {found.group()}"
        for name, text in _texts()
        for number, line in enumerate(text.splitlines(), 1)
        if (found := unwanted.search(line))
    ]
    assert named == []


def test_no_import_is_relative() -> None:
    relative = [
        name
        for name, text in _texts()
        if name.endswith(".py") and re.search(r"^\s*from \.", text, re.MULTILINE)
    ]
    assert relative == []


def test_every_module_says_what_it_is() -> None:
    silent = [
        name
        for name, text in _texts()
        if name.startswith("fhir_service/")
        and name.endswith(".py")
        and text.strip()
        and not re.match(r"\s*r?\"{3}", text)
    ]
    assert silent == []


def test_nothing_is_left_to_be_done_in_the_code() -> None:
    marks = re.compile(r"\b(TODO|FIXME|XXX)\b|raise NotImplementedError")
    left = [
        f"{name}:{number}"
        for name, text in _texts()
        if name.endswith((".py", ".sh", ".toml", "Makefile", "Dockerfile"))
        for number, line in enumerate(text.splitlines(), 1)
        if marks.search(line)
    ]
    assert left == []
