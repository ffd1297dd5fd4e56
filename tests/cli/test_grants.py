"""grant, as an operator meets it."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from fhir_service.cli import installation
from fhir_service.cli.main import main
from fhir_service.fhir.issues import NotSignedIn
from fhir_service.workflow.oauth.model import Grant

Capture = pytest.CaptureFixture[str]
NOW = datetime.now(UTC)


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FHIR_SERVICE_DATA_DIR", str(tmp_path / "data"))
    with installation.service() as service:
        for id_, patient, renewed in (
            ("one", "ada", 30),
            ("two", "ada", None),
            ("three", "al", -1),
        ):
            until = None if renewed is None else NOW + timedelta(days=renewed)
            service.authorizations.keep_grant(
                Grant(
                    id=id_,
                    client="app",
                    scope="patient/*.rs",
                    redirect_uri="https://app.example.org/here",
                    code_challenge="challenge",
                    user="someone",
                    authenticated=NOW,
                    created=NOW,
                    patient=patient,
                    refresh_until=until,
                ),
                id_.encode(),
                NOW + timedelta(minutes=1),
            )


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr("sys.argv", ["fhir-service", "grant", *arguments])
    monkeypatch.setattr("sys.excepthook", None)
    with pytest.raises(SystemExit) as ended:
        main()
    assert isinstance(ended.value.code, int)
    return ended.value.code


def states(text: str) -> dict[str, str]:
    return {line.split()[0]: line.split()[1] for line in text.splitlines()}


def test_what_was_allowed_is_listed_with_its_state(
    monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    assert run(monkeypatch, "list") == 0
    assert states(capsys.readouterr().out) == {"one": "good", "two": "once", "three": "over"}
    assert run(monkeypatch, "list", "--patient", "al", "--client", "app") == 0
    assert set(states(capsys.readouterr().out)) == {"three"}


def test_all_of_one_patient_is_ended_and_of_no_other(
    monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    assert run(monkeypatch, "revoke", "--patient", "ada") == 0
    assert "2 ended" in capsys.readouterr().err
    assert run(monkeypatch, "list") == 0
    assert states(capsys.readouterr().out) == {"one": "revoked", "two": "revoked", "three": "over"}


def test_a_grant_is_ended_once_and_one_that_is_none_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    assert run(monkeypatch, "revoke", "one") == 0
    assert run(monkeypatch, "revoke", "one") == 1
    assert "there is no grant one that is still good" in capsys.readouterr().err


@pytest.mark.parametrize("options", [(), ("one", "--patient", "ada")])
def test_what_is_to_be_ended_is_named_in_one_way(
    monkeypatch: pytest.MonkeyPatch, options: tuple[str, ...]
) -> None:
    assert run(monkeypatch, "revoke", *options) == 2


def test_one_token_is_ended_and_the_next_is_good(
    monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    with installation.service() as service:
        one, other = (service.door.new_token("system/*.rs", None, 600) for _ in range(2))
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{one}\n"))
    assert run(monkeypatch, "end-token") == 0
    with installation.service() as service:
        assert service.door.claims(other).client
        with pytest.raises(NotSignedIn) as refused:
            service.door.claims(one)
        assert "revoked" in refused.value.says
    monkeypatch.setattr("sys.stdin", io.StringIO("rubbish\n"))
    assert run(monkeypatch, "end-token") == 1
    assert "rubbish" not in capsys.readouterr().err
