"""Servers as real processes: started, measured from outside through /proc, and ended.

https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html
"""

from __future__ import annotations

import atexit
import http.client
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
_TICKS = os.sysconf("SC_CLK_TCK") if hasattr(os, "sysconf") else 100
_START_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Server:
    """A running server: the process that was started, and all that it started itself."""

    process: subprocess.Popen[bytes]
    port: int

    def family(self) -> list[int]:
        """The ids of the process and its living descendants."""
        return _family(self.process.pid)

    def cpu_seconds(self) -> float:
        """The CPU time of all of them, user and system, to 0.01 s; ended children included."""
        return sum(cpu_seconds_of(pid) for pid in self.family())

    def resident_mib(self) -> list[float]:
        """The resident memory of each process in MiB, the largest first."""
        return sorted((_resident_mib(pid) for pid in self.family()), reverse=True)


@contextmanager
def serving(command: list[str], port: int, environment: Mapping[str, str]) -> Iterator[Server]:
    """A server that answers ``/readyz``; its processes are ended when the block is left.

    Raises RuntimeError with the end of its output when it does not come up.
    """
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(
            command,
            env={**_environment(), **environment},
            cwd=ROOT,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            if not _wait_ready(process, port):
                output.seek(0)
                told = output.read()[-2000:].decode(errors="replace")
                raise RuntimeError(f"{' '.join(command[-6:])} did not come up:\n{told}")
            yield Server(process, port)
        finally:
            _end(process)


@contextmanager
def service(folder: Path, more: Mapping[str, str] | None = None) -> Iterator[Server]:
    """The service itself, on a free port, with its data in this folder."""
    port = free_port()
    command = [sys.executable, "-m", "fhir_service", "serve", "--port", str(port)]
    environment = {"FHIR_SERVICE_DATA_DIR": str(folder), "FHIR_SERVICE_LOG_LEVEL": "info"}
    with serving(command, port, {**environment, **(more or {})}) as server:
        yield server


@contextmanager
def floor(folder: Path) -> Iterator[Server]:
    """The floor (tests/benchmarks/floor.py) on the same web server, set up alike."""
    port = free_port()
    granian = shutil.which("granian", path=str(Path(sys.executable).parent)) or "granian"
    command = [granian, "--interface", "wsgi", "--port", str(port), "--workers", "1"]
    command += ["--blocking-threads", "64", "--no-ws", "tests.benchmarks.floor:app"]
    environment = {"FLOOR_DATABASE": str(folder / "floor.sqlite"), "PYTHONPATH": str(ROOT)}
    with serving(command, port, environment) as server:
        yield server


def token(folder: Path, more: Mapping[str, str] | None = None) -> str:
    """An access token for everything, from the service's own command."""
    done = subprocess.run(
        [sys.executable, "-m", "fhir_service", "token", "--scope", "system/*.cruds"],
        env={**_environment(), "FHIR_SERVICE_DATA_DIR": str(folder), **(more or {})},
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout.strip()


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def answers(port: int, path: str = "/readyz") -> bool:
    """Whether the server answers this with 200."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _environment() -> dict[str, str]:
    """The environment without settings of the service, or of Python, that happen to be set.

    An installed service has its modules compiled; here they are compiled by the first start, into
    a folder of their own.
    """
    kept = {
        key: value
        for key, value in os.environ.items()
        if not key.startswith("FHIR_SERVICE_") and key != "PYTHONDONTWRITEBYTECODE"
    }
    return {**kept, "PYTHONPYCACHEPREFIX": _compiled_modules()}


@cache
def _compiled_modules() -> str:
    folder = tempfile.TemporaryDirectory(prefix="fhir-service-modules-")
    atexit.register(folder.cleanup)
    return folder.name


def _wait_ready(process: subprocess.Popen[bytes], port: int) -> bool:
    end = time.monotonic() + _START_SECONDS
    while time.monotonic() < end and process.poll() is None:
        if answers(port):
            return True
        time.sleep(0.02)
    return False


def _end(process: subprocess.Popen[bytes]) -> None:
    """End the whole session that was started: it is the process's own."""
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
    try:
        process.wait(15)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _family(root: int) -> list[int]:
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            fields = _stat(int(entry.name))
            if fields:
                children.setdefault(int(fields[1]), []).append(int(entry.name))
    found, todo = [], [root]
    while todo:
        at = todo.pop()
        found.append(at)
        todo += children.get(at, [])
    return found


def _stat(pid: int) -> list[str]:
    """The fields of /proc/[pid]/stat from the state on; empty when the process is gone."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return []
    return text.rpartition(")")[2].split()


def cpu_seconds_of(pid: int) -> float:
    """The CPU time of one process, user and system, to 0.01 s; ended children included."""
    fields = _stat(pid)
    return sum(int(ticks) for ticks in fields[11:15]) / _TICKS if fields else 0.0


def _resident_mib(pid: int) -> float:
    try:
        text = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    except OSError:
        return 0.0
    kib = next((line.split()[1] for line in text.splitlines() if line.startswith("VmRSS")), "0")
    return int(kib) / 1024
