"""Two answers meet in one Task, on both databases: one takes it, and neither is lost."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.support.service import Running, answers, start
from tests.support.tasks import a_task
from tests.support.ways import offered_form, publish


@pytest.fixture
def clinic(tmp_path: Path, url: str) -> Iterator[Running]:
    running = start(tmp_path, DATABASE_URL=url)
    publish(running, offered_form())
    yield running
    running.close()


def test_answers_at_the_same_moment_are_all_kept_and_each_moves_a_task_of_its_own(
    clinic: Running,
) -> None:
    tasks = [json.loads(clinic.send("POST", "/fhir/Task", a_task()).data)["id"] for _ in range(4)]
    app, token = clinic.client.application, clinic.token()

    def answer(_: int) -> int:
        return (
            app.test_client()
            .post(
                "/fhir/QuestionnaireResponse",
                json=answers("ada"),
                headers={
                    "Authorization": f"Bearer {token}",
                    "Content-Type": "application/fhir+json",
                },
            )
            .status_code
        )

    with ThreadPoolExecutor(8) as threads:
        statuses = list(threads.map(answer, range(8)))
    assert statuses == [201] * 8
    found = [json.loads(clinic.send("GET", f"/fhir/Task/{task}").data) for task in tasks]
    assert [task["status"] for task in found] == ["completed"] * 4
    outputs = {task["output"][0]["valueReference"]["reference"] for task in found}
    assert len(outputs) == 4
