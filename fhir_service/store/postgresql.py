"""PostgreSQL: a pool of psycopg connections, one transaction for each write.

Two writes of the same version meet at a primary key, so READ COMMITTED is enough; a deadlock is
run again. https://www.postgresql.org/docs/15/transaction-iso.html
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, NoReturn, TypeVar

import psycopg
from sqlalchemy import Engine, create_engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.pool import NullPool

from fhir_service.store.database import (
    Connection,
    Database,
    Rows,
    StoreFault,
    override,
    unavailable,
)

if TYPE_CHECKING:
    from sqlalchemy.pool import PoolProxiedConnection

T = TypeVar("T")

_ATTEMPTS = 6
_AGAIN = ("40001", "40P01")
"""Serialization failure and deadlock: the transaction was rolled back and may be run again."""

_TRANSIENT = ("08", "25006", "53", "55P03", "57", "58")
"""Beginnings of the error codes that pass: connection, read-only, resources, lock, operator."""


class PostgresqlConnection(Connection):
    """A connection of psycopg, which wants ``%s`` where we write ``?``."""

    def __init__(self, driver: psycopg.Connection[Any]) -> None:
        self.driver = driver

    @override
    def run(self, sql: str, values: Sequence[Any] = ()) -> Rows:
        """As Database says."""
        return self.driver.execute(_marked(sql), values)

    @override
    def run_many(self, sql: str, values: Iterable[Sequence[Any]]) -> None:
        """As Database says."""
        with self.driver.cursor() as cursor:
            cursor.executemany(_marked(sql), values)


class _Failed(Exception):
    """A transaction that did not go through; ``again`` when it surely left nothing behind."""

    def __init__(self, cause: psycopg.Error, again: bool) -> None:
        super().__init__()
        self.cause = cause
        self.again = again


class Postgresql(Database):
    """One PostgreSQL database."""

    name: Literal["sqlite", "postgresql"] = "postgresql"

    def __init__(self, url: str, connections: int = 20) -> None:
        super().__init__(url)
        self._address = address(url)
        self._engine = create_engine(
            self._address,
            isolation_level="AUTOCOMMIT",
            pool_size=connections,
            max_overflow=connections,
            pool_timeout=10,
            pool_use_lifo=True,
            connect_args={"connect_timeout": 5},
        )

    @override
    def rows(self, sql: str, values: Sequence[Any] = ()) -> list[Any]:
        """As Database says."""
        marked = _marked(sql)
        for last in (False, True):
            pooled = self._pooled()
            driver = _driver(pooled)
            try:
                return driver.execute(marked, values).fetchall()
            except psycopg.Error as failed:
                if last or not driver.broken:
                    _translate(failed)
                self._lost(pooled)
            finally:
                pooled.close()
        raise unavailable()

    @override
    def write(self, work: Callable[[Connection], T]) -> T:
        """As Database says."""
        for attempt in range(_ATTEMPTS):
            try:
                return self._transaction(work)
            except _Failed as failed:
                if not failed.again or attempt == _ATTEMPTS - 1:
                    _translate(failed.cause)
            time.sleep(random.uniform(0.0, 0.02 * 2**attempt))  # noqa: S311  only spreads out
        raise unavailable()

    @override
    def close(self) -> None:
        """As Database says."""
        self._engine.dispose()

    @override
    def shrink(self) -> None:
        """As Database says."""
        self.rows_of_none("VACUUM resource_version, resource, search_value, outbox, attempt")

    def rows_of_none(self, sql: str) -> None:
        """Run one statement that gives no rows, outside a transaction."""
        pooled = self._pooled()
        try:
            _driver(pooled).execute(sql.encode())
        except psycopg.Error as failed:
            _translate(failed)
        finally:
            pooled.close()

    @override
    def disk(self) -> Mapping[str, float]:
        """As Database says."""
        ((used,),) = self.rows("SELECT pg_database_size(current_database())")
        return {"disk_used_bytes": float(used)}

    @override
    def engine(self) -> Engine:
        """As Database says."""
        return create_engine(self._address, poolclass=NullPool)

    def _transaction(self, work: Callable[[Connection], T]) -> T:
        pooled = self._pooled()
        driver = _driver(pooled)
        committing = False
        try:
            driver.execute(b"BEGIN")
            given = work(PostgresqlConnection(driver))
            committing = True
            if driver.execute(b"COMMIT").statusmessage != "COMMIT":
                raise unavailable()  # a statement had failed, and the work went on regardless
        except psycopg.Error as failed:
            broken = driver.broken
            if broken:
                self._lost(pooled)
            again = failed.sqlstate in _AGAIN or (broken and not committing)
            raise _Failed(failed, again) from None
        else:
            return given
        finally:
            if not driver.closed and driver.info.transaction_status:
                driver.rollback()
            pooled.close()

    def _pooled(self) -> PoolProxiedConnection:
        try:
            return self._engine.raw_connection()
        except (DBAPIError, PoolTimeout, psycopg.Error):
            raise unavailable() from None

    def _lost(self, pooled: PoolProxiedConnection) -> None:
        """The server was away: throw away every connection that is idle, this one too."""
        pooled.invalidate()
        self._engine.dispose()


def address(url: str) -> str:
    """The url as SQLAlchemy wants it, with the driver's name."""
    rest = url.split("://", maxsplit=1)[1]
    return f"postgresql+psycopg://{rest}"


def _driver(pooled: PoolProxiedConnection) -> psycopg.Connection[Any]:
    driver: Any = pooled.driver_connection
    connection: psycopg.Connection[Any] = driver
    return connection


def _marked(sql: str) -> bytes:
    return sql.replace("?", "%s").encode()


def _translate(failed: psycopg.Error) -> NoReturn:
    """Raise ours for an error of the driver, whose own words may quote values."""
    state = failed.sqlstate
    if state is None or state.startswith(_TRANSIENT) or state in _AGAIN:
        raise unavailable() from None
    raise StoreFault(state) from None
