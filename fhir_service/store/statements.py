"""The SQL that runs on every request, as text, the same on both databases.

SQLAlchemy takes most of a second to import. A service on SQLite answers before that, and needs it
only once somebody searches. A test holds these texts to the tables.
"""

from __future__ import annotations

HEAD_LENGTH = 200
"""How many signs of a search value lie in an index."""

VERSION_COLUMNS = (
    "resource_type",
    "id",
    "version",
    "last_updated",
    "patient",
    "method",
    "deleted",
    "sha256",
    "body",
)
RESOURCE_COLUMNS = (
    "resource_type",
    "id",
    "version",
    "last_updated",
    "patient",
    "deleted",
    "canonical",
    "canonical_version",
    "status",
    "low",
    "high",
)
VALUE_COLUMNS = (
    "resource_type",
    "id",
    "parameter",
    "system",
    "head",
    "whole",
    "exact",
    "low",
    "high",
)
AUDIT_COLUMNS = (
    "recorded",
    "interaction",
    "client",
    "outcome",
    "token",
    "patient",
    "resource_type",
    "resource_id",
    "resource_version",
    "request_id",
    "search",
    "reason",
    "agent",
    "address",
    "sources",
    "software",
)
OUTBOX_COLUMNS = (
    "resource_id",
    "resource_version",
    "patient",
    "state",
    "due",
    "created",
    "deadline",
)
STORED_COLUMNS = (
    "resource_type",
    "id",
    "version",
    "last_updated",
    "body",
    "patient",
    "method",
    "deleted",
)


def _insert(table: str, columns: tuple[str, ...], end: str = "") -> str:
    marks = ", ".join("?" * len(columns))
    return f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks}){end}"  # noqa: S608  our own names


_UNLESS_THERE = " ON CONFLICT DO NOTHING"
_STORED = ", ".join(f"v.{column}" for column in STORED_COLUMNS)
_FROM = f"SELECT {_STORED} FROM resource_version v"  # noqa: S608  our own names
_CURRENT = (
    f"SELECT {_STORED} FROM resource r JOIN resource_version v "  # noqa: S608  our own names
    "ON v.resource_type = r.resource_type AND v.id = r.id AND v.version = r.version"
)
_ONE = "v.resource_type = ? AND v.id = ?"

INSERT_VERSION = _insert("resource_version", VERSION_COLUMNS, _UNLESS_THERE)
INSERT_RESOURCE = _insert("resource", RESOURCE_COLUMNS, _UNLESS_THERE)
INSERT_VALUE = _insert("search_value", VALUE_COLUMNS)
INSERT_AUDIT = _insert("audit", AUDIT_COLUMNS)
INSERT_OUTBOX = _insert("outbox", OUTBOX_COLUMNS, _UNLESS_THERE)
UPDATE_RESOURCE = (
    "UPDATE resource SET version = ?, last_updated = ?, deleted = ?, canonical = ?, "
    "canonical_version = ?, status = ?, low = ?, high = ? "
    "WHERE resource_type = ? AND id = ? AND version = ? AND coalesce(patient, '') = ?"
)
INSERT_CLAIM = _insert("claim", ("claimed",), _UNLESS_THERE)
DELETE_CLAIM = "DELETE FROM claim WHERE claimed = ?"
DELETE_VALUES = "DELETE FROM search_value WHERE resource_type = ? AND id = ?"

READ = f"{_CURRENT} WHERE r.resource_type = ? AND r.id = ?"
VREAD = f"{_FROM} WHERE {_ONE} AND v.version = ?"
HISTORY = f"{_FROM} WHERE {_ONE} AND v.version < ? ORDER BY v.version DESC LIMIT ?"
HISTORY_OF_PATIENT = (
    f"{_FROM} WHERE {_ONE} AND v.version < ? AND v.patient = ? ORDER BY v.version DESC LIMIT ?"
)
STORED_BETWEEN = (
    f"{_CURRENT} WHERE r.patient = ? AND r.resource_type = ? AND r.deleted = 0 "
    "AND r.last_updated >= ? AND r.last_updated <= ? "
    "ORDER BY r.last_updated DESC, r.id DESC LIMIT ?"
)
CANONICALS = (
    "SELECT id, version, canonical_version, status, last_updated FROM resource "
    "WHERE resource_type = ? AND canonical = ? AND deleted = 0"
)
OF_PATIENT = " AND v.patient = ?"
_OPEN_TASK = (
    "r.resource_type = 'Task' AND r.deleted = 0"
    " AND r.status IN ('requested', 'ready', 'received', 'accepted', 'in-progress', 'on-hold')"
)
_BY_INDEX = " ORDER BY r.resource_type, r.status"
"""The order of the index of open Tasks: without it SQLite walks through all Tasks of all time."""

OPEN_TASKS = f"{_CURRENT} WHERE r.patient = ? AND {_OPEN_TASK}{_BY_INDEX}, r.patient"
OVERDUE_TASKS = (
    f"{_CURRENT} WHERE {_OPEN_TASK}"  # noqa: S608  our own names
    " AND EXISTS (SELECT 1 FROM search_value s"
    " WHERE s.resource_type = r.resource_type AND s.id = r.id AND s.parameter = 'deadline'"
    f" AND s.high <= ?){_BY_INDEX} LIMIT ?"
)
KEYS = "SELECT jwk FROM signing_key ORDER BY number DESC"
ATTEMPT_COLUMNS = ("outbox_id", "began", "route", "sha256", "size")
INSERT_ATTEMPT = _insert("attempt", ATTEMPT_COLUMNS)
EHR_KEYS = "SELECT jwk, created FROM ehr_key ORDER BY number DESC"
INSERT_EHR_KEY = _insert("ehr_key", ("number", "jwk", "created"), _UNLESS_THERE)
