"""A Task that nobody answers in time is closed by the clock."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from fhir_service.cli.sweeping import sweep_beside
from fhir_service.store import statements
from fhir_service.workflow import task_moves
from tests.support.service import Running
from tests.support.tasks import answered, now, output, sent


class Later:
    def now(self) -> datetime:
        return datetime.now(UTC) + timedelta(days=30)


def test_a_task_that_nobody_answers_in_time_fails_and_keeps_what_was_answered(
    asking: Running,
) -> None:
    site = asking.service.site
    due, open_ended = sent(asking), sent(asking, restriction=None)
    response = answered(asking, "in-progress")
    assert task_moves.sweep(site) == 0
    later = replace(site, clock=Later())
    assert task_moves.sweep(later) == 1
    assert task_moves.sweep(later) == 0
    failed = now(asking, due)
    assert (failed["status"], failed["statusReason"]["text"]) == ("failed", task_moves.TOO_LATE)
    assert output(failed) == [f"QuestionnaireResponse/{response}"]
    assert now(asking, open_ended)["status"] == "requested"


def test_answers_in_error_after_the_deadline_leave_the_task_overdue(
    asking: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = sent(asking)
    response = answered(asking, "completed")
    monkeypatch.setattr(asking.service.site.clock.__class__, "now", Later.now)
    answered(asking, "entered-in-error", response)
    failed = now(asking, task)
    assert (failed["status"], failed["statusReason"]["text"]) == ("failed", task_moves.TOO_LATE)
    assert output(failed) == []


def test_the_clock_closes_overdue_tasks_by_itself(asking: Running) -> None:
    task = sent(asking)
    end = sweep_beside(replace(asking.service.site, clock=Later()), 0.05)
    until = time.monotonic() + 10
    while now(asking, task)["status"] != "failed" and time.monotonic() < until:
        time.sleep(0.05)
    end()
    assert now(asking, task)["status"] == "failed"


def test_open_tasks_are_found_by_their_index(asking: Running) -> None:
    rows = asking.service.store.database.rows
    for statement, values in (
        (statements.OPEN_TASKS, ("ada",)),
        (statements.OVERDUE_TASKS, (1, 10)),
    ):
        plan = repr(rows(f"EXPLAIN QUERY PLAN {statement}", values))
        assert "resource_open_task" in plan, plan
