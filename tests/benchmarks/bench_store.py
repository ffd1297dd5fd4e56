"""What a durable write costs above raw SQLite, and how searches hold as the store grows.

``python -m tests.benchmarks store``, or on its own with ``--most 1000000`` and
``--database postgresql://…`` (an empty database) beside SQLite. Figures are ratios in one run.
"""

from __future__ import annotations

import argparse
import sqlite3
import tempfile
import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from fhir_service.fhir.searching import read_search
from fhir_service.store.opening import StoreDesk, open_desk
from fhir_service.workflow.ports import Owed, Stored, Told
from tests.benchmarks import forty
from tests.benchmarks.measuring import middle
from tests.benchmarks.reporting import Report
from tests.support.databases import running_server

KIND = "QuestionnaireResponse"
START = datetime(2026, 1, 1, tzinfo=UTC)
WRITES = 300
SEARCHES = 30
FORMS = 3
PER_PATIENT = 20
SEARCHED = {
    "by patient": [("patient", "p7")],
    "by patient and form": [("patient", "p7"), ("questionnaire", "https://e.example.org/q1|1.0")],
    "by form": [("questionnaire", "https://e.example.org/q1")],
    "by date": [("authored", "ge2026-01-01T00:02:00Z"), ("authored", "lt2026-01-01T00:08:00Z")],
    "by form since a date": [
        ("questionnaire", "https://e.example.org/q1"),
        ("authored", "ge2026-01-01T00:10:00Z"),
    ],
    "by last update": [("_lastUpdated", "ge2026-01-01T00:10:00Z")],
}


def run(report: Report, most: int = 1_000_000, database: str | None = None) -> None:
    """Measure writes, then searches at 10^3 and each power of ten up to ``most``.

    On PostgreSQL up to a tenth of that, in ``database`` or on a server of the benchmark's own.
    """
    with tempfile.TemporaryDirectory() as folder:
        _writes(report, Path(folder))
        _curve(report, f"sqlite:///{folder}/curve.db", "SQLite", most)
    if database is not None:
        _curve(report, database, "PostgreSQL", most // 10)
        return
    for server in running_server():
        if server is None:
            report.note("PostgreSQL: not installed, not measured")
        else:
            _curve(report, server.new_database(), "PostgreSQL", most // 10)


def _writes(report: Report, folder: Path) -> None:
    body = forty.body(forty.response())
    desk = open_desk(f"sqlite:///{folder}/writes.db")
    floor = sqlite3.connect(folder / "floor.db", isolation_level=None)
    floor.execute("PRAGMA journal_mode = WAL")
    floor.execute("PRAGMA synchronous = FULL")
    floor.execute("CREATE TABLE kept (id TEXT PRIMARY KEY, body BLOB NOT NULL)")

    def raw() -> None:
        floor.execute("INSERT INTO kept VALUES (?, ?)", (str(uuid.uuid4()), body))

    ratios, raws = [], []
    for _ in range(3):
        ours = _cpu(lambda: _submit(desk, body), WRITES)
        theirs = _cpu(raw, WRITES)
        ratios.append(ours / theirs)
        raws.append(theirs)
    report.note(f"one raw insert of {len(body)} bytes, committed: {middle(raws) * 1e6:.0f} µs CPU")
    report.figure(
        "response, index, audit and outbox row against one raw insert", middle(ratios), 6
    )
    floor.close()
    desk.close()


def _submit(desk: StoreDesk, body: bytes) -> None:
    id_ = str(uuid.uuid4())

    def work(record: Any) -> None:
        record.keep(Stored(KIND, id_, 1, START, body, "p1"))
        record.tell(Told(START, "create", "bench", patient="p1", resource_id=id_))
        record.owe(Owed(id_, 1, "p1", "no-target", START))

    desk.write(work)


def _cpu(act: Callable[[], object], times: int) -> float:
    """CPU seconds of one."""
    act()
    before = time.process_time()
    for _ in range(times):
        act()
    return (time.process_time() - before) / times


def _curve(report: Report, url: str, name: str, most: int) -> None:
    desk = open_desk(url)
    size, filled = 1_000, 0
    first: dict[str, float] = {}
    while size <= most:
        began = time.monotonic()
        _fill(desk, filled, size)
        report.note(f"{name}: {size:,} responses, filled in {time.monotonic() - began:.0f} s")
        filled = size
        for what, pairs in SEARCHED.items():
            spent = _wall(desk, pairs)
            if what not in first:
                first[what] = spent
                report.note(f"{name}, 1,000, {what}: {spent * 1e3:.2f} ms")
                continue
            report.figure(f"{name}, {size:,} against 1,000, {what}", spent / first[what], 3)
        size *= 10
    desk.close()


def _wall(desk: StoreDesk, pairs: list[tuple[str, str]]) -> float:
    """Seconds of one search, the middle of many; a database server's time counts too."""
    search, _ = read_search(KIND, pairs, default_count=20)
    took = []
    for _ in range(SEARCHES):
        before = time.perf_counter()
        page = desk.reading().search(search)
        took.append(time.perf_counter() - before)
        assert page.found, pairs
    return middle(took)


def _fill(desk: StoreDesk, done: int, size: int) -> None:
    """Responses of three forms, a second apart, 20 of each patient; one commit for a thousand."""

    def work(begin: int, record: Any) -> None:
        for n in range(begin, min(begin + 1_000, size)):
            at = START + timedelta(seconds=n)
            body = (
                f'{{"resourceType":"{KIND}","status":"completed","authored":"{at.isoformat()}",'
                f'"questionnaire":"https://e.example.org/q{n % FORMS}|1.0"}}'
            )
            patient = f"p{n // PER_PATIENT}"
            record.keep(Stored(KIND, str(uuid.uuid4()), 1, at, body.encode(), patient))

    for begin in range(done, size, 1_000):
        desk.write(partial(work, begin))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--most", type=int, default=1_000_000)
    parser.add_argument("--database")
    given = parser.parse_args()
    run(Report(), given.most, given.database)
