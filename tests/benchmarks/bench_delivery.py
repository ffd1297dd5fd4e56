"""What a delivery costs beside a bare post of the same body, and a poll as the outbox grows.

``python -m tests.benchmarks delivery``. CPU time of this process; the EHR is another one.
"""

from __future__ import annotations

import gc
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import requests

from fhir_service.store.deliveries import Deliveries
from fhir_service.store.opening import StoreDesk, open_desk
from fhir_service.workflow.deliver import Courier
from fhir_service.workflow.outbox import Entry
from fhir_service.workflow.plan import Plan, plan
from fhir_service.workflow.preparing import Ready, prepare
from tests.benchmarks.measuring import middle
from tests.benchmarks.reporting import Report
from tests.support.databases import Server, running_server
from tests.support.delivering import PLAIN, statement
from tests.support.service import Running, answers, short_form, start

DELIVERIES = 200
TURN = 10
ROUNDS = 3
POLLS = 100
DUE = 10
FEW, MANY = 1_000, 1_000_000
_ROWS = {
    "sqlite": (
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {count}) "
        "INSERT INTO outbox (resource_id, resource_version, patient, state, due, created) "
        "SELECT 'r' || i, 1, 'p' || mod(i, 50000), 'delivered', i, i FROM n"
    ),
    "postgresql": (
        "INSERT INTO outbox (resource_id, resource_version, patient, state, due, created) "
        "SELECT 'r' || i, 1, 'p' || mod(i, 50000), 'delivered', i, i "
        "FROM generate_series(1, {count}) AS i"
    ),
}


def run(report: Report) -> None:
    """Measure both."""
    with tempfile.TemporaryDirectory() as folder, an_ehr() as base:
        _deliveries(report, Path(folder), base)
    with tempfile.TemporaryDirectory() as folder:
        _polls(report, "SQLite", lambda name: f"sqlite:///{folder}/{name}.db")
    for server in running_server():
        if server is None:
            report.note("PostgreSQL: not installed, not measured")
        else:
            _polls(report, "PostgreSQL", partial(_new_database, server))


@contextmanager
def an_ehr() -> Iterator[str]:
    """The FHIR base of an EHR that answers at once."""
    command = [sys.executable, "-m", "tests.benchmarks.ready_ehr"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield f"http://127.0.0.1:{int(process.stdout.readline())}/fhir"
        finally:
            process.kill()


def _new_database(server: Server, name: str) -> str:
    """A new database; its name is the server's own business."""
    del name
    return server.new_database()


class _Day:
    """The plan against a server that declares what HAPI does."""

    def __init__(self, made: Plan) -> None:
        self._made = made

    def plan(self) -> Plan:
        """That plan."""
        return self._made


def _deliveries(report: Report, folder: Path, base: str) -> None:
    own = folder / "targets"
    own.mkdir()
    (own / "plain.toml").write_text(PLAIN, encoding="utf-8")
    how = {"EHR_BASE": base, "EHR_TARGET": "plain", "EHR_TARGETS_DIR": str(own)}
    running = start(folder, **how, EHR_REQUESTS_PER_SECOND="0")
    try:
        running.send("POST", "/fhir/Questionnaire", short_form())
        rounds = [_round(running, base, number) for number in range(ROUNDS + 1)][
            1:
        ]  # 1st: warm-up
        bare, whole, sent = ([one[place] for one in rounds] for place in range(3))
        report.note(
            f"CPU: a bare post {middle(bare):.2f} ms, sending {middle(sent):.2f} ms, a whole "
            f"delivery {middle(whole):.2f} ms: claim, patient read anew, summary, sending"
        )
        ratios = [two / one for one, two in zip(bare, sent, strict=True)]
        name = "sending a summary (ledger, post, end) to one bare post of the same body, CPU"
        report.figure(name, middle(ratios), 3)
        ratios = [two / one for one, two in zip(bare, whole, strict=True)]
        report.figure(
            "a whole delivery, the summary made in it, to that post", middle(ratios), None
        )
    finally:
        running.close()


def _round(running: Running, base: str, number: int) -> tuple[float, float, float]:
    """Milliseconds of a bare post, a whole delivery, and the sending of what is ready."""
    for one in range(2 * DELIVERIES):
        made = answers(f"p{number}-{one}")
        assert running.send("POST", "/fhir/QuestionnaireResponse", made).status_code == 201
    service = running.service
    day = _Day(plan(service.target(), statement("hapi")))
    courier = replace(service.courier("bench", lambda _: None), day=day)
    chosen = day.plan().chosen
    assert chosen is not None
    route = chosen.route
    headers = {"Content-Type": "application/fhir+json"}
    gc.collect()
    gc.freeze()  # as a worker does at its start
    bare = whole = sending = 0.0
    for _ in range(DELIVERIES // TURN):  # by turns, so that a busy machine troubles all alike
        whole += _cpu(partial(courier.work, TURN), 1)
        now = courier.site.clock.now()
        claimed = courier.outbox.claim("bench", now + timedelta(minutes=10), TURN, now)
        ready = [prepare(courier.site, courier.outbox, one, route, now) for one in claimed]
        sending += _cpu(partial(_send, courier, ready), 1)
        body = ready[0].body
        post = partial(
            requests.post, f"{base}/DocumentReference", body, headers=headers, timeout=9
        )
        bare += _cpu(post, TURN)
    ((waiting,),) = service.store.database.rows(
        "SELECT count(*) FROM outbox WHERE state <> 'delivered'"
    )
    assert waiting == 0, "not everything was delivered"
    return tuple(part * 1000 / DELIVERIES for part in (bare, whole, sending))  # type: ignore[return-value]


def _send(courier: Courier, ready: Sequence[Ready]) -> None:
    for one in ready:
        outcome, attempt = courier._send(one.entry, one)
        now = courier.site.clock.now()
        assert courier.outbox.finish(one.entry, "bench", outcome, now, attempt)


def _polls(report: Report, name: str, url: Callable[[str], str]) -> None:
    """Both outboxes are polled by turns, so that a busy machine troubles both alike."""
    few, many = (open_desk(url(str(count))) for count in (FEW, MANY))
    try:
        _fill(few, FEW)
        _fill(many, MANY)
        taken = [(_poll(few), _poll(many)) for _ in range(POLLS)]
    finally:
        few.close()
        many.close()
    one, two = (middle([pair[place] for pair in taken[POLLS // 10 :]]) for place in (0, 1))
    report.note(f"{name}: {one * 1000:.3f} ms with {FEW:,} rows, {two * 1000:.3f} with {MANY:,}")
    report.figure(f"{name}: a poll with {DUE} due in {MANY:,} rows, to {FEW:,}", two / one, 1.5)


def _fill(desk: StoreDesk, count: int) -> None:
    sql = _ROWS[desk.database.name].format(count=count)
    desk.database.write(lambda connection: connection.run(sql))
    mark = "UPDATE outbox SET state = 'due' WHERE resource_id = ?"
    due = [(f"r{(number + 1) * count // (DUE + 1)}",) for number in range(DUE)]
    desk.database.write(lambda connection: connection.run_many(mark, due))
    if desk.database.name == "postgresql":
        engine = desk.database.engine()
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("VACUUM ANALYZE outbox")
        engine.dispose()


def _poll(desk: StoreDesk) -> float:
    """Seconds for one poll that claims the ten; wall time, since a database has its own CPU."""
    outbox, now = Deliveries(desk), datetime.now(UTC)
    began = time.perf_counter()
    found = outbox.claim("bench", now, DUE, now)
    taken = time.perf_counter() - began
    _must_be_all(found)
    return taken


def _must_be_all(found: object) -> None:
    claimed: list[Entry] = list(found)  # type: ignore[call-overload]
    assert len(claimed) == DUE, json.dumps(len(claimed))


def _cpu(work: Callable[[], object], times: int) -> float:
    """Seconds of CPU of this process, all its threads."""
    began = time.process_time()
    for _ in range(times):
        work()
    return time.process_time() - began
