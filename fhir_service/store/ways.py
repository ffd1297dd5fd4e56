"""Links and what is good once, in the record (workflow.ways)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from fhir_service.fhir.dates import microseconds, moment
from fhir_service.store.database import Connection
from fhir_service.store.rows import Run
from fhir_service.workflow.ways import KeptLink

_COLUMNS = (
    "id, patient, questionnaire, response, made_by, created, expires, uses_left, tries_left,"
    " language, task, revoked"
)
_FIND = f"SELECT {_COLUMNS} FROM link WHERE id = ?"  # noqa: S608  our own names
_OF_PATIENT = f"SELECT {_COLUMNS} FROM link WHERE patient = ? ORDER BY created DESC"  # noqa: S608
_NEWEST = f"SELECT {_COLUMNS} FROM link ORDER BY created DESC LIMIT ?"  # noqa: S608
_TASK_OF = (
    "SELECT task FROM link WHERE patient = ? AND response = ? AND task IS NOT NULL"
    " ORDER BY created DESC LIMIT 1"
)
_TRIED = f"SELECT {_COLUMNS} FROM link WHERE fingerprint = ?"  # noqa: S608
_INSERT = (
    f"INSERT INTO link ({_COLUMNS}, fingerprint)"  # noqa: S608  our own names
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
_TRY = (
    "UPDATE link SET tries_left = tries_left - 1 WHERE fingerprint = ? AND tries_left > 0"
    " AND uses_left > 0 AND revoked IS NULL AND expires > ?"
)
_OPENED = "UPDATE link SET uses_left = uses_left - 1, tries_left = ? WHERE id = ?"
_REVOKE = "UPDATE link SET revoked = ? WHERE id = ? AND revoked IS NULL"
_CLOSE = (
    "DELETE FROM browser_session WHERE EXISTS (SELECT 1 FROM link WHERE link.id = ?"
    " AND link.patient = browser_session.patient AND link.response = browser_session.response)"
)

_ONE = (
    "INSERT INTO one_time (fingerprint, purpose, details, tries_left, expires)"
    " VALUES (?, ?, ?, ?, ?)"
)
_GONE = "DELETE FROM one_time WHERE expires <= ?"
_DETAILS = "SELECT details FROM one_time WHERE fingerprint = ? AND purpose = ? AND expires > ?"
_TAKE = "DELETE FROM one_time WHERE fingerprint = ? AND purpose = ?"
_ATTEMPT = (
    "UPDATE one_time SET tries_left = tries_left - 1"
    " WHERE fingerprint = ? AND purpose = ? AND expires > ? AND tries_left > 0"
)


class LinksRead:
    """Finding links (workflow.ways.LinkReader)."""

    def __init__(self, run: Run) -> None:
        self._run = run

    def find(self, id_: str) -> KeptLink | None:
        """The link with this id, whatever its state."""
        rows = self._run(_FIND, (id_,))
        return _link(rows[0]) if rows else None

    def of_patient(self, patient: str) -> Sequence[KeptLink]:
        """All links of a patient, newest first."""
        return [_link(row) for row in self._run(_OF_PATIENT, (patient,))]

    def task_of(self, patient: str, response: str) -> str | None:
        """The id of the Task that a link to this response was made for."""
        rows = self._run(_TASK_OF, (patient, response))
        return str(rows[0][0]) if rows else None

    def newest(self, count: int) -> Sequence[KeptLink]:
        """The newest links of everybody."""
        return [_link(row) for row in self._run(_NEWEST, (count,))]


class LinksKept(LinksRead):
    """Changing links (workflow.ways.LinkRecord)."""

    def __init__(self, connection: Connection) -> None:
        super().__init__(lambda sql, values: connection.run(sql, values).fetchall())
        self._connection = connection

    def keep(self, fingerprint: bytes, link: KeptLink) -> None:
        """Keep a new link."""
        row = (
            link.id,
            link.patient,
            link.questionnaire,
            link.response,
            link.made_by,
            microseconds(link.created),
            microseconds(link.expires),
            link.uses_left,
            link.tries_left,
            link.language,
            link.task,
            None,
            fingerprint,
        )
        self._connection.run(_INSERT, row)

    def attempt(self, fingerprint: bytes, now: datetime) -> KeptLink | None:
        """Count one try; the link as it is then, None where there is none that is open."""
        tried = self._connection.run(_TRY, (fingerprint, microseconds(now)))
        if tried.rowcount != 1:
            return None
        return _link(self._connection.run(_TRIED, (fingerprint,)).fetchone())

    def opened(self, id_: str, tries: int) -> None:
        """Count one use; the next has all its tries again."""
        self._connection.run(_OPENED, (tries, id_))

    def revoke(self, id_: str, now: datetime) -> bool:
        """Close it for good, with its sessions; whether it was not closed before."""
        revoked = self._connection.run(_REVOKE, (microseconds(now), id_)).rowcount == 1
        self._connection.run(_CLOSE, (id_,))
        return revoked


class OneTimesKept:
    """What is good once (workflow.ways.OneTimes)."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def keep(
        self, fingerprint: bytes, purpose: str, details: bytes, tries: int, expires: datetime
    ) -> None:
        """Keep one."""
        row = (fingerprint, purpose, details, tries, microseconds(expires))
        self._connection.run(_ONE, row)

    def clear(self, now: datetime) -> None:
        """Remove what has expired."""
        self._connection.run(_GONE, (microseconds(now),))

    def take(self, fingerprint: bytes, purpose: str, now: datetime) -> bytes | None:
        """Its details, and it is gone; None where there is none that is good.

        Of two who take it at the same time one alone removes the row, and gets it.
        """
        row = self._details(fingerprint, purpose, now)
        if row is None or self._connection.run(_TAKE, (fingerprint, purpose)).rowcount != 1:
            return None
        return bytes(row[0])

    def attempt(self, fingerprint: bytes, purpose: str, now: datetime) -> bytes | None:
        """Its details, one try counted; None where there is none, or no try is left."""
        tried = self._connection.run(_ATTEMPT, (fingerprint, purpose, microseconds(now)))
        row = self._details(fingerprint, purpose, now) if tried.rowcount == 1 else None
        return None if row is None else bytes(row[0])

    def _details(self, fingerprint: bytes, purpose: str, now: datetime) -> Any:
        values = (fingerprint, purpose, microseconds(now))
        return self._connection.run(_DETAILS, values).fetchone()


def _link(row: Any) -> KeptLink:
    id_, patient, form, response, made_by, created, expires, uses, tries, language, task, over = (
        row
    )
    return KeptLink(
        id=id_,
        patient=patient,
        questionnaire=form,
        response=response,
        made_by=made_by,
        created=moment(created),
        expires=moment(expires),
        uses_left=uses,
        tries_left=tries,
        language=language,
        task=task,
        revoked=None if over is None else moment(over),
    )
