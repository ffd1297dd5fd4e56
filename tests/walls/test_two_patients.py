"""The two-patient matrix: every route and parameter, tried with every token that must not open it.

Grace's data bears marks; no reply to anybody else may carry one, and nothing of hers may change.
"""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import unquote

import pytest
from werkzeug.test import TestResponse

from fhir_service.smart.access import COMPARTMENT
from fhir_service.web.guard import CLIENTS, OPEN
from fhir_service.web.page_table import PAGES
from fhir_service.web.table import OFFERS
from tests.support.service import short_form, start
from tests.walls.attempts import (
    NOBODYS,
    Attempt,
    attempts,
    elsewhere,
    sent,
    without_ids,
)
from tests.walls.world import (
    SEEDS,
    SHOWN,
    World,
    friendly_tokens,
    hostile_tokens,
    inhabited,
)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    running = start(tmp_path_factory.mktemp("walls"))
    form = short_form() | {"id": "short-form"}
    assert running.send("PUT", "/fhir/Questionnaire/short-form", form).status_code == 201
    yield inhabited(running)
    running.close()


def marks_in(reply: TestResponse, attempt: Attempt) -> list[str]:
    """Which of Grace's marks stand in a reply, but those that the asker sent himself."""
    text = f"{reply.get_data(as_text=True)} {reply.headers}"
    asked = f"{unquote(attempt.path)} {attempt.body!r}"
    return [mark for mark in SHOWN if mark in text and mark not in asked]


def test_every_type_of_the_compartment_that_is_offered_is_seeded() -> None:
    offered = {o.resource_type for o in OFFERS} & COMPARTMENT
    assert offered == set(SEEDS), "say in world.py how one of these comes to be"


def test_every_endpoint_has_its_row(world: World) -> None:
    tried = {attempt.endpoint for attempt in attempts(world)}
    of_nobody = {f"{kind} " for kind in NOBODYS} | {f"operation /fhir/{kind}" for kind in NOBODYS}
    missing = {
        rule.endpoint
        for rule in world.running.client.application.url_map.iter_rules()
        if rule.endpoint not in {*tried, *OPEN, *CLIENTS, *PAGES}
        and not rule.endpoint.startswith((*of_nobody, "planned "))
    }
    assert missing == set(), "add an attempt for each of these to attempts.py"


def test_to_a_friend_the_marks_show(world: World) -> None:
    for who, token in friendly_tokens(world).items():
        for attempt in attempts(world):
            if attempt.shows:
                reply = sent(world, attempt, token)
                assert reply.status_code == 200, (who, str(attempt), reply.text)
                assert marks_in(reply, attempt), (who, str(attempt))


def test_nobody_else_sees_or_changes_anything_of_hers(world: World) -> None:
    before, tried = world.state(), 0
    for who, (token, status) in hostile_tokens(world).items():
        for attempt in attempts(world):
            reply = sent(world, attempt, token)
            where = (who, str(attempt), reply.status_code, reply.get_data(as_text=True)[:300])
            assert marks_in(reply, attempt) == [], where
            assert reply.status_code < 500 or reply.status_code == 501, where
            if attempt.own_proof:
                assert reply.status_code == 401, where
            elif status is not None and reply.status_code not in (501, 404, 405):
                assert reply.status_code == status or _refused_in_a_batch(attempt, reply), where
            tried += 1
    assert world.state() == before
    assert tried > 300


def test_what_is_not_hers_and_what_never_was_answer_the_same(world: World) -> None:
    token, _ = hostile_tokens(world)["the other patient"]
    compared = 0
    for attempt in attempts(world):
        if attempt.where_not is None:
            continue
        hers, never = sent(world, attempt, token), sent(world, elsewhere(attempt), token)
        assert hers.status_code == never.status_code == 404, str(attempt)
        ids = (*world.ids.values(), "never-there")
        assert without_ids(hers.text, *ids) == without_ids(never.text, *ids), str(attempt)
        assert set(dict(hers.headers)) == set(dict(never.headers)), str(attempt)
        compared += 1
    assert compared > 8


def test_the_guard_itself_would_notice_a_leak(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A store that forgets to narrow by the patient is found by the matrix."""
    monkeypatch.setattr("fhir_service.workflow.read.within", lambda *_: None)
    token, _ = hostile_tokens(world)["the other patient"]
    leaks = [a for a in attempts(world) if marks_in(sent(world, a, token), a)]
    assert leaks


def _refused_in_a_batch(attempt: Attempt, reply: TestResponse) -> bool:
    """A batch answers 200, and each of its entries says that it was refused."""
    return attempt.endpoint == "batch" and '"403' in reply.text
