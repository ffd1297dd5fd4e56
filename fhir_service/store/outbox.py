"""The outbox, looked at: what the EHR is owed, since when, and why it waits.

https://microservices.io/patterns/data/transactional-outbox.html
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from fhir_service.fhir.dates import moment
from fhir_service.store.opening import StoreDesk

_COLUMNS = "id, resource_id, resource_version, state, due, created, attempts, reason"
_LIST = f"SELECT {_COLUMNS} FROM outbox WHERE id > ? ORDER BY id LIMIT ?"  # noqa: S608  our names
_LIST_STATE = (
    f"SELECT {_COLUMNS} FROM outbox "  # noqa: S608  our own names
    "WHERE state = ? AND id > ? ORDER BY id LIMIT ?"
)
_ONE = f"SELECT {_COLUMNS} FROM outbox WHERE id = ?"  # noqa: S608  our own names
_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Entry:
    """One delivery: the response and version whose summary is owed, its state, times in UTC.

    ``attempts`` counts the times it was tried; ``reason`` says why it waits or failed.
    """

    number: int
    resource_id: str
    resource_version: int
    state: str
    due: datetime
    created: datetime
    attempts: int
    reason: str | None


def entries(desk: StoreDesk, state: str | None = None) -> Iterator[Entry]:
    """Every entry, or those in this state, oldest first. Raises Unavailable."""
    after = 0
    while True:
        if state is None:
            rows = desk.database.rows(_LIST, (after, _AT_ONCE))
        else:
            rows = desk.database.rows(_LIST_STATE, (state, after, _AT_ONCE))
        for row in rows:
            yield _entry(row)
        if len(rows) < _AT_ONCE:
            return
        after = rows[-1][0]


def entry(desk: StoreDesk, number: int) -> Entry | None:
    """The entry of this number, or None."""
    rows = desk.database.rows(_ONE, (number,))
    return _entry(rows[0]) if rows else None


def _entry(row: Sequence[Any]) -> Entry:
    number, id_, version, state, due, created, attempts, reason = row
    return Entry(number, id_, version, state, moment(due), moment(created), attempts, reason)
