"""AuditEvents and Provenances, read and searched in the audit.

Lines are numbered as they are written, which is in the order of time but for a fraction of a
second; so a range of time is found by halving, and needs no index of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

import orjson
from sqlalchemy import BigInteger, ColumnElement, Select, and_, func, select, type_coerce

from fhir_service.fhir.audit_events import audit_event
from fhir_service.fhir.dates import moment, searched
from fhir_service.fhir.issues import NotUnderstood
from fhir_service.fhir.provenances import ACTIVITIES, provenance
from fhir_service.fhir.search_parameters import parameter_of
from fhir_service.fhir.searching import Criterion, Page, Search
from fhir_service.store import cursors
from fhir_service.store.audit_conditions import Condition, asked_of_audit
from fhir_service.store.rows import Run, compiled
from fhir_service.store.statements import AUDIT_COLUMNS
from fhir_service.store.tables import audit, version
from fhir_service.workflow.ports import Stored, Told

if TYPE_CHECKING:
    from sqlalchemy import Dialect

_LATE: Final = 15 * 60 * 1_000_000
"""How much later than its moment a line may be written, in microseconds."""

_LARGEST = 2**62
_TIMES = ("date", "recorded", "_lastUpdated")
_AT = "SELECT id, recorded FROM audit WHERE id >= ? ORDER BY id LIMIT 1"
_ENDS = "SELECT coalesce(min(id), 0), coalesce(max(id), 0) FROM audit"


class AuditReading:
    """What is read out of the audit, by a function that runs queries."""

    def __init__(self, run: Run, dialect: Dialect) -> None:
        self._run = run
        self._dialect = dialect

    def read(self, resource_type: str, id_: str, patient: str | None) -> Stored | None:
        """The one with this id; None when there is none that this patient may see."""
        if not id_.isascii() or not id_.isdigit() or len(id_) > 18:  # noqa: PLR2004  below 2**62
            return None
        conditions = [audit.c.id == int(id_)]
        if patient is not None:
            conditions.append(audit.c.patient == patient)
        rows = self._rows(_selected(resource_type).where(*conditions))
        return _made(resource_type, rows[0]) if rows else None

    def search(self, search: Search, patient: str | None) -> Page[Stored]:
        """One page, the newest first unless asked otherwise. Raises NotUnderstood."""
        kind = search.resource_type
        conditions = [asked_of_audit(kind, asked) for asked in search.criteria]
        conditions += self._within_time(search.criteria)
        if patient is not None:
            conditions.append(audit.c.patient == patient)
        total = None
        if search.total:
            counted = _from(kind, select(func.count())).where(*conditions)
            ((total,),) = self._rows(counted)
        if search.count == 0:
            return Page((), None, total)
        return self._page(search, conditions, total)

    def _page(
        self, search: Search, conditions: list[Condition], total: int | None
    ) -> Page[Stored]:
        descending = _descending(search)
        back = False
        if search.cursor is not None:
            (at,), back = cursors.read(search.cursor, (True,))
            conditions.append(audit.c.id < at if descending != back else audit.c.id > at)
        order = audit.c.id.desc() if descending != back else audit.c.id.asc()
        wanted = _selected(search.resource_type).where(*conditions)
        rows = self._rows(wanted.order_by(order).limit(search.count + 1))
        more = len(rows) > search.count
        rows = rows[: search.count]
        if back:
            rows = rows[::-1]
        following = more if not back else search.cursor is not None
        before = more if back else search.cursor is not None
        return Page(
            tuple(_made(search.resource_type, row) for row in rows),
            cursors.written([rows[-1][0]]) if rows and following else None,
            total,
            cursors.written([rows[0][0]], back=True) if rows and before else None,
        )

    def _within_time(self, criteria: Sequence[Criterion]) -> list[Condition]:
        """The numbers between which the lines of the times asked for lie."""
        made: list[Condition] = []
        for asked in criteria:
            if asked.parameter not in _TIMES or asked.modifier or len(asked.values) != 1:
                continue
            prefix, span = searched(asked.values[0])
            if prefix in ("eq", "gt", "ge", "sa", "ap"):
                made.append(audit.c.id >= self._first_since(span.low - _LATE))
            if prefix in ("eq", "lt", "le", "eb", "ap"):
                made.append(audit.c.id < self._first_since(span.high + _LATE))
        return made

    def _first_since(self, microseconds: int) -> int:
        """About the number of the first line of this time or later; by halving."""
        ((low, high),) = self._run(_ENDS, ())
        high += 1
        while low < high:
            middle = (low + high) // 2
            found = self._run(_AT, (middle,))
            if not found or found[0][1] >= microseconds:
                high = middle
            else:
                low = found[0][0] + 1
        return int(low)

    def _rows(self, statement: Select[Any]) -> list[Sequence[Any]]:
        return list(self._run(*compiled(statement, self._dialect)))


def _selected(resource_type: str) -> Select[Any]:
    columns: list[ColumnElement[Any]] = [audit.c.id]
    columns += [
        type_coerce(audit.c[name], BigInteger) if name == "recorded" else audit.c[name]
        for name in AUDIT_COLUMNS
    ]
    if resource_type == "Provenance":
        columns.append(version.c.body)
    return _from(resource_type, select(*columns))


def _from(resource_type: str, statement: Select[Any]) -> Select[Any]:
    """A Provenance is of a version that is there: of one that was erased there is none."""
    if resource_type != "Provenance":
        return statement.select_from(audit)
    same = and_(
        version.c.resource_type == audit.c.resource_type,
        version.c.id == audit.c.resource_id,
        version.c.version == audit.c.resource_version,
    )
    wrote = and_(
        audit.c.interaction.in_(list(ACTIVITIES)),
        audit.c.outcome == "0",
        audit.c.patient.is_not(None),
    )
    return statement.select_from(audit.join(version, same)).where(wrote)


def _made(resource_type: str, row: Sequence[Any]) -> Stored:
    number, recorded, *rest = row
    told = Told(moment(recorded), *rest[: len(AUDIT_COLUMNS) - 1])
    is_event = resource_type == "AuditEvent"
    body = audit_event(told) if is_event else provenance(told, bytes(row[-1]))
    return Stored(resource_type, str(number), 1, told.recorded, orjson.dumps(body), told.patient)


def _descending(search: Search) -> bool:
    for name, descending in search.sort:
        parameter = parameter_of(search.resource_type, name)
        if parameter is None or name not in _TIMES:
            raise NotUnderstood(f"{search.resource_type} can be sorted by its time alone.")
        return descending
    return True
