"""The databases that store tests run on: a new SQLite file, and a private PostgreSQL server.

The server is started once, on a free port and in a folder of its own. Where none is installed,
those tests are skipped, and the reason is in the report.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import uuid
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import psycopg
import pytest

from fhir_service.store.opening import StoreDesk, open_desk

NO_SERVER = (
    "PostgreSQL is not installed (no initdb and postgres on PATH or in /usr/lib/postgresql)"
)


class Server:
    """A PostgreSQL server of our own, until ``stop``."""

    def __init__(self, folder: Path, programs: Path) -> None:
        self._folder, self._programs = folder, programs
        self.port = _free_port()
        self._as_user = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
        if self._as_user:
            shutil.chown(folder, "postgres")
        self._run("initdb", "-D", str(folder / "data"), "-U", "tester", "-A", "trust", "-N")
        self.start()

    def start(self) -> None:
        """Start it, and wait until it answers."""
        options = f"-p {self.port} -c listen_addresses=127.0.0.1 -k {self._folder}"
        log, data = str(self._folder / "log"), str(self._folder / "data")
        self._run("pg_ctl", "-w", "-D", data, "-l", log, "-o", options, "start")

    def stop(self) -> None:
        """Stop it, cutting off who is connected."""
        self._run("pg_ctl", "-w", "-D", str(self._folder / "data"), "-m", "immediate", "stop")

    def new_database(self) -> str:
        """The url of a new empty database."""
        name = f"t{uuid.uuid4().hex}"
        with psycopg.connect(self._url("postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}".encode())
        return self._url(name)

    def _url(self, name: str) -> str:
        return f"postgresql://tester@127.0.0.1:{self.port}/{name}"

    def _run(self, program: str, *arguments: str) -> None:
        command = [*self._as_user, str(self._programs / program), *arguments]
        done = subprocess.run(command, capture_output=True, text=True, check=False, cwd="/")
        assert done.returncode == 0, done.stdout + done.stderr


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def _programs() -> Path | None:
    """Where initdb, pg_ctl and postgres are, the newest release first."""
    found = shutil.which("initdb")
    installed = Path("/usr/lib/postgresql").glob("*/bin")
    newest = sorted(installed, key=lambda p: float(p.parent.name), reverse=True)
    for folder in [*([Path(found).resolve().parent] if found else []), *newest]:
        if all((folder / name).exists() for name in ("initdb", "pg_ctl", "postgres")):
            return folder
    return None


@cache
def server_programs() -> Path | None:
    """The folder of the server's programs, or None."""
    return _programs()


def running_server() -> Iterator[Server | None]:
    """A server while the tests run; None where none is installed."""
    programs = server_programs()
    if programs is None:
        yield None
        return
    folder = Path(tempfile.mkdtemp(prefix="fhir-service-pg-"))
    folder.chmod(0o755)
    server = Server(folder, programs)
    try:
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder)


def new_url(kind: str, tmp_path: Path, server: Server | None) -> str:
    """The url of a new database of this kind; skips the test where there is no server."""
    if kind == "sqlite":
        return f"sqlite:///{tmp_path / uuid.uuid4().hex}.db"
    if server is None:
        pytest.skip(NO_SERVER)
    return server.new_database()


def opened(url: str) -> Iterator[StoreDesk]:
    """A desk on this database, closed in the end."""
    desk = open_desk(url)
    try:
        yield desk
    finally:
        desk.close()
