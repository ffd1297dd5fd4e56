"""What EHRs said of themselves over time (workflow.today.Statements): each text once, dated."""

from __future__ import annotations

from datetime import datetime
from hashlib import sha256

from fhir_service.fhir.dates import microseconds, moment
from fhir_service.store.database import Connection
from fhir_service.store.opening import StoreDesk
from fhir_service.workflow.today import Kind, Said

_NEWEST = (
    "SELECT first_seen, last_seen, body FROM ehr_statement "
    "WHERE base = ? AND kind = ? ORDER BY id DESC LIMIT ?"
)
_LAST = "SELECT id, sha256 FROM ehr_statement WHERE base = ? AND kind = ? ORDER BY id DESC LIMIT 1"
_SEEN = "UPDATE ehr_statement SET last_seen = ? WHERE id = ?"
_INSERT = (
    "INSERT INTO ehr_statement (base, kind, first_seen, last_seen, sha256, body) "
    "VALUES (?, ?, ?, ?, ?, ?)"
)
_MOST = 1000


class StoredStatements:
    """The statements in this record."""

    def __init__(self, desk: StoreDesk) -> None:
        self._database = desk.database

    def newest(self, base: str, kind: Kind, count: int = 2) -> tuple[Said, ...]:
        """As Statements says."""
        rows = self._database.rows(_NEWEST, (base, kind, min(count, _MOST)))
        return tuple(Said(moment(first), moment(last), bytes(body)) for first, last, body in rows)

    def keep(self, base: str, kind: Kind, body: bytes, now: datetime) -> bool:
        """As Statements says."""
        digest, at = sha256(body).digest(), microseconds(now)

        def work(connection: Connection) -> bool:
            last = connection.run(_LAST, (base, kind)).fetchone()
            if last is not None and bytes(last[1]) == digest:
                connection.run(_SEEN, (at, last[0]))
                return False
            connection.run(_INSERT, (base, kind, at, at, digest, body))
            return last is not None

        return self._database.write(work)
