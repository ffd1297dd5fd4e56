"""What changed, of one type or of all: versions by their time, the newest first.

http://hl7.org/fhir/R4/http.html#history
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from fhir_service.fhir.dates import microseconds
from fhir_service.fhir.searching import Page
from fhir_service.store import cursors
from fhir_service.store.rows import Run, stored
from fhir_service.store.statements import STORED_COLUMNS
from fhir_service.workflow.ports import Stored

_KEYS = "last_updated, resource_type, id, version"
_CHANGES = f"SELECT {', '.join(STORED_COLUMNS)} FROM resource_version WHERE ("  # noqa: S608  our own names
_ORDER = ", ".join(f"{key} DESC" for key in _KEYS.split(", "))
_BACKWARDS = ", ".join(f"{key} ASC" for key in _KEYS.split(", "))


def changes_with(
    run: Run,
    reaches: Sequence[tuple[str, str | None]],
    count: int,
    since: datetime | None,
    cursor: str | None,
) -> Page[Stored]:
    """One page of the versions of these types, each of one patient's or of anybody's (None)."""
    if not reaches or count == 0:
        return Page(())
    at = None if cursor is None else cursors.read(cursor, (True, False, False, True))
    back = at is not None and at.back
    sql, values = _asked(reaches)
    if since is not None:
        sql, values = f"{sql} AND last_updated >= ?", [*values, microseconds(since)]
    if at is not None:
        way = ">" if back else "<"
        sql, values = f"{sql} AND ({_KEYS}) {way} (?, ?, ?, ?)", [*values, *at.values]
    order = _BACKWARDS if back else _ORDER
    rows = list(run(f"{sql} ORDER BY {order} LIMIT ?", [*values, count + 1]))
    more = len(rows) > count
    rows = rows[:count]
    if back:
        rows = rows[::-1]
    return Page(
        tuple(stored(row) for row in rows),
        cursors.written(_keys(rows[-1])) if rows and (more or back) else None,
        None,
        cursors.written(_keys(rows[0]), back=True) if rows and _before(at, more) else None,
    )


def _asked(reaches: Sequence[tuple[str, str | None]]) -> tuple[str, list[Any]]:
    """The beginning of the query, up to the types."""
    parts: list[str] = []
    values: list[Any] = []
    for kind, patient in reaches:
        parts.append(
            "resource_type = ?" if patient is None else "resource_type = ? AND patient = ?"
        )
        values += [kind] if patient is None else [kind, patient]
    joined = " OR ".join(f"({part})" for part in parts)
    return f"{_CHANGES}{joined})", values


def _before(at: cursors.Cursor | None, more: bool) -> bool:
    """Whether something is newer than this page."""
    return at is not None and (more or not at.back)


def _keys(row: Sequence[Any]) -> list[Any]:
    kind, id_, version, updated = row[:4]
    return [updated, kind, id_, version]
