"""A patient's data is given out byte for byte, and erased, by the operator."""

from __future__ import annotations

import io
import json
import os
from pathlib import Path

import pytest

from fhir_service.cli.main import main
from fhir_service.settings import read_settings
from fhir_service.wiring import build
from fhir_service.workflow import submit
from fhir_service.workflow.install import OURSELVES
from tests.support.serving import ROOT

ANSWERS = ROOT / "questionnaires" / "coping-support" / "responses" / "typical.json"


def fhir_service(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr("sys.argv", ["fhir-service", *arguments])
    monkeypatch.setattr("sys.excepthook", None)
    with pytest.raises(SystemExit) as ended:
        main()
    assert isinstance(ended.value.code, int)
    return ended.value.code


@pytest.fixture
def stored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The id of one response of Patient/ada-example, in a record that owes summaries to an EHR."""
    for name in list(os.environ):
        if name.startswith("FHIR_SERVICE_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("FHIR_SERVICE_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("FHIR_SERVICE_EHR_BASE", "https://ehr.example.org/fhir")
    service = build(read_settings(os.environ))
    service.publish_shipped()
    kept = submit.create(service.site, OURSELVES, ANSWERS.read_bytes())
    service.close()
    return kept.stored.id


def test_an_export_holds_each_version_as_it_was_sent(
    stored: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "export"
    assert fhir_service(monkeypatch, "patient", "export", "ada-example", str(folder)) == 0
    (told,) = [json.loads(line) for line in (folder / "versions.jsonl").read_bytes().splitlines()]
    assert (told["resourceType"], told["id"], told["version"]) == (
        "QuestionnaireResponse",
        stored,
        1,
    )
    assert (folder / told["file"]).read_bytes() == ANSWERS.read_bytes()
    audit = [json.loads(line) for line in (folder / "audit.jsonl").read_bytes().splitlines()]
    assert [line["interaction"] for line in audit] == ["create"]
    assert folder.stat().st_mode & 0o077 == 0


def test_an_export_never_writes_over_what_is_there(
    stored: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert fhir_service(monkeypatch, "patient", "export", "ada-example", str(tmp_path)) == 1
    assert "File exists" in capsys.readouterr().err


def test_what_is_erased_is_gone_and_its_audit_stays(
    stored: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert fhir_service(monkeypatch, "patient", "erase", "ada-example", "--yes") == 0
    assert "erased 1 resources in 1 versions and 1 outbox entries" in capsys.readouterr().out
    folder = tmp_path / "export"
    assert fhir_service(monkeypatch, "patient", "export", "ada-example", str(folder)) == 0
    assert (folder / "versions.jsonl").read_bytes() == b""
    audit = [json.loads(line) for line in (folder / "audit.jsonl").read_bytes().splitlines()]
    assert [line["interaction"] for line in audit] == ["create", "$erase"]
    for file in (tmp_path / "data").iterdir():
        assert b'"authored"' not in file.read_bytes(), file.name
    assert fhir_service(monkeypatch, "patient", "erase", "ada-example", "--yes") == 1


def test_erasing_is_asked_for_first(
    stored: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("n\n"))
    assert fhir_service(monkeypatch, "patient", "erase", "ada-example") == 1
    assert "nothing was erased" in capsys.readouterr().err


def test_the_outbox_tells_what_is_owed(
    stored: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert fhir_service(monkeypatch, "outbox", "list") == 0
    listed = capsys.readouterr().out
    number = listed.split("\t")[0]
    assert f"QuestionnaireResponse/{stored}/_history/1" in listed
    assert fhir_service(monkeypatch, "outbox", "show", number) == 0
    assert f"response:  QuestionnaireResponse/{stored}" in capsys.readouterr().out
    assert fhir_service(monkeypatch, "outbox", "show", "999") == 1
