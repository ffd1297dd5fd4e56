"""The outbox to look at, and what a person may do to an entry: retry, release, or call it filed.

https://microservices.io/patterns/data/transactional-outbox.html
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TypeVar

from fhir_service.fhir.dates import microseconds
from fhir_service.fhir.issues import Conflict, NotHere
from fhir_service.store.database import Connection
from fhir_service.store.deliveries import COLUMNS, delivered
from fhir_service.store.deliveries import entry as read_entry
from fhir_service.store.opening import StoreDesk
from fhir_service.store.record import Recording
from fhir_service.workflow.outbox import Entry, Who
from fhir_service.workflow.ports import Told

T = TypeVar("T")

_PAGE = f"SELECT {COLUMNS} FROM outbox WHERE id > ? ORDER BY id LIMIT 500"  # noqa: S608  our own names
_OF_STATE = f"SELECT {COLUMNS} FROM outbox WHERE id > ? AND state = ? ORDER BY id LIMIT 500"  # noqa: S608
_ONE = f"SELECT {COLUMNS} FROM outbox WHERE id = ?"  # noqa: S608
_MOVE = (
    "UPDATE outbox SET state = ?, due = ?, reason = ?, released = coalesce(?, released), "
    "encounter = coalesce(?, encounter), looks = 0, leased_by = NULL, leased_until = NULL "
    "WHERE id = ? AND state = ?"
)
_FILED = (
    "UPDATE outbox SET state = 'delivered', reason = 'filed-by-a-person', finished = ?, "
    "ehr_id = coalesce(?, ehr_id), leased_by = NULL, leased_until = NULL "
    "WHERE id = ? AND state = ?"
)
_COUNTS = "SELECT state, count(*) FROM outbox WHERE {} GROUP BY state"
_HIGHEST = 2**63 - 1

OPERATOR = Who("operator")
"""Who is at the command line."""

RETRIED = ("refused", "given-up", "unknown", "waiting-for-encounter", "due")
RELEASED = (*RETRIED, "no-target")
FILED = ("unknown", "refused", "given-up", "waiting-for-encounter", "due", "released")


def entries(desk: StoreDesk, state: str | None = None) -> Iterator[Entry]:
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
            yield read_entry(row)
        after = rows[-1][0]


def entry(desk: StoreDesk, number: int) -> Entry | None:
    """The entry with this number, or None. Raises Unavailable."""
    if not 0 < number <= _HIGHEST:
        return None
    rows = desk.database.rows(_ONE, (number,))
    return read_entry(rows[0]) if rows else None


def retry(desk: StoreDesk, number: int, now: datetime, who: Who = OPERATOR) -> Entry:
    """Look at it again at once: an unknown one is read back, any other is tried again.

    After the visit it is not sent even so. Raises NotHere, and Conflict where nothing is to be
    tried.
    """
    return _move(desk, number, RETRIED, now, who, released=None)


def release(
    desk: StoreDesk,
    number: int,
    now: datetime,
    encounter: str | None = None,
    who: Who = OPERATOR,
) -> Entry:
    """Send it, after the visit too, and though an earlier sending may have arrived.

    ``encounter`` is the EHR's id of the Encounter to file it to. Raises NotHere, Conflict.
    """
    return _move(desk, number, RELEASED, now, who, released=now, encounter=encounter)


def filed(
    desk: StoreDesk, number: int, now: datetime, ehr_id: str | None, who: Who = OPERATOR
) -> Entry:
    """A person has seen it in the chart, or filed it herself: it is not sent any more.

    Raises NotHere, Conflict.
    """

    def work(connection: Connection) -> Entry:
        found = _must_be(connection, number, FILED)
        _one(connection, _FILED, (microseconds(now), ehr_id, number, found.state))
        recording = Recording(connection, lambda: desk.database.dialect)
        recording.tell(_by(who, delivered(found, who.client, now)))
        return _read(connection, number)

    return desk.database.write(work)


def page_of(desk: StoreDesk, states: Sequence[str], after: int, count: int) -> list[Entry]:
    """Up to so many entries of these states with a number above ``after``, oldest first."""
    marks = ", ".join("?" * len(states))
    sql = f"SELECT {COLUMNS} FROM outbox WHERE state IN ({marks}) AND id > ? ORDER BY id LIMIT ?"  # noqa: S608  our own names
    rows = desk.database.rows(sql, (*states, min(after, _HIGHEST), count))
    return [read_entry(row) for row in rows]


def counts(desk: StoreDesk) -> dict[str, int]:
    """How many entries are in each state in which somebody or something has to act."""
    found: dict[str, int] = {}
    for states in (
        "'waiting-for-encounter', 'due', 'sending', 'unknown', 'released'",
        "'unknown', 'refused', 'given-up'",
    ):
        for state, count in desk.database.rows(_COUNTS.format(f"state IN ({states})")):
            found[state] = int(count)
    return found


def _move(
    desk: StoreDesk,
    number: int,
    allowed: tuple[str, ...],
    now: datetime,
    who: Who,
    *,
    released: datetime | None,
    encounter: str | None = None,
) -> Entry:
    done = "outbox-retry" if released is None else "outbox-release"

    def work(connection: Connection) -> Entry:
        found = _must_be(connection, number, allowed)
        at = microseconds(now)
        if released is not None:
            state, reason = "released", "released-by-a-person"
        elif found.state == "unknown":
            state, reason = "unknown", found.reason or "retried-by-a-person"
        else:
            state = "released" if found.released is not None else "due"
            reason = "retried-by-a-person"
        free = None if released is None else at
        _one(connection, _MOVE, (state, at, reason, free, encounter, number, found.state))
        line = replace(delivered(found, who.client, now), interaction=done)
        Recording(connection, lambda: desk.database.dialect).tell(_by(who, line))
        return _read(connection, number)

    return desk.database.write(work)


def _by(who: Who, line: Told) -> Told:
    return replace(
        line,
        user=who.user,
        token=who.token,
        request_id=who.request_id,
        address=who.address,
    )


def _must_be(connection: Connection, number: int, allowed: tuple[str, ...]) -> Entry:
    found = connection.run(_ONE, (number,)).fetchall() if 0 < number <= _HIGHEST else []
    if not found:
        raise NotHere(f"There is no outbox entry {number}.")
    one = read_entry(found[0])
    if one.state not in allowed:
        raise Conflict(
            f"Outbox entry {number} is {one.state}: nothing of this kind is to be done."
        )
    return one


def _one(connection: Connection, sql: str, values: tuple[object, ...]) -> None:
    if connection.run(sql, values).rowcount != 1:
        raise Conflict("The outbox entry is being worked on just now; try again in a minute.")


def _read(connection: Connection, number: int) -> Entry:
    return read_entry(connection.run(_ONE, (number,)).fetchone())
