"""However the line breaks and whoever is killed: none lost, none doubled, each unknown told.

The EHR is a real socket that fails before and after it has kept a note; the workers are real
processes that are killed with -9 in between.
"""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.databases import Server, new_url, running_server
from tests.support.delivering import PLAIN, Delivering, delivering
from tests.support.ehr import an_ehr
from tests.support.service import BASE_URL
from tests.support.serving import ROOT, environment

BREAKS = (
    *("time-out before", "time-out after", "reset before", "reset after"),
    *("500 before", "500 after", "503 and retry", "429", "cut body", "slow drip"),
)
WORKERS = 3
FEW = 100
DONE = ("delivered", "unknown", "refused")


@pytest.fixture(scope="module")
def server() -> Iterator[Server | None]:
    yield from running_server()


class Crew:
    """Worker processes; one that is killed is followed by another."""

    def __init__(self, env: dict[str, str], chance: random.Random) -> None:
        self._env, self._chance = env, chance
        self.running = [self._start() for _ in range(WORKERS)]
        self.killed = 0

    def _start(self) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "tests.support.storm_worker", BASE_URL]
        return subprocess.Popen(command, env=self._env, cwd=ROOT)

    def kill(self) -> None:
        """End one of them at once, whatever it is doing."""
        victim = self._chance.randrange(WORKERS)
        self.running[victim].send_signal(signal.SIGKILL)
        self.running[victim].wait()
        self.running[victim] = self._start()
        self.killed += 1


@contextmanager
def workers(env: dict[str, str], chance: random.Random) -> Iterator[Crew]:
    """Workers until the end of the block."""
    crew = Crew(env, chance)
    try:
        yield crew
    finally:
        for one in crew.running:
            one.kill()
            one.wait()


def storm(at: Delivering, env: dict[str, str], count: int, *, resolves: bool) -> int:
    """Send so many responses, and let them be delivered under faults; how many were killed."""
    chance = random.Random(20261125)
    for number in range(count):
        patient = f"p{number}"
        at.ehr.put({"resourceType": "Patient", "id": patient})
        at.send(patient)
    at.ehr.plan = lambda: chance.choice(BREAKS) if chance.random() < 0.4 else "none"
    until = time.monotonic() + 240 + count * 1.2  # a busy machine is no finding
    gaps = (0.5, 2.0) if count <= FEW else (4.0, 9.0)
    states = Counter[str]()
    with workers(env, chance) as crew:
        next_kill = time.monotonic() + 1.5
        while time.monotonic() < until:
            time.sleep(0.2)
            states = Counter(one.state for one in at.entries())
            open_states = set(states) - {"delivered", "refused"}
            if not open_states or (not resolves and open_states == {"unknown"}):
                break
            if time.monotonic() > next_kill and states["delivered"] < count * 0.9:
                crew.kill()
                next_kill = time.monotonic() + chance.uniform(*gaps)
        assert set(states) <= set(DONE), states
        return crew.killed


def account(at: Delivering, count: int, *, resolves: bool) -> None:
    """None lost, none doubled, each unknown accounted for."""
    filed = Counter(note["subject"]["reference"] for note in at.notes())
    entries = at.entries()
    assert len(entries) == count
    assert max(filed.values()) == 1, "a note is in the chart twice"
    for one in entries:
        there = filed[f"Patient/{one.patient}"]
        ledger = at.ledger(one.number)
        if one.state == "delivered":
            assert there == 1, "delivered, and not in the chart"
            ids = {n["id"] for n in at.notes() if n["subject"]["reference"].endswith(one.patient)}
            assert one.ehr_id in ids
        else:
            assert one.state == "unknown"
            assert ledger, "unknown, and nothing says what was sent"
            assert ledger[-1].result == "unknown"
    if resolves:
        assert {one.state for one in entries} == {"delivered"}


def run(
    tmp_path: Path, kind: str, server: Server | None, count: int, *, resolves: bool
) -> Delivering:
    url = new_url(kind, tmp_path, server)
    with (
        an_ehr(hang_seconds=1.5, searchable=resolves, conditional=False) as ehr,
        delivering(tmp_path, ehr, "plain", DATABASE_URL=url) as at,
    ):
        if not resolves:
            own = PLAIN.replace("read_back = true\n", "")
            own = own.replace("conditional_create = true\n", "")
            (tmp_path / "targets" / "plain.toml").write_text(own, encoding="utf-8")
        for resource in ehr.statement["rest"][0]["resource"]:
            resource["conditionalCreate"] = False
        env = environment(
            DATA_DIR=str(tmp_path),
            DATABASE_URL=url,
            BASE_URL=BASE_URL,
            EHR_BASE=ehr.base,
            EHR_TARGET="plain",
            EHR_TARGETS_DIR=str(tmp_path / "targets"),
            EHR_TIMEOUT="1",
            EHR_REQUESTS_PER_SECOND="0",
        )
        killed = storm(at, env, count, resolves=resolves)
        account(at, count, resolves=resolves)
        assert killed, "nobody was crew: the storm was too short"
        assert len(set(ehr.faults)) >= min(len(BREAKS), count // 8)
        return at


def test_fifty_deliveries_under_faults(tmp_path: Path) -> None:
    run(tmp_path, "sqlite", None, 50, resolves=True)


@pytest.mark.long
@pytest.mark.parametrize("resolves", [True, False], ids=["read back", "held for a person"])
@pytest.mark.parametrize(
    "kind", ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)]
)
def test_a_thousand_deliveries_under_faults(
    tmp_path: Path, kind: str, server: Server | None, resolves: bool
) -> None:
    run(tmp_path, kind, server, 1000 if resolves else 300, resolves=resolves)
