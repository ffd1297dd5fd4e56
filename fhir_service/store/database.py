"""What the store asks of a database, whichever it is: rows, and transactions.

https://peps.python.org/pep-0249/
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeVar

from fhir_service.fhir.issues import Unavailable

if TYPE_CHECKING:
    from sqlalchemy import Dialect, Engine
    from typing_extensions import override as override  # noqa: PLC0414  others take it from here
else:

    def override(method: Any) -> Any:
        """Say to type checkers alone that a method replaces another (Python 3.12 has it)."""
        return method


T = TypeVar("T")

Row = Sequence[Any]


class Rows(Protocol):
    """What a statement gave: a cursor of the driver."""

    @property
    def rowcount(self) -> int:
        """How many rows were changed."""

    def fetchall(self) -> list[Any]:
        """All rows."""

    def fetchone(self) -> Any:
        """The next row, or None."""


class Connection(ABC):
    """One connection, in a transaction or reading. Statements have ``?`` marks."""

    @abstractmethod
    def run(self, sql: str, values: Sequence[Any] = ()) -> Rows:
        """Run one statement."""

    @abstractmethod
    def run_many(self, sql: str, values: Iterable[Sequence[Any]]) -> None:
        """Run one statement for each of these rows of values."""


class Database(ABC):
    """One database. Errors of the driver come out as Unavailable or StoreFault."""

    name: Literal["sqlite", "postgresql"]

    def __init__(self, url: str) -> None:
        self.url = url

    @abstractmethod
    def rows(self, sql: str, values: Sequence[Any] = ()) -> list[Any]:
        """What a query finds in what is committed. Raises Unavailable."""

    @abstractmethod
    def write(self, work: Callable[[Connection], T]) -> T:
        """Run ``work`` in one transaction; what it gives, once that is on disk.

        Whatever it raises is raised here and nothing is stored. Raises Unavailable.
        """

    @abstractmethod
    def close(self) -> None:
        """Give back all connections."""

    @abstractmethod
    def shrink(self) -> None:
        """Make what was deleted unreadable in the files too, as far as the database can."""

    @abstractmethod
    def disk(self) -> Mapping[str, float]:
        """disk_used_bytes, and disk_free_bytes where that can be known."""

    @abstractmethod
    def engine(self) -> Engine:
        """A new SQLAlchemy engine on it, for what is rare; the caller disposes of it."""

    @cached_property
    def dialect(self) -> Dialect:
        """How SQLAlchemy writes SQL for it, with ``?`` or ``%s`` marks."""
        return _dialect(self.name)


def _dialect(name: str) -> Dialect:
    if name == "sqlite":
        from sqlalchemy.dialects import sqlite  # noqa: PLC0415  slow to import, see statements.py

        return sqlite.dialect(paramstyle="qmark")
    from sqlalchemy.dialects import postgresql  # noqa: PLC0415  slow to import

    made: Dialect = postgresql.psycopg.dialect(paramstyle="format")  # type: ignore[no-untyped-call]
    return made


class StoreFault(Exception):
    """The database refused for a reason of its own; named by its error code, without any value."""

    def __init__(self, code: str) -> None:
        super().__init__(f"the database refused: {code}")


def unavailable() -> Unavailable:
    """The refusal for what may go well a little later."""
    return Unavailable("The store can not take this now. Nothing was stored; send it again later.")


def sqlite_path(url: str) -> Path:
    """The file of a ``sqlite:///file`` url. Raises ValueError for another url."""
    if not url.startswith("sqlite:///") or len(url) == len("sqlite:///"):
        raise ValueError("a database is named as sqlite:///file or postgresql://…")
    return Path(url.removeprefix("sqlite:///").split("?", maxsplit=1)[0])
