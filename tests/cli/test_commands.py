"""The command line as an operator meets it: in-process, on a real throw-away database."""

from __future__ import annotations

import json
import os
import sqlite3
from pathlib import Path

import pytest

from fhir_service.cli.main import main
from tests.support.serving import ROOT

FORM = ROOT / "questionnaires" / "coping-support" / "Questionnaire-1.0.0.json"
ANSWERS = ROOT / "questionnaires" / "coping-support" / "responses" / "typical.json"


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in list(os.environ):
        if name.startswith("FHIR_SERVICE_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("FHIR_SERVICE_DATA_DIR", str(tmp_path / "data"))
    return tmp_path / "data"


def fhir_service(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    """Run one command; its exit status."""
    monkeypatch.setattr("sys.argv", ["fhir-service", *arguments])
    monkeypatch.setattr("sys.excepthook", None)
    with pytest.raises(SystemExit) as ended:
        main()
    assert isinstance(ended.value.code, int)
    return ended.value.code


def test_a_token_is_alone_on_standard_output(
    data: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert fhir_service(monkeypatch, "token", "--scope", "system/*.rs") == 0
    printed = capsys.readouterr()
    assert printed.out.count(".") == 2
    assert len(printed.out.split()) == 1
    assert printed.err == ""


def test_a_scope_that_is_none_is_told_in_one_line(
    data: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert fhir_service(monkeypatch, "token", "--scope", "everything please") == 1
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.startswith("fhir-service: ")
    assert told.err.count("\n") == 1


def test_a_bad_setting_stops_with_its_name(
    data: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FHIR_SERVICE_VISIT_DAYS", "soon")
    assert fhir_service(monkeypatch, "token", "--scope", "system/*.rs") == 2
    assert capsys.readouterr().err == (
        "fhir-service: FHIR_SERVICE_VISIT_DAYS: must be a whole number from 1 to 366 (days).\n"
    )


def test_an_unknown_command_is_told_with_the_way_to_help(
    data: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert fhir_service(monkeypatch, "sevre") == 2
    assert "No such command 'sevre'" in capsys.readouterr().err


def test_the_mappings_that_ship_fit_the_forms_that_ship(
    data: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert fhir_service(monkeypatch, "check") == 0
    assert capsys.readouterr().out.endswith(": good\n")


def test_mappings_of_the_site_are_checked_with_its_forms(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    own = tmp_path / "summary"
    own.mkdir()
    monkeypatch.setenv("FHIR_SERVICE_SUMMARY_DIR", str(own))
    (own / "ours.toml").write_text('questionnaire = "https://a.org/ours|1"\norder = 9\n')
    assert fhir_service(monkeypatch, "check") == 1
    assert "https://a.org/ours|1 is not here." in capsys.readouterr().out
    form = {"resourceType": "Questionnaire", "url": "https://a.org/ours", "version": "1"}
    told = {"linkId": "a", "type": "display", "text": "Thank you."}
    ours = tmp_path / "ours.json"
    ours.write_text(json.dumps(form | {"status": "active", "item": [told]}), encoding="utf-8")
    assert fhir_service(monkeypatch, "check", str(ours)) == 0
    assert "4 forms, 19 rules: good" in capsys.readouterr().out
    (own / "owners.toml").write_text('[owner]\nnobody = "x"\n')
    assert fhir_service(monkeypatch, "check", str(ours)) == 1
    assert "owners.toml: no level nobody; there are: call-911" in capsys.readouterr().err


def test_a_form_is_checked_outlined_and_published_once(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert fhir_service(monkeypatch, "form", "check", str(FORM)) == 0
    assert fhir_service(monkeypatch, "form", "outline", str(FORM)) == 0
    assert (FORM.parent / "outline-1.0.0.txt").read_text(
        encoding="utf-8"
    ) in capsys.readouterr().out
    assert fhir_service(monkeypatch, "form", "publish", str(FORM)) == 0
    assert "published as Questionnaire/coping-support, version 1" in capsys.readouterr().out
    assert fhir_service(monkeypatch, "form", "publish", str(FORM)) == 0
    assert "was there already" in capsys.readouterr().out

    changed = json.loads(FORM.read_bytes())
    changed["item"][0]["text"] = "Something else"
    other = tmp_path / "other.json"
    other.write_text(json.dumps(changed), encoding="utf-8")
    assert fhir_service(monkeypatch, "form", "publish", str(other)) == 1
    assert f"{other} was not published" in capsys.readouterr().err


def test_a_broken_form_is_told_with_its_findings(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = json.loads(FORM.read_bytes())
    broken["item"][1]["linkId"] = broken["item"][0]["linkId"]
    file = tmp_path / "broken.json"
    file.write_text(json.dumps(broken), encoding="utf-8")
    assert fhir_service(monkeypatch, "form", "check", str(file)) == 1
    assert "error" in capsys.readouterr().out


def test_a_file_that_is_no_form_is_told(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert fhir_service(monkeypatch, "form", "outline", str(ANSWERS)) == 1
    assert capsys.readouterr().err == f"fhir-service: {ANSWERS} is no Questionnaire.\n"


def test_a_backup_is_restored_and_checked(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert fhir_service(monkeypatch, "db", "backup", str(tmp_path / "none")) == 1
    assert "there is no database" in capsys.readouterr().err
    assert fhir_service(monkeypatch, "form", "publish", str(FORM)) == 0
    backup = tmp_path / "backup"
    assert fhir_service(monkeypatch, "db", "backup", str(backup)) == 0
    assert fhir_service(monkeypatch, "db", "backup", str(backup)) == 1
    assert fhir_service(monkeypatch, "db", "restore", str(backup)) == 1, "it is not empty"
    monkeypatch.setenv("FHIR_SERVICE_DATA_DIR", str(tmp_path / "new"))
    assert fhir_service(monkeypatch, "db", "restore", str(backup)) == 0
    assert fhir_service(monkeypatch, "db", "check") == 0
    capsys.readouterr()
    assert fhir_service(monkeypatch, "form", "publish", str(FORM)) == 0
    assert "was there already" in capsys.readouterr().out


def test_a_damaged_body_is_found(
    data: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert fhir_service(monkeypatch, "form", "publish", str(FORM)) == 0
    with sqlite3.connect(data / "fhir_service.sqlite") as connection:
        connection.execute("UPDATE resource_version SET body = x'7b7d'")
    connection.close()
    assert fhir_service(monkeypatch, "db", "check") == 1
    assert "Questionnaire/coping-support" in capsys.readouterr().out


def test_upgrading_twice_is_upgrading_once(
    data: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert fhir_service(monkeypatch, "db", "upgrade") == 0
    assert fhir_service(monkeypatch, "db", "upgrade") == 0
    assert capsys.readouterr().out == "upgraded\nup to date\n"
