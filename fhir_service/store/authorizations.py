"""Clients, grants, refresh tokens and revocations in the record (workflow.oauth.model).

https://www.rfc-editor.org/rfc/rfc9700
"""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import datetime
from typing import Any

from fhir_service.fhir.dates import microseconds, moment
from fhir_service.fhir.issues import Conflict
from fhir_service.store.database import Connection, Database
from fhir_service.workflow.oauth.model import Client, Grant, Spendable

_CLIENT = "SELECT details, created FROM oauth_client WHERE id = ?"
_CLIENTS = "SELECT details, created FROM oauth_client ORDER BY id"
_REGISTER = (
    "INSERT INTO oauth_client (id, details, created) VALUES (?, ?, ?) ON CONFLICT DO NOTHING"
)
_FIRST_USE = "INSERT INTO used_jti (fingerprint, expires) VALUES (?, ?) ON CONFLICT DO NOTHING"
_FORGET_JTIS = "DELETE FROM used_jti WHERE expires < ?"
_KEEP_GRANT = (
    "INSERT INTO oauth_grant"
    " (id, client, patient, details, created, code, code_expires, kept_until)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
)
_FORGET_GRANTS = "DELETE FROM oauth_grant WHERE kept_until < ?"
_FORGET_REFRESH = "DELETE FROM oauth_refresh WHERE expires < ?"
_GRANT_COLUMNS = "g.details, g.created, g.patient, g.revoked"
_GRANTS = (
    f"SELECT {_GRANT_COLUMNS} FROM oauth_grant g WHERE (? = '' OR g.patient = ?)"  # noqa: S608  our own names
    " AND (? = '' OR g.client = ?) ORDER BY g.created DESC, g.id DESC LIMIT ?"
)
_GRANT_TO_END = "SELECT id FROM oauth_grant WHERE id = ? AND revoked = 0"
_GRANTS_TO_END = "SELECT id FROM oauth_grant WHERE patient = ? AND revoked = 0"
_CODE = (
    f"SELECT {_GRANT_COLUMNS}, g.code_expires, g.code_used FROM oauth_grant g"  # noqa: S608  our own names
    " WHERE g.code = ?"
)
_SPEND_CODE = "UPDATE oauth_grant SET code_used = 1 WHERE code = ? AND code_used = 0"
_KEEP_REFRESH = "INSERT INTO oauth_refresh (fingerprint, grant_id, expires) VALUES (?, ?, ?)"
_REFRESH = (
    f"SELECT {_GRANT_COLUMNS}, r.expires, r.used FROM oauth_refresh r"  # noqa: S608  our own names
    " JOIN oauth_grant g ON g.id = r.grant_id WHERE r.fingerprint = ?"
)
_SPEND_REFRESH = "UPDATE oauth_refresh SET used = 1 WHERE fingerprint = ? AND used = 0"
_REVOKE = (
    "INSERT INTO revoked_token (mark, expires) VALUES (?, ?)"
    " ON CONFLICT (mark) DO UPDATE SET expires = excluded.expires"
)
_FORGET_REVOKED = "DELETE FROM revoked_token WHERE expires < ?"
_REVOKE_GRANT = "UPDATE oauth_grant SET revoked = 1 WHERE id = ?"
_REVOKED = "SELECT mark FROM revoked_token WHERE expires >= ?"
_REMOVE = (
    "DELETE FROM oauth_refresh WHERE grant_id IN (SELECT id FROM oauth_grant WHERE client = ?)",
    "DELETE FROM oauth_grant WHERE client = ?",
    "DELETE FROM oauth_client WHERE id = ?",
)


class StoredAuthorizations:
    """What the authorization server of one installation keeps; any process finds it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def client(self, id_: str) -> Client | None:
        """The client with this id."""
        rows = self._database.rows(_CLIENT, (id_,))
        return _client(rows[0]) if rows else None

    def clients(self) -> tuple[Client, ...]:
        """Every client, by id."""
        return tuple(_client(row) for row in self._database.rows(_CLIENTS))

    def register(self, client: Client) -> None:
        """Keep a new client. Raises Conflict when there is one with this id."""
        row = (client.id, _text(asdict(client)), microseconds(client.created))
        if not self._database.write(lambda c: c.run(_REGISTER, row).rowcount):
            raise Conflict(f"There is a client {client.id} already; remove it first.")

    def remove(self, id_: str, until: datetime) -> bool:
        """Forget a client and what it was granted; tokens of it are revoked until then."""

        def work(connection: Connection) -> bool:
            connection.run(_REVOKE, (f"client:{id_}", microseconds(until)))
            removed = 0
            for statement in _REMOVE:
                removed = connection.run(statement, (id_,)).rowcount
            return removed > 0

        return self._database.write(work)

    def first_use(self, fingerprint: bytes, expires: datetime, now: datetime) -> bool:
        """Whether this was never used before; it is used now, and remembered until it expires."""
        row = (fingerprint, microseconds(expires))
        clean = fingerprint[0] == 0  # one time in 256: as quick as a queue of its own

        def work(connection: Connection) -> bool:
            if clean:
                connection.run(_FORGET_JTIS, (microseconds(now),))
            return connection.run(_FIRST_USE, row).rowcount == 1

        return self._database.write(work)

    def keep_grant(self, grant: Grant, code: bytes, expires: datetime) -> None:
        """Keep a grant under the fingerprint of its code; what is long over is removed."""
        now = microseconds(grant.created)
        row = (
            grant.id,
            grant.client,
            grant.patient,
            _text(asdict(grant)),
            now,
            code,
            microseconds(expires),
            microseconds(max(expires, grant.refresh_until or expires)) + _A_DAY,
        )

        def work(connection: Connection) -> None:
            connection.run(_FORGET_REFRESH, (now - _A_DAY,))
            connection.run(_FORGET_GRANTS, (now,))
            connection.run(_FORGET_REVOKED, (now,))
            connection.run(_KEEP_GRANT, row)

        self._database.write(work)

    def grants(self, patient: str | None, client: str | None, most: int) -> tuple[Grant, ...]:
        """The newest grants, ended ones too; of this patient and of this client where named."""
        of, by = patient or "", client or ""
        rows = self._database.rows(_GRANTS, (of, of, by, by, most))
        return tuple(_grant(*row) for row in rows)

    def grants_to_end(self, id_: str | None, patient: str | None) -> tuple[str, ...]:
        """The ids of what is not ended yet: the grant with this id, or all of a patient."""
        query, of = (_GRANTS_TO_END, patient) if id_ is None else (_GRANT_TO_END, id_)
        return tuple(id_ for (id_,) in self._database.rows(query, (of,)))

    def code(self, fingerprint: bytes) -> Spendable | None:
        """The grant of this code."""
        return _spendable(self._database.rows(_CODE, (fingerprint,)))

    def spend_code(self, fingerprint: bytes) -> bool:
        """Mark the code as used; False when it was used before, by anybody."""
        return self._database.write(lambda c: c.run(_SPEND_CODE, (fingerprint,)).rowcount) == 1

    def keep_refresh(self, fingerprint: bytes, grant: str, expires: datetime) -> None:
        """Keep a refresh token of this grant."""
        row = (fingerprint, grant, microseconds(expires))
        self._database.write(lambda connection: connection.run(_KEEP_REFRESH, row))

    def refresh(self, fingerprint: bytes) -> Spendable | None:
        """The grant of this refresh token."""
        return _spendable(self._database.rows(_REFRESH, (fingerprint,)))

    def spend_refresh(self, fingerprint: bytes) -> bool:
        """Mark the refresh token as used; False when it was used before, by anybody."""
        return self._database.write(lambda c: c.run(_SPEND_REFRESH, (fingerprint,)).rowcount) == 1

    def revoke(self, mark: str, until: datetime) -> None:
        """Let no access token with this jti or grant be good; remembered until then."""
        row = (mark, microseconds(until))
        self._database.write(lambda connection: connection.run(_REVOKE, row))

    def revoke_grant(self, grant: str, until: datetime) -> None:
        """End a grant: its refresh tokens and its access tokens."""

        def work(connection: Connection) -> None:
            connection.run(_REVOKE_GRANT, (grant,))
            connection.run(_REVOKE, (grant, microseconds(until)))

        self._database.write(work)

    def revoked(self, now: datetime) -> frozenset[str]:
        """Every mark that is revoked at this moment."""
        return frozenset(mark for (mark,) in self._database.rows(_REVOKED, (microseconds(now),)))


_A_DAY = 86_400_000_000
_IN_COLUMNS = frozenset({"created", "patient", "revoked"})


def _text(members: dict[str, Any]) -> str:
    said = {k: v for k, v in members.items() if k not in _IN_COLUMNS and v is not None}
    for name, value in said.items():
        if isinstance(value, datetime):
            said[name] = microseconds(value)
    return json.dumps(said)


def _client(row: Any) -> Client:
    details, created = row
    said = json.loads(details)
    for name in ("grants", "redirect_uris"):
        said[name] = tuple(said[name])
    return Client(created=moment(created), **said)


def _spendable(rows: list[Any]) -> Spendable | None:
    if not rows:
        return None
    *grant, expires, used = rows[0]
    return Spendable(_grant(*grant), moment(expires), bool(used))


def _grant(details: str, created: int, patient: str | None, revoked: int) -> Grant:
    said = json.loads(details)
    for name in ("authenticated", "refresh_until"):
        if name in said:
            said[name] = moment(said[name])
    return Grant(created=moment(created), patient=patient, revoked=bool(revoked), **said)
