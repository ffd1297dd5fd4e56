"""SQLite: one writing connection with group commit, and as many reading ones as are in use.

WAL and synchronous FULL: what is answered has reached the disk. Writes that wait for each other
are committed together, each in a savepoint of its own. https://www.sqlite.org/wal.html
"""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, Generic, Literal, NoReturn, TypeVar, cast

from fhir_service.store.database import (
    Connection,
    Database,
    Rows,
    StoreFault,
    override,
    sqlite_path,
    unavailable,
)

if TYPE_CHECKING:
    from sqlalchemy import Connection as CoreConnection
    from sqlalchemy import Engine

T = TypeVar("T")

BUSY_SECONDS = 10.0
"""How long a write waits for another process that writes."""

_TOGETHER = 64
_TRANSIENT = {
    "SQLITE_BUSY",
    "SQLITE_LOCKED",
    "SQLITE_FULL",
    "SQLITE_IOERR",
    "SQLITE_CANTOPEN",
    "SQLITE_READONLY",
    "SQLITE_INTERRUPT",
    "SQLITE_NOMEM",
    "SQLITE_PROTOCOL",
}


class SqliteConnection(Connection):
    """A connection of the driver, in its own words."""

    def __init__(self, driver: sqlite3.Connection) -> None:
        self.driver = driver

    @override
    def run(self, sql: str, values: Sequence[Any] = ()) -> Rows:
        """As Database says."""
        return self.driver.execute(sql, values)

    @override
    def run_many(self, sql: str, values: Iterable[Sequence[Any]]) -> None:
        """As Database says."""
        self.driver.executemany(sql, values)


class _Job(Generic[T]):
    """One piece of work, and how it went. ``turn`` is held until it is done or has to lead."""

    __slots__ = ("done", "failed", "given", "turn", "work")

    def __init__(self, work: Callable[[Connection], T]) -> None:
        self.work = work
        self.done = False
        self.given: T | None = None
        self.failed: BaseException | None = None
        self.turn = Lock()
        self.turn.acquire()

    def run(self, connection: Connection) -> bool:
        """Do the work; whether it went well."""
        try:
            self.given = self.work(connection)
        except BaseException as failed:  # noqa: BLE001  it is raised in the thread that asked
            self.failed = failed
            return False
        return True

    def answer(self) -> T:
        """What the work gave, or what it raised."""
        if self.failed is not None:
            raise self.failed
        return cast("T", self.given)


class Sqlite(Database):
    """One SQLite file."""

    name: Literal["sqlite", "postgresql"] = "sqlite"

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.path = sqlite_path(url)
        self._idle: deque[sqlite3.Connection] = deque()
        self._open: list[sqlite3.Connection] = []
        self._writer: SqliteConnection | None = None
        self._queue: deque[_Job[Any]] = deque()
        self._mutex = Lock()
        self._leading = False

    @override
    def rows(self, sql: str, values: Sequence[Any] = ()) -> list[Any]:
        """As Database says."""
        try:
            connection = self._idle.pop()
        except IndexError:
            connection = self._reader()
        try:
            return connection.execute(sql, values).fetchall()
        except sqlite3.Error as failed:
            _translate(failed)
        finally:
            self._idle.append(connection)

    @override
    def write(self, work: Callable[[Connection], T]) -> T:
        """As Database says."""
        job = _Job(work)
        with self._mutex:
            self._queue.append(job)
            lead = not self._leading
            self._leading = True
        if not lead:
            job.turn.acquire()
        if not job.done:
            self._lead()
        return job.answer()

    @override
    def close(self) -> None:
        """As Database says."""
        with self._mutex:
            for connection in self._open:
                connection.close()
            self._open.clear()
            self._idle.clear()
            self._writer = None

    @override
    def shrink(self) -> None:
        """Freed pages are overwritten as they are freed (secure_delete); here the log goes too."""
        self.rows("PRAGMA wal_checkpoint(TRUNCATE)")

    @override
    def disk(self) -> Mapping[str, float]:
        """As Database says."""
        files = [Path(f"{self.path}{end}") for end in ("", "-wal", "-shm")]
        return {
            "disk_used_bytes": float(sum(f.stat().st_size for f in files if f.exists())),
            "disk_free_bytes": float(shutil.disk_usage(self.path.parent).free),
        }

    @override
    def engine(self) -> Engine:
        """As Database says."""
        from sqlalchemy import create_engine, event  # noqa: PLC0415  slow, see statements.py
        from sqlalchemy.pool import NullPool  # noqa: PLC0415  slow to import

        made = create_engine("sqlite://", creator=lambda: connect(self.path), poolclass=NullPool)
        event.listen(made, "begin", _begin)
        return made

    def _lead(self) -> None:
        """Run what waits, my own work first, then hand the lead on."""
        with self._mutex:
            together = [self._queue.popleft() for _ in range(min(_TOGETHER, len(self._queue)))]
        try:
            self._commit(together)
        finally:
            for job in together:
                job.done = True
            with self._mutex:
                heir = self._queue[0] if self._queue else None
                self._leading = heir is not None
            for job in together[1:]:
                job.turn.release()
            if heir is not None:
                heir.turn.release()

    def _commit(self, together: list[_Job[Any]]) -> None:
        """Run these and commit once. What can not be committed has failed, each as Unavailable."""
        try:
            writer = self._writing()
            writer.driver.execute("BEGIN IMMEDIATE")
            alone = len(together) == 1
            for job in together:
                self._run(writer, job, alone)
            if writer.driver.in_transaction:
                writer.driver.execute("COMMIT")
            elif any(job.failed is None for job in together):
                raise sqlite3.OperationalError("the database gave up the transaction")
        except sqlite3.Error as failed:
            self._give_up(together, failed)

    def _run(self, writer: SqliteConnection, job: _Job[Any], alone: bool) -> None:
        if alone:
            if not job.run(writer):
                _roll_back(writer.driver)
                job.failed = _translated(job.failed)
            return
        writer.driver.execute("SAVEPOINT one")
        if not job.run(writer):
            if not writer.driver.in_transaction:  # the database itself gave up the transaction
                raise _as_driver_error(job.failed)
            writer.driver.execute("ROLLBACK TO one")
            job.failed = _translated(job.failed)
        writer.driver.execute("RELEASE one")

    def _give_up(self, together: list[_Job[Any]], failed: sqlite3.Error) -> None:
        """Nothing of the group is stored: say so to each, unless its own work failed anyway."""
        reason = _translated(failed)
        if self._writer is not None:
            if _code(failed) == "SQLITE_FULL":
                _roll_back(self._writer.driver)
            else:
                self._writer.driver.close()  # it rolls back; the next write opens a new one
                self._open.remove(self._writer.driver)
                self._writer = None
        for job in together:
            if job.failed is None or isinstance(job.failed, sqlite3.Error):
                job.failed = reason

    def _writing(self) -> SqliteConnection:
        if self._writer is None:
            driver = connect(self.path)
            driver.execute("PRAGMA secure_delete = ON")
            driver.execute("PRAGMA cache_size = -16000")
            with self._mutex:
                self._open.append(driver)
            self._writer = SqliteConnection(driver)
        return self._writer

    def _reader(self) -> sqlite3.Connection:
        try:
            connection = connect(self.path)
        except sqlite3.Error as failed:
            _translate(failed)
        with self._mutex:
            self._open.append(connection)
        return connection


def connect(path: Path) -> sqlite3.Connection:
    """A new connection, as all of ours are set: WAL, FULL, foreign keys, waiting for others.

    A new file can be read by its owner alone.
    """
    if not path.exists():
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    connection = sqlite3.connect(
        path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
    )
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")
    return connection


def _begin(connection: CoreConnection) -> None:
    """Begin a transaction in SQLite too, which the driver is set not to do by itself."""
    immediate = connection.get_execution_options().get("immediate", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")


def _roll_back(driver: sqlite3.Connection) -> None:
    if driver.in_transaction:
        driver.execute("ROLLBACK")


def _as_driver_error(failed: BaseException | None) -> sqlite3.Error:
    """What is raised for a group whose transaction the database gave up."""
    return failed if isinstance(failed, sqlite3.Error) else sqlite3.OperationalError("given up")


def _translated(failed: BaseException | None) -> BaseException | None:
    """An error of the driver as ours; any other as it is."""
    if not isinstance(failed, sqlite3.Error):
        return failed
    code = _code(failed)
    return unavailable() if code in _TRANSIENT else StoreFault(code)


def _code(failed: sqlite3.Error) -> str:
    """The primary error code: SQLITE_IOERR for SQLITE_IOERR_WRITE, say."""
    name = str(getattr(failed, "sqlite_errorname", "SQLITE_IOERR"))
    return "_".join(name.split("_")[:2])


def _translate(failed: sqlite3.Error) -> NoReturn:
    translated = _translated(failed)
    assert translated is not None  # noqa: S101  an error of the driver always becomes one of ours
    raise translated from None
