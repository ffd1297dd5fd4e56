"""Opens the record on SQLite or PostgreSQL, brought up to date."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, TypeVar

from fhir_service.fhir.dates import microseconds
from fhir_service.store.database import Connection, Database
from fhir_service.store.migrating import is_current, upgrade
from fhir_service.store.noting import Noting
from fhir_service.store.reading import Reading
from fhir_service.store.record import Recording
from fhir_service.store.sqlite import Sqlite
from fhir_service.workflow.ports import Told

T = TypeVar("T")

_OPEN = "state IN ('waiting-for-encounter', 'due', 'sending', 'unknown', 'released')"
_A_FORM = (
    "SELECT 1 FROM resource WHERE resource_type = 'Questionnaire' AND deleted = 0"
    " AND status = 'active' LIMIT 1"
)
_WAITING = f"SELECT count(*), min(created) FROM outbox WHERE {_OPEN}"  # noqa: S608  our own names
_OVERDUE = f"SELECT min(due) FROM outbox WHERE {_OPEN} AND state <> 'sending'"  # noqa: S608
_HELD = (
    "SELECT state, count(*) FROM outbox WHERE state IN ('unknown', 'refused', 'given-up') "
    "GROUP BY state"
)
_SOON = (
    "SELECT count(*) FROM outbox WHERE "  # noqa: S608  our own names
    f"{_OPEN} AND deadline IS NOT NULL AND released IS NULL AND deadline < ?"
)
_SOON_SECONDS = 86_400
_STATEMENTS = "SELECT count(*), max(last_seen) FROM ehr_statement"
_ABOUT = {
    "sqlite": "SELECT coalesce(max(rowid), 0) FROM resource_version",
    "postgresql": (
        "SELECT greatest(reltuples, 0) FROM pg_class WHERE oid = 'resource_version'::regclass"
    ),
}


class StoreDesk:
    """The record as a whole (workflow.ports.Desk)."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self._noting = Noting(database)
        self._reading = Reading(database.rows, self._dialect, self._noting.flush)

    def reading(self) -> Reading:
        """A reader of what is committed; it may be used by several threads."""
        return self._reading

    def write(self, work: Callable[[Recording], T]) -> T:
        """Run ``work`` in one transaction; what it gives, after the commit is on disk.

        Whatever ``work`` raises is raised here, and then nothing of it is stored. Raises
        Unavailable. On SQLite ``work`` may run in the thread of another writer.
        """

        def recorded(connection: Connection) -> T:
            return work(Recording(connection, self._dialect))

        return self.database.write(recorded)

    def note(self, *told: Told) -> None:
        """Write these audit lines of what changed nothing, soon. Raises Unavailable."""
        self._noting.note(*told)

    def write_notes(self) -> None:
        """Write the audit lines that wait, now. Raises Unavailable."""
        self._noting.flush()

    def must_take_notes(self) -> None:
        """Refuse when the audit is so far behind that nothing may be given out: Unavailable."""
        self._noting.must_have_room()

    def offers_forms(self) -> bool:
        """Whether the store answers and a form is published; cheap. Raises Unavailable."""
        return bool(self.database.rows(_A_FORM))

    def figures(self) -> Mapping[str, float]:
        """Gauges: what waits and since when (seconds), about how many versions, disk in bytes.

        Of the outbox beside that: how late the longest overdue entry is, what a person has to
        look at by state, and what is not delivered a day before its visit is over. Of the EHR:
        how many statements of it are kept (one more: it changed), and how old the last reading is.
        """
        ((waiting, oldest),) = self.database.rows(_WAITING)
        ((versions,),) = self.database.rows(_ABOUT[self.database.name])
        age = 0.0 if oldest is None else time.time() - oldest / 1_000_000
        ((due,),) = self.database.rows(_OVERDUE)
        late = 0.0 if due is None else time.time() - due / 1_000_000
        soon = microseconds(datetime.now(UTC)) + _SOON_SECONDS * 1_000_000
        ((ending,),) = self.database.rows(_SOON, (soon,))
        ((statements, seen),) = self.database.rows(_STATEMENTS)
        held = {str(state): float(count) for state, count in self.database.rows(_HELD)}
        return {
            "outbox_overdue_seconds": max(late, 0.0),
            "outbox_unknown": held.get("unknown", 0.0),
            "outbox_refused": held.get("refused", 0.0),
            "outbox_given_up": held.get("given-up", 0.0),
            "outbox_visit_within_a_day": float(ending),
            "ehr_statements_kept": float(statements),
            "ehr_statement_age_seconds": 0.0 if seen is None else time.time() - seen / 1_000_000,
            "outbox_waiting": float(waiting),
            "outbox_oldest_age_seconds": max(age, 0.0),
            "stored_versions_about": float(versions),
            **self.database.disk(),
        }

    def close(self) -> None:
        """Write the audit lines that wait, and give back all connections."""
        self._noting.close()
        self.database.close()

    def _dialect(self) -> Any:
        return self.database.dialect


def open_database(url: str) -> Database:
    """The database that the url names, as it is. Raises ValueError for another kind of url."""
    if url.startswith(("postgresql://", "postgresql+psycopg://", "postgres://")):
        from fhir_service.store.postgresql import Postgresql  # noqa: PLC0415  slow to import

        return Postgresql(url)
    return Sqlite(url)


def open_desk(database_url: str) -> StoreDesk:
    """The record in this database, which is created or brought up to date where that is needed.

    ``sqlite:///file`` (the folder must be there) or ``postgresql://user:password@host/name``.
    Raises ValueError for another kind of url, and Unavailable.
    """
    database = open_database(database_url)
    if not is_current(database):
        upgrade(database)
    return StoreDesk(database)
