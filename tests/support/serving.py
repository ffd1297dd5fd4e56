"""The service as a real process of its own, to be asked over HTTP and to be killed."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType

ROOT = Path(__file__).resolve().parents[2]
READY_SECONDS = 90.0


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def environment(**settings: str) -> dict[str, str]:
    """This environment with these settings of the service alone, by name without prefix."""
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith("FHIR_SERVICE_")
    }
    return kept | {f"FHIR_SERVICE_{name}": value for name, value in settings.items()}


def run(
    *arguments: str, env: Mapping[str, str], cwd: Path = ROOT
) -> subprocess.CompletedProcess[str]:
    """One command of the service, run to its end as an operator does."""
    command = [sys.executable, "-m", "fhir_service", *arguments]
    return subprocess.run(
        command, env=dict(env), cwd=cwd, capture_output=True, text=True, check=False, timeout=120
    )


class Served:
    """``serve`` in a session of its own; left with SIGTERM, or killed with all its workers."""

    def __init__(self, port: int, log: Path, env: Mapping[str, str]) -> None:
        self.port = port
        self.log = log
        with log.open("ab") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "fhir_service", "serve", "--port", str(port)],
                env=dict(env),
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )

    def __enter__(self) -> Served:
        self.await_ready()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self.process.poll() is None:
            self.stop()

    def await_ready(self) -> None:
        """Return when /readyz answers 200; fails with the end of the log when it never does."""
        until = time.monotonic() + READY_SECONDS
        while time.monotonic() < until and self.process.poll() is None:
            if self.get("/readyz")[0] == 200:
                return
            time.sleep(0.03)
        self.kill()
        told = self.log.read_text(encoding="utf-8", errors="replace")[-2000:]
        raise AssertionError(f"the service did not come up:\n{told}")

    def get(self, path: str, token: str | None = None) -> tuple[int, bytes]:
        """The status and body of one GET; status 0 when nobody answers."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            headers = {"Authorization": f"Bearer {token}"} if token else {}
            connection.request("GET", path, headers=headers)
            reply = connection.getresponse()
            return reply.status, reply.read()
        except (OSError, http.client.HTTPException):
            return 0, b""
        finally:
            connection.close()

    def stop(self) -> int:
        """End it in good order; its exit status."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(40)

    def kill(self) -> None:
        """End all of it at once: no handler runs, nothing is flushed."""
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            return
        finally:
            self.process.wait(10)
