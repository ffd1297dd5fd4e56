"""demo: the whole route on throw-away data, through the same doors that everybody uses.

http://hl7.org/fhir/R4/http.html
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Final, NoReturn

import click

from fhir_service.cli import installation
from fhir_service.cli.main import Failed
from fhir_service.settings import PREFIX

READY_SECONDS: Final = 60.0
STOP_SECONDS: Final = 10.0
KEPT: Final = (f"{PREFIX}TIME_ZONE", f"{PREFIX}LANGUAGE")
"""Of the settings around it the demo takes these only: it never meets a real database."""


@click.command("demo")
@click.option("--once", is_flag=True, help="End after the summary is printed.")
@click.option(
    "--port",
    type=click.IntRange(1, 65535),
    default=None,
    help="Port to serve on.  [default: a free one]",
)
def command(*, once: bool, port: int | None) -> None:
    """Publish the forms, send example answers, print the oncologist's summary.

    Everything lies in a folder of its own that is removed at the end. The summary goes to
    standard output, all else to standard error. Without --once it then serves until Ctrl-C.
    """
    signal.signal(signal.SIGTERM, _leave)
    began = time.monotonic()
    folder = Path(tempfile.mkdtemp(prefix="fhir-service-demo-"))
    try:
        with _served(folder, port) as address:
            from fhir_service.cli import demo_client  # noqa: PLC0415  imported while it starts

            _await_ready(folder, address)
            token = _token(folder, address)
            shown = demo_client.play(address, token, _say)
            click.echo(shown.text, nl=False)
            _say(f"Done in {time.monotonic() - began:.1f} seconds.")
            if not once:
                _stay(address, shown.address, token)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _say(line: str) -> None:
    click.echo(line, err=True)


def _leave(signum: int, frame: FrameType | None) -> NoReturn:
    del signum, frame
    sys.exit(0)


class _Server:
    """The service as a child process with its log in a file."""

    def __init__(self, folder: Path, port: int) -> None:
        log = (folder / "log").open("wb")
        with log:
            self.process = subprocess.Popen(  # noqa: S603  our own program
                [sys.executable, "-m", "fhir_service", "serve", "--port", str(port), _WITH_US],
                env=_environment(folder),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C is ours; we end the child in good order
            )

    def stop(self) -> None:
        """End it: asked first, then by force, with all its workers."""
        if self.process.poll() is None:
            self.process.terminate()
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()


_WITH_US: Final = "--end-with-parent"
_running: list[_Server] = []


@contextmanager
def _served(folder: Path, port: int | None) -> Iterator[str]:
    """The service on this port or a free one; its address. Stopped at the end."""
    chosen = port or _free_port()
    if port:
        from fhir_service.cli.serve import must_be_free  # noqa: PLC0415

        must_be_free(installation.DEFAULT_HOST, port)
    _say("Starting the service on throw-away data ...")
    server = _Server(folder, chosen)
    _running.append(server)
    try:
        yield installation.address_of(installation.DEFAULT_HOST, chosen)
    finally:
        _running.remove(server)
        server.stop()


def _environment(folder: Path) -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith(PREFIX) or k in KEPT}
    return kept | {f"{PREFIX}DATA_DIR": str(folder), "PYTHONUNBUFFERED": "1"}


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((installation.DEFAULT_HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def _await_ready(folder: Path, address: str) -> None:
    """Return when /readyz says yes. Raises Failed when the service ends or takes too long."""
    import requests  # noqa: PLC0415  its import costs CPU

    until = time.monotonic() + READY_SECONDS
    while time.monotonic() < until:
        if _running[-1].process.poll() is not None:
            raise Failed(f"the service did not start: {_last_line(folder)}")
        try:
            if requests.get(f"{address}/readyz", timeout=5).ok:
                return
        except requests.ConnectionError:
            time.sleep(0.05)
    raise Failed(f"the service was not ready after {READY_SECONDS:.0f} seconds")


def _last_line(folder: Path) -> str:
    lines = (folder / "log").read_text(encoding="utf-8", errors="replace").strip().splitlines()
    return lines[-1].removeprefix("fhir-service: ") if lines else "it said nothing"


def _token(folder: Path, address: str) -> str:
    """A token of the operator's command, asked of it as an operator would."""
    del address
    made = subprocess.run(  # noqa: S603  our own program
        [sys.executable, "-m", "fhir_service", "token", "--scope", "system/*.cruds"],
        env=_environment(folder),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if made.returncode:
        raise Failed(f"no token could be made: {made.stderr.strip()}")
    return made.stdout.strip()


def _stay(address: str, summary: str, token: str) -> None:
    _say(f"\nServing {address}/fhir until Ctrl-C. The data goes when it ends.")
    _say(f"The summary:   {summary}")
    _say(f"A token:       {token}")
    _say("To read it:")
    _say(f"  curl -H 'Accept: text/plain' -H 'Authorization: Bearer {token}' '{summary}'")
    try:
        _running[-1].process.wait()
    except KeyboardInterrupt:
        _say("Ending.")
        return
    raise Failed("the service ended by itself")
