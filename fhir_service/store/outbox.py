"""The outbox to look at: what is owed, in which state, since when.

https://microservices.io/patterns/data/transactional-outbox.html
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from fhir_service.fhir.dates import moment
from fhir_service.store.opening import StoreDesk

_COLUMNS = (
    "id, resource_id, resource_version, patient, state, created, due, attempts, reason FROM outbox"
)
_PAGE = f"SELECT {_COLUMNS} WHERE id > ? ORDER BY id LIMIT 500"
_OF_STATE = f"SELECT {_COLUMNS} WHERE id > ? AND state = ? ORDER BY id LIMIT 500"
_ONE = f"SELECT {_COLUMNS} WHERE id = ?"
_HIGHEST = 2**63 - 1


@dataclass(frozen=True, slots=True)
class OutboxEntry:
    """One thing that the EHR is owed; ``reason`` says why the last attempt failed, if one did."""

    number: int
    resource_id: str
    resource_version: int
    patient: str
    state: str
    created: datetime
    due: datetime
    attempts: int
    reason: str | None


def entries(desk: StoreDesk, state: str | None = None) -> Iterator[OutboxEntry]:
    """The entries, oldest first, of this state or of all, read page by page."""
    after = 0
    while True:
        if state is None:
            rows = desk.database.rows(_PAGE, (after,))
        else:
            rows = desk.database.rows(_OF_STATE, (after, state))
        if not rows:
            return
        for row in rows:
            yield _entry(row)
        after = rows[-1][0]


def entry(desk: StoreDesk, number: int) -> OutboxEntry | None:
    """The entry with this number, or None. Raises Unavailable."""
    if not 0 < number <= _HIGHEST:
        return None
    rows = desk.database.rows(_ONE, (number,))
    return _entry(rows[0]) if rows else None


def _entry(row: Sequence[Any]) -> OutboxEntry:
    number, id_, version, patient, state, created, due, attempts, reason = row
    return OutboxEntry(
        number, id_, version, patient, state, moment(created), moment(due), attempts, reason
    )
