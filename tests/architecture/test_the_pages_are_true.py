"""README and SUPPORTED.md say what is so."""

from __future__ import annotations

import re
from pathlib import Path

import click
import pytest

from fhir_service.cli.main import COMMANDS, commands
from fhir_service.settings import SETTINGS, Setting

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
SUPPORTED = (ROOT / "fhir_service" / "SUPPORTED.md").read_text(encoding="utf-8")

_LINK = re.compile(r"\[[^\]]+\]\(([^)#\s]+)(?:#[^)]*)?\)")


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: setting.name)
def test_every_setting_stands_in_the_readme_as_it_is(setting: Setting) -> None:
    default = f"`{setting.default}`" if setting.default else "not set"
    row = f"| `{setting.name}` | {default} | {setting.unit} | {setting.meaning} |"
    assert row in README


def test_the_readme_names_no_setting_that_is_not() -> None:
    table = README.split("## Settings", 1)[1].split("\n## ", 1)[0]
    named = re.findall(r"^\| `([A-Z_]+)` \|", table, re.MULTILINE)
    assert named == [setting.name for setting in SETTINGS]


def test_every_command_stands_in_the_readme() -> None:
    for name in COMMANDS:
        assert f"fhir-service {name}" in README, name


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_there_and_says_what_it_does(name: str) -> None:
    command = commands.get_command(click.Context(commands), name)
    assert command is not None
    assert command.name == name
    assert command.help


@pytest.mark.parametrize(
    "page",
    sorted(
        path.relative_to(ROOT).as_posix()
        for path in ROOT.rglob("*.md")
        if not any(part.startswith(".") for part in path.relative_to(ROOT).parts)
    ),
)
def test_every_link_in_a_page_leads_to_a_file(page: str) -> None:
    path = ROOT / page
    missing = [
        link
        for link in _LINK.findall(path.read_text(encoding="utf-8"))
        if "://" not in link and not (path.parent / link).exists()
    ]
    assert missing == []


def _rows() -> list[list[str]]:
    """The rows of the feature tables: feature, whether, where or why."""
    found = []
    for line in SUPPORTED.splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split(" | ")]
        if (
            line.startswith("| ")
            and len(cells) == 3
            and cells[1] in {"yes", "partly", "not yet", "no"}
        ):
            found.append(cells)
    return found


def test_each_feature_that_is_supported_names_files_that_exist() -> None:
    rows = _rows()
    assert len(rows) > 60
    for feature, whether, where in rows:
        files = re.findall(
            r"`((?:fhir_service/|questionnaires/|mappings/|\.ci/|Makefile)[\w./-]*)`", where
        )
        if whether in {"yes", "partly"}:
            assert files, f"{feature}: names no file of ours"
        else:
            assert len(where) > 10, f"{feature}: says no reason"
        for name in files:
            assert (ROOT / name).exists(), f"{feature}: {name} is not there"
