"""Rows of all tables, from one database to another, in the order that foreign keys ask for.

https://docs.sqlalchemy.org/en/20/core/connections.html#using-server-side-cursors-a-k-a-stream-results
"""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import Connection, Table, func, insert, select, text

from fhir_service.store.tables import metadata

Progress = Callable[[int, int], None]
"""Told how much is done, and how much there is: rows, or pages of a file."""

_AT_ONCE = 200


def silent(done: int, of: int) -> None:
    """Progress that nobody looks at."""
    del done, of


def count_rows(connection: Connection) -> dict[str, int]:
    """How many rows each table has."""
    return {
        table.name: int(connection.scalar(select(func.count()).select_from(table)) or 0)
        for table in metadata.sorted_tables
    }


def copy_rows(source: Connection, target: Connection, progress: Progress) -> dict[str, int]:
    """Copy every row of every table; how many of each. Both are in a transaction.

    Numbers given by PostgreSQL go on after the highest one copied.
    """
    of = sum(count_rows(source).values())
    done = 0
    copied: dict[str, int] = {}
    for table in metadata.sorted_tables:
        copied[table.name] = 0
        rows = source.execution_options(yield_per=_AT_ONCE).execute(select(table))
        for part in rows.partitions():
            target.execute(insert(table), [dict(row._mapping) for row in part])  # noqa: SLF001  its public name
            copied[table.name] += len(part)
            done += len(part)
            progress(done, of)
        _go_on_after(target, table)
    return copied


def _go_on_after(target: Connection, table: Table) -> None:
    numbered = table.autoincrement_column
    if target.dialect.name != "postgresql" or numbered is None:
        return
    name = f"{table.name}.{numbered.name}"
    highest = target.scalar(select(func.max(numbered)))
    if highest is not None:
        target.execute(
            text("SELECT setval(pg_get_serial_sequence(:table, :column), :highest)"),
            {"table": table.name, "column": name.split(".")[1], "highest": highest},
        )
