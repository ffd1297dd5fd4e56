"""The types of our columns, and the one list of tables.

https://docs.sqlalchemy.org/en/20/core/custom_types.html
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Dialect, MetaData, Text
from sqlalchemy.types import TypeDecorator

from fhir_service.fhir.dates import microseconds, moment
from fhir_service.store.database import override


class Instant(TypeDecorator[datetime]):
    """A moment, kept as microseconds since 1970 in UTC: the same, and in order, on any database.

    A time without zone is refused with ValueError; what comes back has the zone UTC.
    """

    impl = BigInteger
    cache_ok = True

    @override
    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        """To the database."""
        del dialect
        return None if value is None else microseconds(value)

    @override
    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        """From the database."""
        del dialect
        return None if value is None else moment(value)


def ordered() -> Text:
    """Text compared sign by sign, so that ranges find beginnings on both databases."""
    return Text().with_variant(Text(collation="C"), "postgresql")


metadata = MetaData()
