"""Several workers on PostgreSQL are one service: to who asks, and to who counts."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from fhir_service.store.token_keys import TRUSTED_SECONDS
from tests.support.databases import NO_SERVER, Server
from tests.support.serving import Served, environment, free_port, run

ASKED = 60


@pytest.mark.postgresql
def test_the_figures_of_all_workers_are_told_by_whichever_is_asked(
    server: Server | None, tmp_path: Path
) -> None:
    if server is None:
        pytest.skip(NO_SERVER)
    env = environment(DATA_DIR=str(tmp_path), DATABASE_URL=server.new_database(), WORKERS="2")
    with Served(free_port(), tmp_path / "log", env) as served:

        def ask(_: int) -> int:
            return served.get("/healthz")[0]

        with ThreadPoolExecutor(8) as pool:
            assert set(pool.map(ask, range(ASKED))) == {200}
        told = served.get("/metrics")[1].decode()
    line = next(one for one in told.splitlines() if "requests_total" in one and "healthz" in one)
    assert float(line.rsplit(" ", 1)[1]) == ASKED


@pytest.mark.postgresql
def test_keys_are_rotated_under_all_workers_and_ended_at_once_when_one_has_leaked(
    server: Server | None, tmp_path: Path
) -> None:
    if server is None:
        pytest.skip(NO_SERVER)
    env = environment(DATA_DIR=str(tmp_path), DATABASE_URL=server.new_database(), WORKERS="2")

    def operator(*command: str) -> str:
        done = run(*command, env=env)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    with Served(free_port(), tmp_path / "log", env) as served:

        def answers(token: str) -> set[int]:
            with ThreadPoolExecutor(8) as pool:
                asked = pool.map(lambda _: served.get("/fhir/Patient", token)[0], range(24))
                return set(asked)

        old = operator("token", "--scope", "system/*.rs")
        assert answers(old) == {200}
        operator("keys", "rotate")
        new = operator("token", "--scope", "system/*.rs")
        assert answers(new) == {200}
        assert answers(old) == {200}
        operator("keys", "rotate", "--at-once")
        until = time.monotonic() + TRUSTED_SECONDS + 5
        while answers(old) != {401} and time.monotonic() < until:
            time.sleep(0.5)
        assert answers(old) == answers(new) == {401}
        assert answers(operator("token", "--scope", "system/*.rs")) == {200}
