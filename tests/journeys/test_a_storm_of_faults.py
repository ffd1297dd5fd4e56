"""However the line breaks and whoever is killed: none lost, none doubled, each unknown told.

The EHR is a real socket that fails before and after it has kept a note; the workers are real
processes that are killed with -9 in between.
"""

from __future__ import annotations

import base64
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
OVER = {"delivered", "superseded"}


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


class Changes:
    """While the storm goes on, patients amend what they sent, and some was entered in error."""

    def __init__(self, at: Delivering, sent: dict[str, str], chance: random.Random) -> None:
        self._at, self._chance = at, chance
        self._ids = sent
        self.last = dict.fromkeys(sent, "Whether it comes back")
        self._todo = [one for one in sent for _ in range(2)]
        chance.shuffle(self._todo)

    def some(self, count: int) -> bool:
        """Make some of them; whether there are more to make."""
        for _ in range(min(count, len(self._todo))):
            patient = self._todo.pop()
            self._one(patient)
        return bool(self._todo)

    def _one(self, patient: str) -> None:
        if not self.last[patient]:
            return
        wrong = self._chance.random() < 0.2
        text = f"Amended for the {len(self._todo)}th time"
        item = [
            {"linkId": "pain", "answer": [{"valueInteger": 8}]},
            {"linkId": "worry", "answer": [{"valueString": text}]},
        ]
        status = "entered-in-error" if wrong else "amended"
        self._at.send(patient, self._ids[patient], status=status, item=item)
        self.last[patient] = "" if wrong else text


def the_last_note_is_true(at: Delivering, last: dict[str, str]) -> None:
    """One note stands for each patient, and says what she said last; none where that was wrong."""
    notes = at.notes()
    targets = [
        one["target"]["reference"].split("/")[1]
        for note in notes
        for one in note.get("relatesTo", ())
    ]
    assert len(targets) == len(set(targets)), "two notes replace the same one"
    names = [note["identifier"][0]["value"] for note in notes]
    assert len(names) == len(set(names)), "a version is in the chart twice"
    standing = [n for n in notes if n["id"] not in targets and n["status"] == "current"]
    assert len({n["subject"]["reference"] for n in standing}) == len(standing)
    said = {
        n["subject"]["reference"].split("/")[1]: base64.b64decode(
            n["content"][0]["attachment"]["data"]
        ).decode()
        for n in standing
    }
    assert set(said) == {patient for patient, text in last.items() if text}
    for patient, text in said.items():
        assert last[patient] in text, "the note in the chart is not the last one"
    assert targets, "nothing was replaced: no amendment came after a note"


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


def environment_of(folder: Path, url: str, base: str) -> dict[str, str]:
    """The settings of the workers."""
    return environment(
        DATA_DIR=str(folder),
        DATABASE_URL=url,
        BASE_URL=BASE_URL,
        EHR_BASE=base,
        EHR_TARGET="plain",
        EHR_TARGETS_DIR=str(folder / "targets"),
        EHR_TIMEOUT="1",
        EHR_REQUESTS_PER_SECOND="0",
    )


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
        env = environment_of(tmp_path, url, ehr.base)
        killed = storm(at, env, count, resolves=resolves)
        account(at, count, resolves=resolves)
        assert killed, "nobody was crew: the storm was too short"
        assert len(set(ehr.faults)) >= min(len(BREAKS), count // 8)
        return at


def test_fifty_deliveries_under_faults(tmp_path: Path) -> None:
    run(tmp_path, "sqlite", None, 50, resolves=True)


def amended_under_faults(tmp_path: Path, kind: str, server: Server | None, count: int) -> None:
    url = new_url(kind, tmp_path, server)
    with (
        an_ehr(hang_seconds=1.5, searchable=True, conditional=False) as ehr,
        delivering(tmp_path, ehr, "plain", DATABASE_URL=url) as at,
    ):
        for resource in ehr.statement["rest"][0]["resource"]:
            resource["conditionalCreate"] = False
        env = environment_of(tmp_path, url, ehr.base)
        chance = random.Random(20261126)
        sent = {}
        for number in range(count):
            ehr.put({"resourceType": "Patient", "id": f"p{number}"})
            sent[f"p{number}"] = at.send(f"p{number}")
        changes = Changes(at, sent, chance)
        ehr.plan = lambda: chance.choice(BREAKS) if chance.random() < 0.3 else "none"
        until = time.monotonic() + 300 + count * 3
        with workers(env, chance) as crew:
            more, next_kill = True, time.monotonic() + 3.0
            while time.monotonic() < until:
                time.sleep(0.3)
                more = changes.some(max(1, count // 50)) if more else False
                if not more and {one.state for one in at.entries()} <= OVER:
                    break
                if time.monotonic() > next_kill and (more or count <= FEW):
                    crew.kill()
                    next_kill = time.monotonic() + chance.uniform(4.0, 9.0)
        assert {one.state for one in at.entries()} <= OVER
        assert crew.killed
        the_last_note_is_true(at, changes.last)


@pytest.mark.long
@pytest.mark.parametrize(
    "kind", ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)]
)
@pytest.mark.parametrize("count", [25, 300])
def test_deliveries_that_are_amended_under_faults(
    tmp_path: Path, kind: str, server: Server | None, count: int
) -> None:
    amended_under_faults(tmp_path, kind, server, count)


@pytest.mark.long
@pytest.mark.parametrize("resolves", [True, False], ids=["read back", "held for a person"])
@pytest.mark.parametrize(
    "kind", ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)]
)
def test_a_thousand_deliveries_under_faults(
    tmp_path: Path, kind: str, server: Server | None, resolves: bool
) -> None:
    run(tmp_path, kind, server, 1000 if resolves else 300, resolves=resolves)
