"""Backup while the service runs, and restore into an empty database.

A backup is one SQLite file with our tables, whichever database it was made of; so it can be looked
into, and restored into either. https://www.sqlite.org/backup.html
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool

from fhir_service.fhir.issues import Conflict
from fhir_service.store.checking import check_bodies
from fhir_service.store.copying import Progress, copy_rows, count_rows, silent
from fhir_service.store.database import Database, StoreFault
from fhir_service.store.migrating import is_current, upgrade
from fhir_service.store.opening import open_database
from fhir_service.store.sqlite import BUSY_SECONDS, Sqlite, connect
from fhir_service.store.tables import version

_PAGES_AT_ONCE = 2_000


@dataclass(frozen=True, slots=True)
class Copied:
    """What was copied: rows of each table, and how many bodies were compared with their hash."""

    rows: Mapping[str, int]
    bodies_verified: int


def backup(url: str, target: Path, progress: Progress = silent) -> Copied:
    """Write all that is committed at this moment into a new file, while others go on writing.

    The file appears under its name only when it is whole and on disk, readable by its owner
    alone; it holds patients' answers and the signing keys. Every body in it is compared with its
    hash. Raises Conflict when the file is there already, StoreFault when a body is damaged.
    """
    if target.exists():
        raise Conflict(f"{target} is there already; name a new file.")
    unfinished = target.with_name(f"{target.name}.unfinished")
    unfinished.unlink(missing_ok=True)
    database = open_database(url)
    try:
        if isinstance(database, Sqlite):
            _copy_file(database.path, unfinished, progress)
        else:
            _copy_out(database, unfinished, progress)
        made = _verified(unfinished)
        os.rename(unfinished, target)  # noqa: PTH104  the two names lie side by side
        _sync(target.parent)
    finally:
        database.close()
        unfinished.unlink(missing_ok=True)
    return made


def restore(url: str, source: Path, progress: Progress = silent) -> Copied:
    """Fill an empty database from a backup, of this release or an older one.

    One transaction: all or nothing. Every body is compared with its hash afterwards. Raises
    Conflict when the database holds anything, and StoreFault when the file is no whole backup.
    """
    if not source.is_file():
        raise StoreFault(f"there is no backup {source}")
    database = open_database(url)
    older = source.with_name(f"{source.name}.restoring")
    try:
        if not is_current(database):
            upgrade(database)
        older.unlink(missing_ok=True)
        _copy_file(source, older, silent)  # what is older is brought up to date in a copy
        copy = Sqlite(f"sqlite:///{older}")
        try:
            if not is_current(copy):
                upgrade(copy)
            return _copy_in(copy, database, progress)
        finally:
            copy.close()
    finally:
        database.close()
        for end in ("", "-wal", "-shm"):
            Path(f"{older}{end}").unlink(missing_ok=True)


def _copy_file(source: Path, target: Path, progress: Progress) -> None:
    """SQLite's own copy of one moment: the reading transaction holds still what is read."""
    with closing(_read_only(source)) as old:
        old.execute("BEGIN")
        old.execute("SELECT count(*) FROM sqlite_master").fetchone()
        with closing(connect(target)) as new:
            old.backup(
                new,
                pages=_PAGES_AT_ONCE,
                progress=lambda _, left, of: progress(of - left, of),
            )
            new.execute("PRAGMA journal_mode = DELETE")


def _read_only(file: Path) -> sqlite3.Connection:
    return sqlite3.connect(
        f"{file.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None, timeout=BUSY_SECONDS
    )


def _copy_out(database: Database, target: Path, progress: Progress) -> None:
    copy = Sqlite(f"sqlite:///{target}")
    upgrade(copy)
    engine, new = database.engine(), copy.engine()
    try:
        reading = engine.execution_options(isolation_level="REPEATABLE READ")
        with reading.connect() as old, new.begin() as connection:
            copy_rows(old, connection, progress)
    finally:
        engine.dispose()
        new.dispose()
        copy.close()
    with closing(sqlite3.connect(target, isolation_level=None)) as whole:
        whole.execute("PRAGMA journal_mode = DELETE")


def _copy_in(copy: Sqlite, database: Database, progress: Progress) -> Copied:
    engine, old = database.engine(), copy.engine()
    try:
        with old.connect() as source, engine.begin() as target:
            if any(count_rows(target).values()):
                raise Conflict("The database is not empty; restore into a new one.")
            rows = copy_rows(source, target, progress)
            verified, damaged = check_bodies(target)
            if damaged or verified != count_rows(source)[version.name]:
                raise StoreFault("a body differs from its hash; nothing was restored")
        return Copied(rows, verified)
    finally:
        engine.dispose()
        old.dispose()


def _verified(file: Path) -> Copied:
    """Look at every body of a backup."""
    engine = create_engine("sqlite://", creator=lambda: _read_only(file), poolclass=NullPool)
    try:
        with engine.connect() as connection:
            verified, damaged = check_bodies(connection)
            if damaged:
                raise StoreFault("a body differs from its hash; run `fhir-service db check`")
            return Copied(count_rows(connection), verified)
    finally:
        engine.dispose()


def _sync(folder: Path) -> None:
    """Have the new name on disk."""
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
