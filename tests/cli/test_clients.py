"""client and keys, as an operator meets them."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from fhir_service.cli.main import main

Capture = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FHIR_SERVICE_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.chdir(tmp_path)


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr("sys.argv", ["fhir-service", *arguments])
    monkeypatch.setattr("sys.excepthook", None)
    with pytest.raises(SystemExit) as ended:
        main()
    assert isinstance(ended.value.code, int)
    return ended.value.code


def test_a_key_is_made_registered_used_and_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    assert run(monkeypatch, "client", "key", "key.json") == 0
    public = capsys.readouterr().out
    assert "d" not in json.loads(public)["keys"][0]
    (tmp_path / "public.json").write_text(public)
    assert stat.S_IMODE((tmp_path / "key.json").stat().st_mode) == 0o600
    assert run(monkeypatch, "client", "key", "key.json") == 1
    add = ("client", "add", "backend", "--backend", "--scope", "system/*.rs", "--jwks")
    assert run(monkeypatch, *add, "public.json") == 0
    assert run(monkeypatch, *add, "public.json") == 1
    assert "is a client backend already" in capsys.readouterr().err
    assert run(monkeypatch, "client", "assertion", "backend", "key.json") == 0
    assert capsys.readouterr().out.count(".") == 2
    assert run(monkeypatch, "client", "list") == 0
    assert capsys.readouterr().out.startswith("backend\tprivate_key_jwt\tclient_credentials\t")
    assert run(monkeypatch, "client", "remove", "backend") == 0
    assert run(monkeypatch, "client", "remove", "backend") == 1


def test_a_private_key_is_not_taken_for_registration(
    monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    assert run(monkeypatch, "client", "key", "key.json") == 0
    add = ("client", "add", "backend", "--backend", "--scope", "system/*.rs", "--jwks")
    assert run(monkeypatch, *add, "key.json") == 1
    assert "private keys" in capsys.readouterr().err


@pytest.mark.parametrize(
    "options",
    [
        ("--backend",),
        ("--backend", "--secret"),
        ("--backend", "--public"),
        ("--public", "--secret", "--redirect-uri", "https://app.example.org/"),
        ("--public", "--redirect-uri", "http://app.example.org/"),
        ("--public",),
    ],
)
def test_options_that_do_not_go_together_are_told(
    monkeypatch: pytest.MonkeyPatch, options: tuple[str, ...]
) -> None:
    assert run(monkeypatch, "client", "add", "x", "--scope", "system/*.rs", *options) == 1


def test_an_ehr_is_registered_for_cds_hooks_by_the_issuer_of_its_jwts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    assert run(monkeypatch, "client", "key", "key.json") == 0
    (tmp_path / "public.json").write_text(capsys.readouterr().out)
    issuer, scope = "https://ehr.example.org/cds", "system/QuestionnaireResponse.rs"
    keys = ("--jwks", "public.json")

    def add(id_: str, *more: str) -> int:
        return run(monkeypatch, "client", "add", id_, "--scope", scope, *more)

    assert add(issuer, "--backend", *keys) == 1
    assert add("http://ehr.example.org/cds", "--cds-hooks", *keys) == 1
    assert add(issuer, "--cds-hooks", "--secret") == 1
    assert add(issuer, "--cds-hooks", "--backend", *keys) == 1
    assert add(issuer, "--cds-hooks", *keys) == 0
    capsys.readouterr()
    assert run(monkeypatch, "client", "list") == 0
    assert f"{issuer}\tprivate_key_jwt\tcds-hooks\t{scope}" in capsys.readouterr().out


def test_a_secret_is_printed_once_and_kept_as_a_hash(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    add = ("client", "add", "app", "--secret", "--scope", "patient/*.rs launch/patient")
    assert run(monkeypatch, *add, "--redirect-uri", "https://app.example.org/x") == 0
    secret = capsys.readouterr().out.strip()
    assert len(secret) >= 40
    files = list((tmp_path / "data").glob("*.sqlite*"))
    assert files
    assert not any(secret.encode() in file.read_bytes() for file in files)


def test_keys_are_rotated_and_the_old_one_still_verifies(
    monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    assert run(monkeypatch, "keys", "rotate") == 0
    new = capsys.readouterr().out.strip()
    assert run(monkeypatch, "keys", "list") == 0
    listed = [line.split("\t")[0] for line in capsys.readouterr().out.splitlines()]
    assert listed[0] == new
    assert len(listed) == 2
    assert run(monkeypatch, "keys", "rotate", "--at-once") == 0
    newest = capsys.readouterr().out.strip()
    assert run(monkeypatch, "keys", "list") == 0
    assert [line.split("\t")[0] for line in capsys.readouterr().out.splitlines()] == [newest]


def test_an_app_is_launched_with_a_patient(
    monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    add = ("client", "add", "app", "--public", "--scope", "launch patient/*.rs")
    where = ("--redirect-uri", "https://app.example.org/x", "--launch-url")
    assert run(monkeypatch, *add, *where, "https://app.example.org/launch") == 0
    assert run(monkeypatch, "client", "launch", "app", "--patient", "ada") == 0
    address = capsys.readouterr().out.strip()
    assert address.startswith("https://app.example.org/launch?iss=http")
    assert "&launch=" in address
    assert "ada" not in address
