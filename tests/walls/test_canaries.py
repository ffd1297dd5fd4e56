"""What a patient is called and says never reaches log, metrics or audit, by any route."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from fhir_service.web.told import told
from tests.support.service import short_form, start
from tests.walls.attempts import attempts, sent
from tests.walls.world import MARKS, World, friendly_tokens, hostile_tokens, inhabited


@pytest.fixture
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    running = start(tmp_path_factory.mktemp("canaries"), LOG_LEVEL="debug")
    form = short_form() | {"id": "short-form"}
    assert running.send("PUT", "/fhir/Questionnaire/short-form", form).status_code == 201
    yield inhabited(running)
    running.close()


def told_elsewhere(world: World) -> str:
    """All that the log, the metrics and the audit say."""
    logged = world.running.logged.getvalue().decode()
    metrics = world.running.client.get("/metrics").text
    world.running.service.store.write_notes()
    audit = world.running.service.store.database.rows("SELECT * FROM audit")
    return "\n".join([logged, metrics, *(repr(tuple(row)) for row in audit)])


def test_no_mark_of_a_patient_reaches_log_metrics_or_audit(world: World) -> None:
    tokens = [*friendly_tokens(world).values(), *(t for t, _ in hostile_tokens(world).values())]
    for token in tokens:
        for attempt in attempts(world):
            sent(world, attempt, token)
    found = told_elsewhere(world)
    assert len(json.loads(found.splitlines()[0])) > 3  # there is a log, and it is read
    assert [mark for mark in MARKS if mark in found] == []
    assert [token for token in tokens if token and token in found] == []


def test_a_mark_in_the_log_would_be_noticed(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Planted: the path in place of the route, as a careless line of logging has it."""

    def careless() -> str:
        told().route = f"/fhir/Patient?name={MARKS[0]}"
        raise ValueError

    app = world.running.client.application
    monkeypatch.setitem(app.view_functions, "Patient search", careless)
    sent(
        world,
        next(a for a in attempts(world) if a.endpoint == "Patient search"),
        friendly_tokens(world)["backend"],
    )
    assert MARKS[0] in told_elsewhere(world)
