"""Browser sessions in the record (workflow.sessions.Sessions)."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import datetime
from typing import Any

from fhir_service.fhir.dates import microseconds, moment
from fhir_service.store.database import Connection, Database
from fhir_service.workflow.session import Answering, Session

COLUMNS = (
    "fingerprint",
    "kind",
    "patient",
    "response",
    "details",
    "created",
    "idle_until",
    "expires",
)
_FIND = (
    "SELECT kind, patient, response, details, created, idle_until, expires"
    " FROM browser_session WHERE fingerprint = ? AND idle_until > ?"
)
INSERT = (
    f"INSERT INTO browser_session ({', '.join(COLUMNS)})"  # noqa: S608  our own names
    f" VALUES ({', '.join('?' for _ in COLUMNS)})"
)
_ENDED = "DELETE FROM browser_session WHERE idle_until <= ?"
_TOUCH = "UPDATE browser_session SET idle_until = ? WHERE fingerprint = ?"
_BIND = "UPDATE browser_session SET response = ? WHERE fingerprint = ? AND response IS NULL"
_BOUND = "SELECT response FROM browser_session WHERE fingerprint = ?"
_SEAL = "UPDATE browser_session SET sealed = ? WHERE fingerprint = ?"
_SEALED = "SELECT sealed FROM browser_session WHERE fingerprint = ?"
_END = "DELETE FROM browser_session WHERE fingerprint = ?"

_IN_COLUMNS = frozenset({"kind", "patient", "response", "created", "idle_until", "expires"})


class StoredSessions:
    """The sessions of one installation; any process finds what another began."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def begin(self, fingerprint: bytes, session: Session) -> None:
        """Keep a new one; those that have ended are removed on the way. Raises Unavailable."""
        row = (
            fingerprint,
            session.kind,
            session.patient,
            session.response,
            _details(session),
            microseconds(session.created),
            microseconds(session.idle_until),
            microseconds(session.expires),
        )

        def work(connection: Connection) -> None:
            connection.run(_ENDED, (microseconds(session.created),))
            connection.run(INSERT, row)

        self._database.write(work)

    def find(self, fingerprint: bytes, now: datetime) -> Session | None:
        """The one with this fingerprint, unless it has ended."""
        rows = self._database.rows(_FIND, (fingerprint, microseconds(now)))
        return _session(rows[0]) if rows else None

    def touch(self, fingerprint: bytes, idle_until: datetime) -> None:
        """Let it be idle until then."""
        values = (microseconds(idle_until), fingerprint)
        self._database.write(lambda connection: connection.run(_TOUCH, values))

    def bind(self, fingerprint: bytes, response: str) -> str:
        """Give it this response, unless it has one; the id of the one that it has then."""

        def work(connection: Connection) -> str:
            connection.run(_BIND, (response, fingerprint))
            row = connection.run(_BOUND, (fingerprint,)).fetchone()
            return str(row[0]) if row else response

        return self._database.write(work)

    def end(self, fingerprint: bytes) -> None:
        """Forget it, and what was kept for it."""
        self._database.write(lambda connection: connection.run(_END, (fingerprint,)))

    def keep_secret(self, fingerprint: bytes, sealed: bytes | None) -> None:
        """Keep something sealed as long as the session; None takes it away."""
        values = (sealed, fingerprint)
        self._database.write(lambda connection: connection.run(_SEAL, values))

    def secret_of(self, fingerprint: bytes) -> bytes | None:
        """What was kept sealed, or None."""
        rows = self._database.rows(_SEALED, (fingerprint,))
        return bytes(rows[0][0]) if rows and rows[0][0] is not None else None


def _details(session: Session) -> str:
    members = asdict(session)
    return json.dumps({k: v for k, v in members.items() if k not in _IN_COLUMNS and v is not None})


def _session(row: Any) -> Session:
    kind, patient, response, details, created, idle_until, expires = row
    said = json.loads(details)
    return Session(
        kind=kind,
        patient=patient,
        response=response,
        created=moment(created),
        idle_until=moment(idle_until),
        expires=moment(expires),
        answering=Answering(**said.pop("answering")),
        **said,
    )
