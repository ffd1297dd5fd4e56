"""Several workers on PostgreSQL are one service: to who asks, and to who counts."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.support.databases import NO_SERVER, Server
from tests.support.serving import Served, environment, free_port

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
