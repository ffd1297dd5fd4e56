"""What was acknowledged is there after the process was killed.

https://www.sqlite.org/atomiccommit.html
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from fhir_service.store.checking import check_database
from fhir_service.store.opening import open_desk
from tests.support.databases import Server, new_url
from tests.support.records import response

WRITER = """
import sys, threading
from fhir_service.store.opening import open_desk
from tests.support.records import response, submit, version

desk = open_desk(sys.argv[1])
lock = threading.Lock()

def write(thread):
    n = 0
    while True:
        id_ = f"{sys.argv[2]}-{thread}-{n}"
        submit(desk, version(id_, response(n=id_, x="y" * 2000)))
        with lock:
            sys.stdout.write(id_ + "\\n")
            sys.stdout.flush()
        n += 1

for thread in range(4):
    threading.Thread(target=write, args=(thread,)).start()
"""


@pytest.mark.parametrize(
    ("kind", "times"),
    [
        ("sqlite", 10),
        pytest.param("postgresql", 3, marks=pytest.mark.postgresql),
        pytest.param("sqlite", 100, marks=pytest.mark.long),
        pytest.param("postgresql", 100, marks=[pytest.mark.postgresql, pytest.mark.long]),
    ],
)
def test_every_acknowledged_response_is_there_after_a_kill(
    tmp_path: Path, server: Server | None, kind: str, times: int
) -> None:
    url = new_url(kind, tmp_path, server)
    acknowledged: list[str] = []
    for turn in range(times):
        acknowledged += _written_until_killed(url, turn)
    desk = open_desk(url)
    reader = desk.reading()
    lost = []
    for id_ in acknowledged:
        stored = reader.read("QuestionnaireResponse", id_)
        if stored is None or stored.body != response(n=id_, x="y" * 2000):
            lost.append(id_)
    kept = desk.database.rows("SELECT count(*) FROM resource")[0][0]
    for table in ("audit", "outbox", "resource_version"):
        assert desk.database.rows(f"SELECT count(*) FROM {table}")[0][0] == kept  # noqa: S608
    desk.close()
    assert lost == []
    assert len(acknowledged) > times
    assert check_database(url) == ()


def _written_until_killed(url: str, turn: int) -> list[str]:
    """The ids that a writing process acknowledged before it was killed."""
    process = subprocess.Popen(
        [sys.executable, "-c", WRITER, url, str(turn)],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(Path.cwd())},
    )
    assert process.stdout is not None
    first = process.stdout.readline()
    time.sleep(random.uniform(0.0, 0.15))
    process.send_signal(signal.SIGKILL)
    rest = process.stdout.read()
    process.wait()
    process.stdout.close()
    whole = (first + rest).decode()
    return whole.split("\n")[:-1]  # a line cut off in the middle was never read as an answer
