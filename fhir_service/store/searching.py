"""A search as SQL: conditions, order, one page, and where the next one begins.

Pages are found by the sort values of the last row, so that they stay right while data changes.
http://hl7.org/fhir/R4/search.html
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Select,
    and_,
    func,
    or_,
    select,
    tuple_,
    type_coerce,
)

from fhir_service.fhir.dates import DAY, searched
from fhir_service.fhir.indexing import NEVER
from fhir_service.fhir.issues import NotUnderstood
from fhir_service.fhir.search_parameters import SearchParameter, parameter_of, parameters_of
from fhir_service.fhir.searching import Criterion, Page, Search
from fhir_service.store import cursors
from fhir_service.store.conditions import ROUGH, Condition, condition
from fhir_service.store.rows import Run, compiled, stored
from fhir_service.store.statements import STORED_COLUMNS
from fhir_service.store.tables import resource, search_value, version
from fhir_service.workflow.ports import Stored

if TYPE_CHECKING:
    from sqlalchemy import Dialect

_ROUGHLY_DATED = (
    "SELECT resource_type FROM resource WHERE high - low > 86400000000 AND resource_type >= ? "
    "ORDER BY resource_type LIMIT 1"  # so asked, SQLite takes the small index for it
)
_BEFORE_THE_DATE = ("gt", "ge", "ap")

Order = tuple[ColumnElement[Any], bool]
"""What is sorted by, and whether the highest comes first."""


def search_with(run: Run, dialect: Dialect, search: Search, patient: str | None) -> Page[Stored]:
    """One page of the current, undeleted resources that match. Raises NotUnderstood."""
    conditions = _conditions(run, search, patient)
    total = None
    if search.total:
        ((total,),) = _rows(run, dialect, select(func.count()).where(*conditions))
    if search.count == 0:
        return Page((), None, total)
    order = _order(search)
    at = None
    if search.cursor is not None:
        at = cursors.read(search.cursor, [isinstance(key.type, BigInteger) for key, _ in order])
    back = at is not None and at.back
    going = [(key, not descending) for key, descending in order] if back else order
    after = () if at is None else (_after(going, at.values),)
    page = (
        select(resource.c.id, resource.c.version, *_labelled(going))
        .where(*conditions, *after)
        .order_by(*(_directed(*one) for one in going))
        .limit(search.count + 1)
        .subquery("page")
    )
    rows = _rows(run, dialect, _with_bodies(search.resource_type, page, going))
    more = len(rows) > search.count
    rows = rows[: search.count]
    if back:
        rows = rows[::-1]
    return _paged(rows, total, more if not back else True, more if back else at is not None)


def _paged(
    rows: list[Sequence[Any]], total: int | None, following: bool, before: bool
) -> Page[Stored]:
    """The page of these rows, and whether there are pages on either side of it."""
    size = len(STORED_COLUMNS)
    found = tuple(stored(row[:size]) for row in rows)
    return Page(
        found,
        cursors.written(rows[-1][size:]) if rows and following else None,
        total,
        cursors.written(rows[0][size:], back=True) if rows and before else None,
    )


def _with_bodies(resource_type: str, page: Any, order: Sequence[Order]) -> Select[Any]:
    """The page with its bodies, in its order again."""
    keys = [page.c[f"key{n}"] for n in range(len(order))]
    return (
        select(*(_plain(version.c[name]) for name in STORED_COLUMNS), *keys)
        .join_from(
            page,
            version,
            and_(
                version.c.resource_type == resource_type,
                version.c.id == page.c.id,
                version.c.version == page.c.version,
            ),
        )
        .order_by(*(_directed(key, order[n][1]) for n, key in enumerate(keys)))
    )


def _plain(column: ColumnElement[Any]) -> ColumnElement[Any]:
    """A time as the number it is stored as."""
    is_time = column.key == "last_updated"
    return type_coerce(column, BigInteger) if is_time else column


def _rows(run: Run, dialect: Dialect, statement: Select[Any]) -> list[Sequence[Any]]:
    return list(run(*compiled(statement, dialect)))


def _conditions(run: Run, search: Search, patient: str | None) -> list[Condition]:
    made: list[Condition] = [
        resource.c.resource_type == search.resource_type,
        resource.c.deleted == 0,
    ]
    if patient is not None:
        made.append(resource.c.patient == patient)
    widest = _widest(run, search)
    for asked in search.criteria:
        parameter = _known(search.resource_type, asked.parameter)
        made.append(condition(search.resource_type, parameter, asked, widest))
    return made


def _widest(run: Run, search: Search) -> int:
    """How wide a date can be here: a day, unless something is dated by month or year alone."""
    if not any(_looks_back(search.resource_type, asked) for asked in search.criteria):
        return ROUGH
    rough = run(_ROUGHLY_DATED, (search.resource_type,))
    return ROUGH if rough and rough[0][0] == search.resource_type else DAY


def _looks_back(resource_type: str, asked: Criterion) -> bool:
    """Whether a date that began before the one asked for could match."""
    if _known(resource_type, asked.parameter).column != "date" or asked.modifier:
        return False
    return any(searched(value)[0] in _BEFORE_THE_DATE for value in asked.values)


def _known(resource_type: str, name: str) -> SearchParameter:
    parameter = parameter_of(resource_type, name)
    if parameter is None:
        raise NotUnderstood(f"{resource_type} can not be searched by {name}.")
    return parameter


def _order(search: Search) -> list[Order]:
    """What the result is sorted by, the id last, so that the order is never open."""
    wanted = search.sort or (_usual(search),)
    made: list[Order] = []
    for name, descending in wanted:
        parameter = _known(search.resource_type, name)
        if not parameter.sortable:
            raise NotUnderstood(f"{search.resource_type} can not be sorted by {name}.")
        made.append((_sorted_by(search.resource_type, parameter), descending))
        if parameter.column == "id":
            return made
    return [*made, (resource.c.id, made[-1][1])]


def _usual(search: Search) -> tuple[str, bool]:
    """The newest first, by the date that an index gives for what is asked."""
    names = {asked.parameter for asked in search.criteria}
    dates = [p.name for p in parameters_of(search.resource_type) if p.column == "date"]
    if not dates or ("_lastUpdated" in names and not names & {"patient", "subject", *dates}):
        return "_lastUpdated", True
    return dates[0], True


def _sorted_by(resource_type: str, parameter: SearchParameter) -> ColumnElement[Any]:
    match parameter.column:
        case "id":
            return resource.c.id
        case "last_updated":
            return type_coerce(resource.c.last_updated, BigInteger)
        case "date":
            return resource.c.low
        case "status":
            return func.coalesce(resource.c.status, "")
        case "canonical":
            return func.coalesce(resource.c.canonical, "")
        case _:
            is_date = parameter.kind == "date"
            first = (
                select(func.min(search_value.c.low if is_date else search_value.c.head))
                .where(
                    search_value.c.resource_type == resource_type,
                    search_value.c.parameter == parameter.name,
                    search_value.c.id == resource.c.id,
                )
                .scalar_subquery()
            )
            return func.coalesce(first, NEVER if is_date else "")


def _labelled(order: Sequence[Order]) -> list[ColumnElement[Any]]:
    return [key.label(f"key{n}") for n, (key, _) in enumerate(order)]


def _directed(key: ColumnElement[Any], descending: bool) -> ColumnElement[Any]:
    return key.desc() if descending else key.asc()


def _after(order: Sequence[Order], values: Sequence[Any]) -> Condition:
    """Whether a row comes after the one with these sort values."""
    keys = [key for key, _ in order]
    ways = {descending for _, descending in order}
    if len(ways) == 1:
        both = tuple_(*keys), tuple_(*values)
        return both[0] < both[1] if ways == {True} else both[0] > both[1]
    steps = []
    for n, (key, descending) in enumerate(order):
        beyond = key < values[n] if descending else key > values[n]
        steps.append(and_(*(k == values[i] for i, k in enumerate(keys[:n])), beyond))
    return or_(*steps)
