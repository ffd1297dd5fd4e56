"""Brings a database to the tables of this release.

A new SQLite file gets them from the text in ``schema.sql``, which a test holds to the migrations;
Alembic is imported only where there is something to change. https://alembic.sqlalchemy.org
"""

from __future__ import annotations

from importlib.resources import files
from typing import TYPE_CHECKING

from fhir_service.store.database import Connection, Database, StoreFault

if TYPE_CHECKING:
    from alembic.config import Config
    from sqlalchemy import Connection as CoreConnection

HEAD = "0007"
"""The newest migration."""

_LOCK = 7_203_551_911
"""The advisory lock on PostgreSQL under which one process at a time changes tables."""

_REVISION = "SELECT version_num FROM alembic_version"
_TABLES = "SELECT count(*) FROM sqlite_master WHERE type = 'table'"


def is_current(database: Database) -> bool:
    """Whether the database has exactly the tables of this release; one small query."""
    try:
        return [tuple(row) for row in database.rows(_REVISION)] == [(HEAD,)]
    except StoreFault:  # there is no such table yet
        return False


def upgrade(database: Database) -> None:
    """Create or change the tables. Several processes may do it together: one does, all wait.

    Raises Unavailable, and ``alembic.util.CommandError`` for a database of a newer release.
    """
    if database.name == "sqlite" and database.write(_create):
        return
    engine = database.engine()
    try:
        with engine.connect() as connection:
            if database.name == "postgresql":
                _upgrade_locked(connection)
            else:
                _run(connection.execution_options(immediate=True))
    finally:
        engine.dispose()


def _create(connection: Connection) -> bool:
    """Make all tables in an empty file; False when it is not empty and Alembic has to look."""
    if connection.run(_TABLES).fetchone()[0]:
        return [tuple(row) for row in connection.run(_REVISION).fetchall()] == [(HEAD,)]
    for statement in schema():
        connection.run(statement)
    connection.run("INSERT INTO alembic_version (version_num) VALUES (?)", (HEAD,))
    return True


def schema() -> tuple[str, ...]:
    """The statements that make all tables in a new SQLite file."""
    text = files("fhir_service.store").joinpath("schema.sql").read_text(encoding="utf-8")
    return tuple(part.strip() for part in text.split(";\n") if part.strip())


def _upgrade_locked(connection: CoreConnection) -> None:
    connection.exec_driver_sql(f"SELECT pg_advisory_lock({_LOCK})")
    connection.commit()
    try:
        _run(connection)
    finally:
        connection.rollback()
        connection.exec_driver_sql(f"SELECT pg_advisory_unlock({_LOCK})")
        connection.commit()


def _run(connection: CoreConnection) -> None:
    from alembic import command  # noqa: PLC0415  slow to import, and rarely needed

    command.upgrade(configuration(connection), "head")
    connection.commit()


def configuration(connection: CoreConnection | None = None) -> Config:
    """Alembic's settings: our folder of migrations, on this connection."""
    from alembic.config import Config  # noqa: PLC0415  slow to import, and rarely needed

    config = Config()
    config.set_main_option("script_location", "fhir_service.store:migrations")
    config.attributes["connection"] = connection
    return config
