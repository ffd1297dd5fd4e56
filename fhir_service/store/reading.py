"""Reading the record: by id, version, canonical, search; of anybody, or of one patient alone."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from fhir_service.fhir.dates import microseconds
from fhir_service.fhir.searching import Page, Search
from fhir_service.store import statements
from fhir_service.store.changes import changes_with
from fhir_service.store.rows import Run, stored
from fhir_service.store.ways import LinksRead
from fhir_service.workflow.ports import Stored

if TYPE_CHECKING:
    from sqlalchemy import Dialect

    from fhir_service.store.audit_reading import AuditReading

DERIVED = frozenset({"AuditEvent", "Provenance"})
"""Types that are not stored: each is read out of the audit."""

_NUMBERS = re.compile(r"([0-9]+)")
_LAST_VERSION = 2**31 - 1


class Reading:
    """A reader (workflow.ports.Reader) over whatever runs its queries."""

    def __init__(
        self,
        run: Run,
        dialect: Callable[[], Dialect],
        up_to_date: Callable[[], None] | None = None,
    ) -> None:
        self._run = run
        self._dialect = dialect
        self._up_to_date = up_to_date

    @property
    def links(self) -> LinksRead:
        """Links without login, without their tokens."""
        return LinksRead(self._run)

    def read(self, resource_type: str, id_: str, patient: str | None = None) -> Stored | None:
        """The current version, deleted ones too; None when there is none the caller may see."""
        if resource_type in DERIVED:
            return self._audit().read(resource_type, id_, patient)
        return self._one(statements.READ, (resource_type, id_), patient)

    def vread(
        self, resource_type: str, id_: str, version: int, patient: str | None = None
    ) -> Stored | None:
        """That version, or None."""
        if resource_type in DERIVED:
            found = self._audit().read(resource_type, id_, patient)
            return found if version == 1 else None
        if not 0 < version <= _LAST_VERSION:
            return None
        return self._one(statements.VREAD, (resource_type, id_, version), patient)

    def history(
        self,
        resource_type: str,
        id_: str,
        patient: str | None = None,
        count: int = 50,
        before_version: int | None = None,
    ) -> Sequence[Stored]:
        """Versions, newest first, those under ``before_version`` where given."""
        if resource_type in DERIVED:
            found = self._audit().read(resource_type, id_, patient)
            return [found] if found is not None and before_version is None else []
        before = _LAST_VERSION if before_version is None else min(before_version, _LAST_VERSION)
        if patient is None:
            rows = self._run(statements.HISTORY, (resource_type, id_, before, count))
        else:
            values = (resource_type, id_, before, patient, count)
            rows = self._run(statements.HISTORY_OF_PATIENT, values)
        return [stored(row) for row in rows]

    def search(self, search: Search, patient: str | None = None) -> Page[Stored]:
        """One page of the current, undeleted resources that match. Raises NotUnderstood."""
        if search.resource_type in DERIVED:
            return self._audit().search(search, patient)
        from fhir_service.store.searching import (  # noqa: PLC0415  needs SQLAlchemy, slow to import
            search_with,
        )

        return search_with(self._run, self._dialect(), search, patient)

    def open_tasks(self, patient: str) -> Sequence[Stored]:
        """The Tasks of this patient that can still be answered, as they are now."""
        return [stored(row) for row in self._run(statements.OPEN_TASKS, (patient,))]

    def overdue_tasks(self, now: datetime, count: int) -> Sequence[Stored]:
        """Up to so many open Tasks of which a deadline has passed, of anybody."""
        rows = self._run(statements.OVERDUE_TASKS, (microseconds(now), count))
        return [stored(row) for row in rows]

    def stored_between(
        self, resource_type: str, patient: str, low: datetime, high: datetime, count: int
    ) -> Sequence[Stored]:
        """As Reader says. Plain SQL: what every summary asks costs no making of a statement."""
        values = (patient, resource_type, microseconds(low), microseconds(high), count)
        return [stored(row) for row in self._run(statements.STORED_BETWEEN, values)]

    def changes(
        self,
        reaches: Sequence[tuple[str, str | None]],
        count: int = 50,
        since: datetime | None = None,
        cursor: str | None = None,
    ) -> Page[Stored]:
        """Versions of several types, the newest first, each type of a patient's or of anybody's.

        ``since`` leaves out what is older. Raises NotUnderstood for a cursor that is not ours.
        """
        return changes_with(self._run, reaches, count, since, cursor)

    def canonical(self, resource_type: str, url: str, version: str | None) -> Stored | None:
        """The resource with this url and exactly this version ("" for one without).

        Without version the newest active one, else the newest of any status. Versions are
        compared part by part, numbers as numbers: 1.10.0 is newer than 1.9.0.
        """
        rows = self._run(statements.CANONICALS, (resource_type, url))
        fitting = [row for row in rows if version is None or row[2] == version]
        if not fitting:
            return None
        id_, number, *_ = max(fitting, key=_rank)
        return self.vread(resource_type, id_, number)

    def _audit(self) -> AuditReading:
        """AuditEvents and Provenances; what this process has still to write is written first."""
        from fhir_service.store.audit_reading import (  # noqa: PLC0415  needs SQLAlchemy, slow to import
            AuditReading,
        )

        if self._up_to_date is not None:
            self._up_to_date()
        return AuditReading(self._run, self._dialect())

    def _one(self, sql: str, values: tuple[Any, ...], patient: str | None) -> Stored | None:
        if patient is not None:
            sql, values = sql + statements.OF_PATIENT, (*values, patient)
        rows = self._run(sql, values)
        return stored(rows[0]) if rows else None


def _rank(row: Sequence[Any]) -> tuple[int, list[tuple[int, int, str]], int]:
    """Active before retired before the rest; then the higher version; then the later update."""
    status = {"active": 2, "retired": 1}.get(row[3], 0)
    parts = [
        (1, int(part), "") if part.isdigit() else (0, 0, part)
        for part in _NUMBERS.split(row[2])
        if part not in ("", ".")
    ]
    return status, parts, row[4]
