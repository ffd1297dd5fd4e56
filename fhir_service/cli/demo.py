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
from datetime import date
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Final, NoReturn

import click

from fhir_service.cli import installation
from fhir_service.cli.main import Failed
from fhir_service.settings import PREFIX

if TYPE_CHECKING:
    from fhir_service.cli.demo_client import Shown

READY_SECONDS: Final = 60.0
STOP_SECONDS: Final = 10.0
KEPT: Final = (f"{PREFIX}TIME_ZONE", f"{PREFIX}LANGUAGE")
"""Of the settings around it the demo takes these only: it never meets a real database."""

DEMO_CLIENT: Final = "demo-client"

_OURSELVES: Final = (sys.executable, "-m", "fhir_service")


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
        with _served(folder, port) as server:
            from fhir_service.cli import demo_client  # noqa: PLC0415  imported while it starts

            server.await_ready()
            token = server.token()
            language = os.environ.get(f"{PREFIX}LANGUAGE") or "en"
            shown = demo_client.play(server.address, token, _say, language)
            click.echo(shown.text, nl=False)
            _say(f"Done in {time.monotonic() - began:.1f} seconds.")
            if not once:
                _stay(server, shown, token)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _say(line: str) -> None:
    click.echo(line, err=True)


def _leave(signum: int, frame: FrameType | None) -> NoReturn:
    del signum, frame
    sys.exit(0)


class _Server:
    """The service as a child process, its data and its log in one folder."""

    def __init__(self, folder: Path, port: int) -> None:
        self.address = installation.address_of(installation.DEFAULT_HOST, port)
        self._log = folder / "log"
        kept = {k: v for k, v in os.environ.items() if not k.startswith(PREFIX) or k in KEPT}
        self._environment = kept | {f"{PREFIX}DATA_DIR": str(folder)}
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(  # noqa: S603  our own program
                [*_OURSELVES, "serve", "--port", str(port), "--end-with-parent"],
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C is ours; we end the child in good order
            )

    def await_ready(self) -> None:
        """Return when /readyz says yes. Raises Failed when the service ends or takes too long."""
        import requests  # noqa: PLC0415  its import costs CPU

        until = time.monotonic() + READY_SECONDS
        while time.monotonic() < until:
            if self._process.poll() is not None:
                raise Failed(f"the service did not start: {self._last_words()}")
            try:
                if requests.get(f"{self.address}/readyz", timeout=5).ok:
                    return
            except requests.ConnectionError:
                time.sleep(0.05)
        raise Failed(f"the service was not ready after {READY_SECONDS:.0f} seconds")

    def token(self) -> str:
        """A token, made beside the running service as an operator makes one."""
        return self._printed("token", "--scope", "system/*.cruds")

    def login_code(self) -> str:
        """A code that lets one member of staff in, made beside the running service."""
        return self._printed("login-code", "--name", "Dr Example", "--minutes", "60")

    def test_client(self) -> Path:
        """The private key of a backend service that is registered as ``demo-client``."""
        folder = self._log.parent
        key, public = folder / "demo-client.json", folder / "demo-client-public.json"
        public.write_text(self._printed("client", "key", str(key)), encoding="utf-8")
        scope = ("--scope", "system/*.cruds")
        self._printed("client", "add", DEMO_CLIENT, "--backend", *scope, "--jwks", str(public))
        return key

    def _printed(self, *command: str) -> str:
        """What this command prints. Raises Failed."""
        made = subprocess.run(  # noqa: S603  our own program
            [*_OURSELVES, *command],
            env=self._environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        if made.returncode:
            raise Failed(f"{command[0]} failed: {made.stderr.strip()}")
        return made.stdout.strip()

    def wait(self) -> None:
        """Return when the service has ended."""
        self._process.wait()

    def stop(self) -> None:
        """End it: asked first, then by force, with all its workers."""
        if self._process.poll() is None:
            self._process.terminate()
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()

    def _last_words(self) -> str:
        lines = self._log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        return lines[-1].removeprefix("fhir-service: ") if lines else "it said nothing"


@contextmanager
def _served(folder: Path, port: int | None) -> Iterator[_Server]:
    """The service on this port or a free one; stopped at the end."""
    if port:
        from fhir_service.cli.serve import must_be_free  # noqa: PLC0415  with a port only

        must_be_free(installation.DEFAULT_HOST, port)
    _say("Starting the service on throw-away data ...")
    server = _Server(folder, port or _free_port())
    try:
        yield server
    finally:
        server.stop()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((installation.DEFAULT_HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def _stay(server: _Server, shown: Shown, token: str) -> None:
    from fhir_service.cli.demo_client import PATIENT, token_lines  # noqa: PLC0415  costs CPU

    summary, born = shown.address, date.fromisoformat(str(PATIENT["birthDate"]))
    code = server.login_code()
    key = server.test_client()
    try:
        _say(f"\nServing {server.address}/fhir until Ctrl-C. The data goes when it ends.")
        _say(f"The patient:   {shown.link}")
        _say(f"               (born {born.day} {born.month} {born.year})")
        _say(f"Staff:         {server.address}/login  (code {code})")
        _say(f"Her page:      {server.address}/summary/{shown.response}/")
        _say(f"The summary:   {summary}")
        _say(f"A token:       {token}")
        _say("To read it:")
        _say(f"  curl -H 'Accept: text/plain' -H 'Authorization: Bearer {token}' '{summary}'")
        _say(f"A test client: {DEMO_CLIENT}, its private key in {key}. A token with it:")
        for line in token_lines(server.address, DEMO_CLIENT, key):
            _say(f"  {line}")
        server.wait()
    except KeyboardInterrupt:
        _say("Ending.")
        return
    raise Failed("the service ended by itself")
