"""The operator sees what would be sent, what waits and why, and moves it on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from fhir_service.cli import main as cli
from tests.support.delivering import Delivering, delivering, statement
from tests.support.ehr import an_ehr


@pytest.fixture
def at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Delivering]:
    with an_ehr() as ehr, delivering(tmp_path, ehr, "plain") as made:
        monkeypatch.setenv("FHIR_SERVICE_DATA_DIR", str(tmp_path))
        monkeypatch.setenv("FHIR_SERVICE_EHR_BASE", ehr.base)
        monkeypatch.setenv("FHIR_SERVICE_EHR_TARGET", "plain")
        monkeypatch.setenv("FHIR_SERVICE_EHR_TARGETS_DIR", str(tmp_path / "targets"))
        yield made


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr("sys.argv", ["fhir-service", *arguments])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    return int(ended.value.code or 0)


def test_the_plan_tells_route_fields_and_losses_from_the_live_statement(
    at: Delivering, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    at.ehr.statement = statement("epic")
    assert run(monkeypatch, "ehr", "plan", "epic") == 0
    told = capsys.readouterr().out
    assert "EHR:     Epic May 2026" in told
    assert "route 1: note - TAKEN" in told
    assert "sends:   docStatus = preliminary" in told
    assert "sends:   context.encounter (required)" in told
    assert "lost:    a lost answer can not be looked up: a person decides" in told
    assert all(method == "GET" for method, *_ in at.ehr.asked)
    at.ehr.statement = statement("us-core-read-only")
    assert run(monkeypatch, "ehr", "plan", "epic") == 1
    assert "because: DocumentReference can not be created" in capsys.readouterr().out


def test_an_unknown_target_and_an_ehr_that_is_down_are_told_in_a_line(
    at: Delivering, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "ehr", "plan", "nobody") == 1
    assert "There is no EHR target nobody; there are: athenahealth" in capsys.readouterr().err
    at.ehr.answers.append((500, {}, b""))
    assert run(monkeypatch, "ehr", "plan") == 1
    assert "the EHR could not be asked: fault (500)" in capsys.readouterr().err
    assert run(monkeypatch, "ehr", "targets") == 0
    assert "plain\tPlain text, found again by its identifier" in capsys.readouterr().out


def test_changes_are_told_with_their_day(
    at: Delivering, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "ehr", "changes") == 0
    assert "capabilities: never read yet; use --read" in capsys.readouterr().out
    run(monkeypatch, "ehr", "changes", "--read")
    at.ehr.statement = statement("epic")
    run(monkeypatch, "ehr", "changes", "--read")
    assert "DocumentReference: conditional create is gone" in capsys.readouterr().out


def test_our_keys_are_listed_and_rotated(
    at: Delivering, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run(monkeypatch, "ehr", "keys", "list")
    first = capsys.readouterr().out.split("\t")[0]
    run(monkeypatch, "ehr", "keys", "rotate")
    second = capsys.readouterr().out.strip()
    run(monkeypatch, "ehr", "keys", "list")
    assert capsys.readouterr().out.splitlines() == [f"{second}\tES384\t", f"{first}\tES384\tsigns"]


def test_deliver_once_brings_what_is_due(
    at: Delivering, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    at.send()
    assert run(monkeypatch, "deliver", "--once") == 0
    assert len(at.notes()) == 1
    run(monkeypatch, "outbox", "show", "1")
    told = capsys.readouterr().out
    assert "state:     delivered" in told
    assert "by note, delivered, HTTP 201" in told
    assert "SHA-256 " in told
    assert "Example" not in told


def test_a_refused_entry_is_retried_an_unknown_one_called_filed_or_released(
    at: Delivering, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    at.ehr.plan = lambda: "422"
    at.send()
    run(monkeypatch, "deliver", "--once")
    assert run(monkeypatch, "outbox", "list", "--state", "refused") == 0
    assert "refused:422:invalid" in capsys.readouterr().out
    assert run(monkeypatch, "outbox", "retry", "--state", "refused") == 0
    at.ehr.plan = lambda: "500 before"
    run(monkeypatch, "deliver", "--once")
    assert run(monkeypatch, "outbox", "filed", "1", "--ehr-id", "d1") == 0
    assert run(monkeypatch, "outbox", "release", "1") == 1
    assert "entry 1 is delivered" in capsys.readouterr().err
    assert run(monkeypatch, "outbox", "retry", "7") == 1
    assert run(monkeypatch, "outbox", "retry") == 1
    (entry,) = at.entries()
    assert (entry.state, entry.ehr_id) == ("delivered", "d1")
    assert at.notes() == []


def test_check_looks_at_the_sites_own_targets_too(
    at: Delivering,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run(monkeypatch, "check") == 0
    assert "EHR targets: good" in capsys.readouterr().out
    (tmp_path / "targets" / "own.toml").write_text('title = "A"\ncolour = 1', encoding="utf-8")
    assert run(monkeypatch, "check") == 1
    assert "ehr-targets: own.toml" in capsys.readouterr().out


def test_without_an_ehr_deliver_says_what_to_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FHIR_SERVICE_DATA_DIR", str(tmp_path))
    assert run(monkeypatch, "deliver", "--once") == 1
    assert "set FHIR_SERVICE_EHR_BASE" in capsys.readouterr().err
