"""Rows as they come from a driver, and what they are to the use cases.

https://peps.python.org/pep-0249/
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from fhir_service.fhir.dates import moment
from fhir_service.workflow.ports import Stored

if TYPE_CHECKING:
    from sqlalchemy import Dialect, Select

Run = Callable[[str, Sequence[Any]], Sequence[Sequence[Any]]]
"""Runs a query with ``?`` marks and gives its rows."""


def stored(row: Sequence[Any]) -> Stored:
    """A row of statements.STORED_COLUMNS as the use cases know it."""
    resource_type, id_, version, last_updated, body, patient, method, deleted = row
    return Stored(
        resource_type,
        id_,
        version,
        moment(last_updated),
        bytes(body),
        patient,
        method,
        bool(deleted),
    )


def compiled(statement: Select[Any], dialect: Dialect) -> tuple[str, list[Any]]:
    """A query of SQLAlchemy's as text with marks, and its values in their order."""
    made = statement.compile(dialect=dialect, compile_kwargs={"render_postcompile": True})
    values = made.construct_params()
    positions: Sequence[str] = getattr(made, "positiontup", None) or ()
    return str(made), [values[name] for name in positions]
