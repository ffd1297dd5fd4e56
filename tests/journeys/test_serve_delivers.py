"""`serve` alone delivers: it keeps a worker beside it, and starts another when that is killed."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path

import requests

from tests.support.delivering import PLAIN, statement
from tests.support.ehr import Ehr, an_ehr
from tests.support.service import answers, short_form
from tests.support.serving import Served, environment, free_port, run


def workers_of(served: Served) -> list[int]:
    """The process ids of its delivery workers."""
    pid = str(served.process.pid)
    told = subprocess.run(
        ["ps", "-o", "pid=,args=", "--ppid", pid], capture_output=True, text=True, check=False
    )
    lines = [line.strip() for line in told.stdout.splitlines()]
    return [int(line.split()[0]) for line in lines if " deliver " in line]


def await_notes(ehr: Ehr, count: int) -> None:
    until = time.monotonic() + 150  # a busy machine is no finding
    while len(ehr.all("DocumentReference")) < count and time.monotonic() < until:
        time.sleep(0.1)
    assert len(ehr.all("DocumentReference")) == count


def test_a_response_is_in_the_chart_soon_and_after_a_worker_was_killed(tmp_path: Path) -> None:
    (tmp_path / "targets").mkdir()
    (tmp_path / "targets" / "plain.toml").write_text(PLAIN, encoding="utf-8")
    port = free_port()
    with an_ehr(statement=statement("hapi")) as ehr:
        for patient in ("ada", "bob"):
            ehr.put({"resourceType": "Patient", "id": patient})
        env = environment(
            DATA_DIR=str(tmp_path),
            EHR_BASE=ehr.base,
            EHR_TARGET="plain",
            EHR_TARGETS_DIR=str(tmp_path / "targets"),
        )
        with Served(port, tmp_path / "log", env) as served:
            token = run("token", "--scope", "system/*.cruds", env=env).stdout.strip()
            head = {"Authorization": f"Bearer {token}", "Content-Type": "application/fhir+json"}
            fhir = f"http://127.0.0.1:{port}/fhir"

            def post(kind: str, body: object) -> None:
                reply = requests.post(f"{fhir}/{kind}", json=body, headers=head, timeout=20)
                assert reply.status_code == 201, reply.text

            post("Questionnaire", short_form())
            post("QuestionnaireResponse", answers("ada"))
            await_notes(ehr, 1)
            (worker,) = workers_of(served)
            os.kill(worker, signal.SIGKILL)
            post("QuestionnaireResponse", answers("bob"))
            await_notes(ehr, 2)
            assert workers_of(served) != [worker]
            left = workers_of(served)
            assert served.stop() == 0
        assert not any(Path(f"/proc/{pid}").exists() for pid in left)


def test_a_target_that_is_not_known_stops_the_start_with_one_line(tmp_path: Path) -> None:
    env = environment(
        DATA_DIR=str(tmp_path), EHR_BASE="http://127.0.0.1:9/fhir", EHR_TARGET="nobody"
    )
    ended = run("serve", "--port", str(free_port()), env=env)
    assert ended.returncode == 1
    assert "There is no EHR target nobody; there are: athenahealth" in ended.stderr
