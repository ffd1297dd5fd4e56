"""The operator makes, lists and revokes links, and lets staff in; an export tells of them."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from fhir_service.cli.main import main
from fhir_service.settings import read_settings
from fhir_service.wiring import build
from fhir_service.workflow import patients, publish
from fhir_service.workflow.install import OURSELVES
from tests.support.service import FORM_URL, short_form

FORM = f"{FORM_URL}|1.0.0"
PATIENT = {"resourceType": "Patient", "id": "ada", "birthDate": "1951-03-27"}


@pytest.fixture
def record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A record with a patient and a form."""
    environ = {
        "FHIR_SERVICE_DATA_DIR": str(tmp_path / "data"),
        "FHIR_SERVICE_BASE_URL": "https://answers.example.org",
    }
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    service = build(read_settings(environ))
    patients.update(service.site, OURSELVES, "ada", json.dumps(PATIENT).encode())
    form = json.dumps(short_form()).encode()
    publish.create(service.site, OURSELVES, "Questionnaire", form)
    service.close()


def run(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *arguments: str
) -> tuple[int, str, str]:
    monkeypatch.setattr("sys.argv", ["fhir-service", *arguments])
    monkeypatch.setattr("sys.excepthook", None)
    with pytest.raises(SystemExit) as ended:
        main()
    told = capsys.readouterr()
    return int(str(ended.value.code)), told.out.strip(), told.err


@pytest.mark.usefixtures("record")
def test_a_link_is_made_listed_exported_and_revoked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = ("link", "create", "--patient", "ada", "--form", FORM, "--days", "3", "--uses", "2")
    status, address, told = run(monkeypatch, capsys, *asked, "--language", "es")
    assert status == 0
    assert re.fullmatch(r"https://answers\.example\.org/link/[\w-]{43}\?lang=es", address)
    id_ = told.split()[1].rstrip(",")
    status, listed, _ = run(monkeypatch, capsys, "link", "list", "--patient", "ada")
    assert status == 0
    assert listed.startswith(id_)
    assert "open" in listed
    assert address.rpartition("/")[2].partition("?")[0] not in listed
    folder = tmp_path / "export"
    run(monkeypatch, capsys, "patient", "export", "ada", str(folder))
    (given,) = [json.loads(line) for line in (folder / "links.jsonl").read_bytes().splitlines()]
    assert (given["id"], given["questionnaire"], given["made_by"]) == (id_, FORM, "operator")
    assert run(monkeypatch, capsys, "link", "revoke", id_)[::2] == (0, "revoked\n")
    assert run(monkeypatch, capsys, "link", "revoke", id_)[2] == "it was revoked before\n"
    assert "revoked" in run(monkeypatch, capsys, "link", "list")[1]


@pytest.mark.usefixtures("record")
@pytest.mark.parametrize(
    ("arguments", "status", "says"),
    [
        (
            ("--patient", "nobody", "--form", FORM),
            1,
            "This patient is not known here: create the Patient",
        ),
        (("--patient", "ada", "--form", f"{FORM_URL}|9"), 1, "not published here"),
        (("--patient", "ada", "--form", FORM, "--days", "0"), 2, "--days"),
        (("--patient", "ada"), 2, "--form"),
    ],
)
def test_a_link_that_can_not_be_made_is_told_in_one_line(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: tuple[str, ...],
    status: int,
    says: str,
) -> None:
    ended, out, told = run(monkeypatch, capsys, "link", "create", *arguments)
    assert (ended, out) == (status, "")
    assert says in told


@pytest.mark.usefixtures("record")
def test_a_code_is_printed_alone(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    status, code, told = run(monkeypatch, capsys, "login-code", "--name", "Dr Example")
    assert status == 0
    assert re.fullmatch(r"[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{4}", code)
    assert "https://answers.example.org/login" in told
