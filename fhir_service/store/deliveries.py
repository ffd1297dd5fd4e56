"""The outbox for its workers (workflow.outbox.Outbox): claims with leases, and the ledger.

On PostgreSQL workers pass over each other's rows (SKIP LOCKED); on SQLite one writes at a time.
A poll reads an index of the open entries alone, however many were delivered.
https://www.postgresql.org/docs/15/sql-select.html#SQL-FOR-UPDATE-SHARE
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, cast

from fhir_service.fhir.dates import microseconds, moment
from fhir_service.store import statements
from fhir_service.store.database import Connection
from fhir_service.store.opening import StoreDesk
from fhir_service.store.record import Recording
from fhir_service.workflow.outbox import Attempt, Entry, LeaseLost, Outcome, Sending, State
from fhir_service.workflow.ports import Told

COLUMNS = (
    "id, resource_id, resource_version, patient, state, created, due, attempts, reason, deadline, "
    "released, finished, encounter, ehr_type, ehr_id, ehr_version, looks, leased_until"
)
_OPEN = "state IN ('waiting-for-encounter', 'due', 'sending', 'unknown', 'released')"
_DUE = f"SELECT {COLUMNS} FROM outbox WHERE {_OPEN} AND due <= ? ORDER BY due, id LIMIT ?"  # noqa: S608  our own names
_ANY_DUE = f"SELECT 1 FROM outbox WHERE {_OPEN} AND due <= ? LIMIT 1"  # noqa: S608
_LEASE = "UPDATE outbox SET leased_by = ?, leased_until = ?, due = ? WHERE id = ?"
_OF_PATIENT = f"SELECT {COLUMNS} FROM outbox WHERE patient = ? ORDER BY id"  # noqa: S608
_BEGIN = (
    "UPDATE outbox SET state = 'sending', leased_until = ?, due = ? "
    "WHERE id = ? AND leased_by = ? AND state = ?"
)
_FINISH = (
    "UPDATE outbox SET state = ?, due = ?, reason = ?, looks = ?, attempts = attempts + ?, "
    "ehr_type = coalesce(?, ehr_type), ehr_id = coalesce(?, ehr_id), "
    "ehr_version = coalesce(?, ehr_version), encounter = coalesce(?, encounter), "
    "deadline = coalesce(?, deadline), finished = coalesce(?, finished), "
    "leased_by = NULL, leased_until = NULL "
    "WHERE id = ? AND (leased_by = ? OR (? = 1 AND state = 'unknown'))"
)
_END = (
    "UPDATE attempt SET ended = ?, result = ?, status = ?, reason = ?, ehr_id = ? "
    "WHERE id = ? AND ended IS NULL"
)
_END_OPEN = (
    "UPDATE attempt SET ended = ?, result = ?, reason = ? WHERE outbox_id = ? AND ended IS NULL"
)
_INSERT = f"{statements.INSERT_ATTEMPT} RETURNING id"
_ATTEMPTS = (
    "SELECT id, began, ended, route, result, status, reason, ehr_id, sha256, size "
    "FROM attempt WHERE outbox_id = ? ORDER BY id"
)
_FINAL = ("delivered", "superseded")


class Deliveries:
    """The outbox of this record. ``client`` is who stands in the audit for what is delivered."""

    def __init__(self, desk: StoreDesk, client: str = "delivery") -> None:
        self._desk = desk
        self._client = client
        self._lock = "" if desk.database.name == "sqlite" else " FOR UPDATE SKIP LOCKED"

    def claim(self, worker: str, until: datetime, count: int, now: datetime) -> Sequence[Entry]:
        """As Outbox says."""
        at, end = microseconds(now), microseconds(until)
        if not self._desk.database.rows(_ANY_DUE, (at,)):
            return ()

        def work(connection: Connection) -> list[Entry]:
            rows = connection.run(_DUE + self._lock, (at, count)).fetchall()
            leases = [(worker, end, end, row[0]) for row in rows]
            if leases:
                connection.run_many(_LEASE, leases)
            return [entry(row) for row in rows]

        return self._desk.database.write(work)

    def of_patient(self, patient: str) -> Sequence[Entry]:
        """As Outbox says."""
        return [entry(row) for row in self._desk.database.rows(_OF_PATIENT, (patient,))]

    def begin(
        self, entry: Entry, worker: str, now: datetime, until: datetime, sending: Sending
    ) -> int:
        """As Outbox says."""
        end = microseconds(until)

        def work(connection: Connection) -> int:
            held = connection.run(_BEGIN, (end, end, entry.number, worker, entry.state))
            if held.rowcount != 1:
                raise LeaseLost
            began = microseconds(now)
            values = (entry.number, began, sending.route, sending.sha256, sending.size)
            return int(connection.run(_INSERT, values).fetchone()[0])

        return self._desk.database.write(work)

    def finish(
        self,
        entry: Entry,
        worker: str,
        outcome: Outcome,
        now: datetime,
        attempt: int | None = None,
    ) -> bool:
        """As Outbox says. What is final is told in the audit, in the same transaction."""
        final = outcome.state in _FINAL
        row = (
            outcome.state,
            microseconds(outcome.due),
            outcome.reason,
            outcome.looks,
            int(outcome.tried),
            outcome.ehr_type,
            outcome.ehr_id,
            outcome.ehr_version,
            outcome.encounter,
            None if outcome.deadline is None else microseconds(outcome.deadline),
            microseconds(now) if final else None,
            entry.number,
            worker,
            int(attempt is not None and outcome.state == "delivered"),
        )

        def work(connection: Connection) -> bool:
            if connection.run(_FINISH, row).rowcount != 1:
                return False
            self._close(connection, entry, outcome, now, attempt)
            if outcome.state == "delivered":
                Recording(connection, lambda: self._desk.database.dialect).tell(
                    delivered(entry, self._client, now)
                )
            return True

        return self._desk.database.write(work)

    def _close(
        self,
        connection: Connection,
        entry: Entry,
        outcome: Outcome,
        now: datetime,
        attempt: int | None,
    ) -> None:
        """End this attempt in the ledger, or what a dead worker left open."""
        at = microseconds(now)
        if attempt is not None:
            said = (at, outcome.state, outcome.status, outcome.reason, outcome.ehr_id, attempt)
            connection.run(_END, said)
        elif entry.state == "sending":
            connection.run(_END_OPEN, (at, outcome.state, outcome.reason, entry.number))


class StoredLedger:
    """The ledger alone, for what is sent beside a delivery (workflow.send_extracted.Ledger)."""

    def __init__(self, desk: StoreDesk, now: Callable[[], datetime], client: str) -> None:
        self._desk = desk
        self._now = now
        self._client = client

    def attempts(self, number: int) -> tuple[Attempt, ...]:
        """As Ledger says."""
        return tuple(attempts(self._desk, number))

    def note(self, entry: Entry, sending: Sending) -> int:
        """As Ledger says."""
        at = microseconds(self._now())
        values = (entry.number, at, sending.route, sending.sha256, sending.size)
        return self._desk.database.write(
            lambda connection: int(connection.run(_INSERT, values).fetchone()[0])
        )

    def end(self, entry: Entry, attempt: int, outcome: Outcome) -> None:
        """As Ledger says; what was done is told in the audit."""
        now = self._now()
        said = (microseconds(now), outcome.state, outcome.status, outcome.reason, None, attempt)

        def work(connection: Connection) -> None:
            connection.run(_END, said)
            if outcome.state == "delivered":
                recording = Recording(connection, lambda: self._desk.database.dialect)
                recording.tell(delivered(entry, self._client, now))

        self._desk.database.write(work)


def attempts(desk: StoreDesk, number: int) -> Sequence[Attempt]:
    """The ledger of one entry, oldest first."""
    found = []
    for row in desk.database.rows(_ATTEMPTS, (number,)):
        id_, began, ended, route, result, status, reason, ehr_id, sha256, size = row
        over = None if ended is None else moment(ended)
        digest = bytes(sha256).hex()
        found.append(
            Attempt(id_, moment(began), over, route, result, status, reason, ehr_id, digest, size)
        )
    return found


def delivered(entry: Entry, client: str, now: datetime) -> Told:
    """The audit line of a delivery: what left this house, for whose chart."""
    return Told(
        recorded=now,
        interaction="deliver",
        client=client,
        patient=entry.patient,
        resource_type="QuestionnaireResponse",
        resource_id=entry.resource_id,
        resource_version=entry.resource_version,
    )


def entry(row: Sequence[Any]) -> Entry:
    """A row of COLUMNS."""
    id_, resource, version, patient, state, created, due, tried, reason, *rest = row
    deadline, released, finished, encounter, ehr_type, ehr_id, ehr_version, looks, leased = rest
    return Entry(
        number=id_,
        resource_id=resource,
        resource_version=version,
        patient=patient,
        state=cast("State", state),
        created=moment(created),
        due=moment(due),
        attempts=tried,
        reason=reason,
        deadline=_moment(deadline),
        released=_moment(released),
        finished=_moment(finished),
        encounter=encounter,
        ehr_type=ehr_type,
        ehr_id=ehr_id,
        ehr_version=ehr_version,
        looks=looks,
        leased_until=_moment(leased),
    )


def _moment(value: int | None) -> datetime | None:
    return None if value is None else moment(value)
