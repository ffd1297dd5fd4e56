"""The three places that speak of tables say the same: tables.py, the migrations, schema.sql."""

from __future__ import annotations

import re
import sqlite3
from pathlib import Path

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Column, Integer, MetaData, Table, insert, select

from fhir_service.store import statements, tables
from fhir_service.store.migrating import (
    HEAD,
    _run,
    configuration,
    is_current,
    schema,
    upgrade,
)
from fhir_service.store.opening import StoreDesk, open_database
from fhir_service.store.sqlite import Sqlite
from tests.support.records import NOON


def _said(file: Path) -> set[str]:
    """What a SQLite file says its tables and indexes are, blanks aside."""
    with sqlite3.connect(file) as connection:
        rows = connection.execute("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL").fetchall()
    connection.close()
    return {re.sub(r"[\s\"]+", "", sql).lower() for (sql,) in rows}


def test_a_new_file_has_the_tables_that_the_migrations_make(tmp_path: Path) -> None:
    quick = Sqlite(f"sqlite:///{tmp_path}/quick.db")
    upgrade(quick)
    stepwise = Sqlite(f"sqlite:///{tmp_path}/stepwise.db")
    engine = stepwise.engine()
    with engine.connect() as connection:
        _run(connection)
    assert is_current(quick)
    assert is_current(stepwise)
    assert _said(tmp_path / "quick.db") == _said(tmp_path / "stepwise.db")
    assert len(schema()) > len(tables.metadata.tables)
    quick.close()
    stepwise.close()


def test_the_migrations_make_the_tables_of_this_release(desk: StoreDesk) -> None:
    engine = desk.database.engine()
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), tables.metadata) == []
    engine.dispose()


def test_the_head_is_the_newest_migration() -> None:
    assert ScriptDirectory.from_config(configuration()).get_current_head() == HEAD


def test_opening_again_changes_nothing(url: str) -> None:
    for _ in range(2):
        database = open_database(url)
        upgrade(database)
        assert is_current(database)
        database.close()


def test_the_statements_are_what_sqlalchemy_would_write() -> None:
    dialect = Sqlite("sqlite:///unused").dialect
    for table, sql, columns in (
        (tables.version, statements.INSERT_VERSION, statements.VERSION_COLUMNS),
        (tables.resource, statements.INSERT_RESOURCE, statements.RESOURCE_COLUMNS),
        (tables.search_value, statements.INSERT_VALUE, statements.VALUE_COLUMNS),
        (tables.audit, statements.INSERT_AUDIT, statements.AUDIT_COLUMNS),
        (tables.outbox, statements.INSERT_OUTBOX, statements.OUTBOX_COLUMNS),
    ):
        written = insert(table).values(dict.fromkeys(columns)).compile(dialect=dialect)
        assert sql.removesuffix(" ON CONFLICT DO NOTHING") == str(written)


def test_a_time_comes_back_with_its_zone_and_in_order(url: str) -> None:
    database = open_database(url)
    engine = database.engine()
    table = Table("t", MetaData(), Column("n", Integer), Column("at", tables.Instant))
    moments = [NOON.replace(microsecond=n) for n in (999_999, 1, 0)]
    with engine.begin() as connection:
        table.create(connection)
        connection.execute(insert(table), [{"n": n, "at": at} for n, at in enumerate(moments)])
        found = connection.scalars(select(table.c.at).order_by(table.c.at)).all()
    assert found == sorted(moments)
    assert all(at is not None and at.tzinfo is not None for at in found)
    engine.dispose()
    database.close()
