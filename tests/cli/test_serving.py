"""``serve`` and ``demo`` as processes: they start, answer, and leave nothing behind."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import requests

from tests.support.serving import ROOT, Served, environment, free_port, run


def test_a_stop_is_in_good_order_and_a_token_made_beside_it_is_taken(tmp_path: Path) -> None:
    env = environment(DATA_DIR=str(tmp_path / "data"))
    with Served(free_port(), tmp_path / "log", env) as served:
        assert served.get("/fhir/metadata")[0] == 200
        assert served.get("/fhir/Questionnaire/coping-support")[0] == 401
        token = run("token", "--scope", "system/*.rs", env=env).stdout.strip()
        assert served.get("/fhir/Questionnaire/coping-support", token)[0] == 200
        second = run("serve", "--port", str(served.port), env=env)
        assert second.returncode == 1
        assert f"can not listen on 127.0.0.1 port {served.port}" in second.stderr
        assert second.stderr.count("\n") == 1
        assert served.stop() == 0
    assert "Traceback" not in (tmp_path / "log").read_text(encoding="utf-8")
    assert served.get("/healthz")[0] == 0


def test_owners_of_the_site_are_read_at_the_start_and_a_wrong_file_ends_it(tmp_path: Path) -> None:
    own = tmp_path / "summary"
    own.mkdir()
    (own / "owners.toml").write_text('[owner]\ncrisis = "Nurse Example"\n')
    env = environment(DATA_DIR=str(tmp_path / "data"), SUMMARY_DIR=str(own))
    with Served(free_port(), tmp_path / "log", env) as served:
        assert served.stop() == 0
    told = (tmp_path / "log").read_text(encoding="utf-8")
    assert "No owner is named for call-911, call-now, call-today, review-1-day" in told
    (own / "owners.toml").write_text('[owner]\ncrysis = "Nurse Example"\n')
    ended = run("serve", "--port", str(free_port()), env=env)
    assert ended.returncode == 1
    assert "SUMMARY_DIR: owners.toml: no level crysis; there are: call-911" in ended.stderr


def test_a_worker_ends_when_its_parent_is_killed(tmp_path: Path) -> None:
    with Served(free_port(), tmp_path / "log", environment(DATA_DIR=str(tmp_path))) as served:
        os.kill(served.process.pid, signal.SIGKILL)
        served.process.wait(10)
        until = time.monotonic() + 15
        while time.monotonic() < until and served.get("/healthz")[0] == 200:
            time.sleep(0.1)
        assert served.get("/healthz")[0] == 0


def test_the_demo_prints_the_summary_and_leaves_nothing_behind(tmp_path: Path) -> None:
    env = environment(DATABASE_URL="postgresql://nobody@db.example.org/real") | {
        "TMPDIR": str(tmp_path)
    }
    done = run("demo", "--once", env=env)
    assert done.returncode == 0, done.stderr
    assert "Ada Example" in done.stdout
    assert "Not reviewed before this visit" in done.stdout
    assert done.stderr.count("Published: ") == 3
    assert done.stderr.count("Answered: ") == 3
    assert list(tmp_path.iterdir()) == []


def test_the_demo_says_when_its_port_is_taken() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = run("demo", "--once", "--port", str(port), env=environment())
    assert done.returncode == 1
    assert f"can not listen on 127.0.0.1 port {port}" in done.stderr


def test_ctrl_c_ends_a_serving_demo_with_all_its_processes(tmp_path: Path) -> None:
    port = free_port()
    env = environment() | {"TMPDIR": str(tmp_path)}
    demo = subprocess.Popen(
        [sys.executable, "-m", "fhir_service", "demo", "--port", str(port)],
        env=env,
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert demo.stderr is not None
    try:
        told = []
        for line in demo.stderr:
            told.append(line)
            if "curl" in line:
                break
        assert any("curl" in line for line in told), "".join(told)
        links = [line.split()[2] for line in told if line.startswith("The patient:")]
        page = requests.get(links[0], timeout=10)
        assert "Is it you?" in page.text
        assert any(f"http://127.0.0.1:{port}/login  (code " in line for line in told)
        demo.send_signal(signal.SIGINT)
        assert demo.wait(100) == 0  # longer than a stop may take on a busy machine
    finally:
        demo.kill()
        demo.wait()
        demo.stderr.close()
    assert list(tmp_path.iterdir()) == []
    with socket.create_server(("127.0.0.1", port)):
        pass  # nobody listens there any more
