"""Many connections: two workers on PostgreSQL, and one writer on SQLite."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests.benchmarks.client import send
from tests.benchmarks.measuring import a_submission, cost, middle, must_all_be, publish_form
from tests.benchmarks.processes import Server, service, token
from tests.benchmarks.reporting import Report
from tests.support.databases import NO_SERVER, running_server
from tests.support.databases import Server as Database

ROUNDS = 5
TIMES = 600
WARM_UP = 600
CONNECTIONS = 16
ENOUGH_CORES = 6


def run(report: Report) -> None:
    """CPU for each request from one worker to two; slow answers against the usual one."""
    _on_sqlite(report)
    _on_postgresql(report)


def _on_sqlite(report: Report) -> None:
    with tempfile.TemporaryDirectory() as name, service(Path(name)) as server:
        request = _prepared(server, Path(name), {})
        worst = []
        for _ in range(ROUNDS):
            sent = send(server.port, request, TIMES, CONNECTIONS)
            must_all_be(sent, 201)
            usual, slow = sent.quantile(0.5), sent.quantile(0.99)
            report.note(f"median {usual * 1000:.1f} ms, p99 {slow * 1000:.1f} ms")
            worst.append(slow / usual)
        report.figure("SQLite, 16 connections: p99 against the median", middle(worst), 5.0)


def _on_postgresql(report: Report) -> None:
    with ExitStack() as stack:
        database = stack.enter_context(contextmanager(running_server)())
        if database is None:
            report.failed("PostgreSQL: one worker to two", NO_SERVER)
            return
        one = stack.enter_context(_on_database(database, workers=1))
        two = stack.enter_context(_on_database(database, workers=2))
        ratios = []
        for _ in range(ROUNDS):
            alone = cost(one[0], one[1], TIMES, 201, CONNECTIONS)
            shared = cost(two[0], two[1], TIMES, 201, CONNECTIONS)
            report.note(f"one worker {alone:.2f} ms, two {shared:.2f} ms of CPU for each request")
            ratios.append(shared / alone)
        report.figure(
            "PostgreSQL: CPU for each request, two workers against one", middle(ratios), 1.15
        )
        if (os.cpu_count() or 1) < ENOUGH_CORES:
            report.note("throughput is not compared: fewer than 6 cores")


@contextmanager
def _on_database(database: Database, workers: int) -> Iterator[tuple[Server, bytes]]:
    """The service on a new PostgreSQL database, warm; with the request to send."""
    settings = {
        "FHIR_SERVICE_DATABASE_URL": database.new_database(),
        "FHIR_SERVICE_WORKERS": str(workers),
    }
    with tempfile.TemporaryDirectory() as name, service(Path(name), settings) as server:
        yield server, _prepared(server, Path(name), settings)


def _prepared(server: Server, folder: Path, settings: dict[str, str]) -> bytes:
    allowed = token(folder, settings)
    publish_form(server, allowed)
    request = a_submission(allowed)
    must_all_be(send(server.port, request, WARM_UP, CONNECTIONS), 201)
    return request
