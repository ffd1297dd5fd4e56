"""One transaction: versions kept, audit lines told, deliveries owed."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from typing import TYPE_CHECKING

from fhir_service.fhir.dates import microseconds
from fhir_service.fhir.indexing import Entry, Value, entry
from fhir_service.fhir.issues import Conflict, NotValid
from fhir_service.fhir.search_parameters import CANONICAL_TYPES
from fhir_service.store import statements
from fhir_service.store.database import Connection, override
from fhir_service.store.reading import Reading
from fhir_service.store.ways import LinksKept, OneTimesKept
from fhir_service.workflow.ports import Owed, Stored, Told

if TYPE_CHECKING:
    from sqlalchemy import Dialect

_LONGEST_CANONICAL = 1_000
"""Bytes of a url or version; longer ones do not fit into an index on every database."""


class Recording(Reading):
    """A record (workflow.ports.Record) on one connection that is in a transaction."""

    def __init__(self, connection: Connection, dialect: Callable[[], Dialect]) -> None:
        super().__init__(lambda sql, values: connection.run(sql, values).fetchall(), dialect)
        self._connection = connection

    def keep(self, stored: Stored) -> None:
        """Store this version, make it the current one, and read its search values from its body.

        Raises Conflict when the version is not the next one, when an earlier version lies with
        another patient, or when another active or retired resource already has its url and
        version. Raises NotValid for a url or version longer than 1000 bytes.
        """
        found = Entry() if stored.deleted else entry(stored.resource_type, stored.body)
        _must_fit(found)
        run = self._connection.run
        updated = microseconds(stored.last_updated)
        kept = run(
            statements.INSERT_VERSION,
            (
                stored.resource_type,
                stored.id,
                stored.version,
                updated,
                stored.patient,
                stored.method,
                int(stored.deleted),
                sha256(stored.body).digest(),
                stored.body,
            ),
        )
        if kept.rowcount != 1:
            raise _raced(stored)
        if stored.version == 1:
            self._first(stored, updated, found)
        else:
            self._next(stored, updated, found)
        if found.values:
            rows = [_row(stored, value) for value in found.values]
            self._connection.run_many(statements.INSERT_VALUE, rows)

    @property
    @override
    def links(self) -> LinksKept:
        """Links without login."""
        return LinksKept(self._connection)

    @property
    def one_times(self) -> OneTimesKept:
        """What is good once."""
        return OneTimesKept(self._connection)

    def claim(self, key: str) -> None:
        """Hold this key until the transaction ends; whoever claims it meanwhile waits for that.

        The row is gone with the transaction: its primary key is what the others wait at, and the
        search that follows sees what the holder stored.
        """
        self._connection.run(statements.INSERT_CLAIM, (key,))
        self._connection.run(statements.DELETE_CLAIM, (key,))

    def tell(self, told: Told) -> None:
        """Write one audit line."""
        self._connection.run(statements.INSERT_AUDIT, audit_row(told))

    def owe(self, owed: Owed) -> None:
        """Put one delivery into the outbox. Raises Conflict when that version is owed already."""
        due = microseconds(owed.due)
        put = self._connection.run(
            statements.INSERT_OUTBOX,
            (
                owed.resource_id,
                owed.resource_version,
                owed.patient,
                owed.state,
                due,
                due,
                None if owed.deadline is None else microseconds(owed.deadline),
            ),
        )
        if put.rowcount != 1:
            raise Conflict("The summary of this version is owed already.")

    def _first(self, stored: Stored, updated: int, found: Entry) -> None:
        made = self._connection.run(
            statements.INSERT_RESOURCE,
            (
                stored.resource_type,
                stored.id,
                stored.version,
                updated,
                stored.patient,
                int(stored.deleted),
                found.canonical,
                found.version or "",
                found.status,
                found.low,
                found.high,
            ),
        )
        if made.rowcount != 1:
            self._must_be_unpublished(stored, found)
            raise _raced(stored)

    def _next(self, stored: Stored, updated: int, found: Entry) -> None:
        """Move the pointer on, if it still points to the version before, of the same patient."""
        if found.status in ("active", "retired"):
            self._must_be_unpublished(stored, found)
        moved = self._connection.run(
            statements.UPDATE_RESOURCE,
            (
                stored.version,
                updated,
                int(stored.deleted),
                found.canonical,
                found.version or "",
                found.status,
                found.low,
                found.high,
                stored.resource_type,
                stored.id,
                stored.version - 1,
                stored.patient or "",
            ),
        )
        if moved.rowcount != 1:
            raise _raced(stored)
        self._connection.run(statements.DELETE_VALUES, (stored.resource_type, stored.id))

    def _must_be_unpublished(self, stored: Stored, found: Entry) -> None:
        """Refuse a url and version that another published resource has."""
        if stored.resource_type not in CANONICAL_TYPES or found.canonical is None:
            return
        rows = self._run(statements.CANONICALS, (stored.resource_type, found.canonical))
        for id_, _, version, status, _ in rows:
            published = status in ("active", "retired") and id_ != stored.id
            if published and version == (found.version or ""):
                raise Conflict(f"{stored.resource_type}/{id_} already has this url and version.")


def audit_row(told: Told) -> tuple[object, ...]:
    """One audit line as statements.AUDIT_COLUMNS."""
    return (
        microseconds(told.recorded),
        told.interaction,
        told.client,
        told.outcome,
        told.token,
        told.patient,
        told.resource_type,
        told.resource_id,
        told.resource_version,
        told.request_id,
        told.query,
        told.reason,
        told.user,
        told.address,
        told.sources,
        told.software,
    )


def _must_fit(found: Entry) -> None:
    for text in (found.canonical, found.version):
        if text is not None and len(text.encode()) > _LONGEST_CANONICAL:
            raise NotValid(f"A url or version is at most {_LONGEST_CANONICAL} bytes long.")


def _row(stored: Stored, value: Value) -> tuple[object, ...]:
    head = value.text[: statements.HEAD_LENGTH]
    return (
        stored.resource_type,
        stored.id,
        value.parameter,
        value.system,
        head,
        None if head == value.text else value.text,
        value.exact,
        value.low,
        value.high,
    )


def _raced(stored: Stored) -> Conflict:
    return Conflict(
        f"Version {stored.version} of {stored.resource_type}/{stored.id} is not the one that "
        "comes next, or belongs to somebody else. Read it again and send your change to that."
    )
