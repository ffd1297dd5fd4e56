"""Our private keys at the EHR; two generations are good, so that a rotation hurts nobody.

https://hl7.org/fhir/smart-app-launch/client-confidential-asymmetric.html
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from fhir_service.fhir.dates import microseconds, moment
from fhir_service.store import statements
from fhir_service.store.database import Connection
from fhir_service.store.opening import StoreDesk

GENERATIONS = 2

SETTLED = timedelta(hours=1)
"""How long a new key is published before it signs: an EHR may remember our keys so long."""

Make = Callable[[], Mapping[str, Any]]


class EhrKeys:
    """The keys in the store that sign with one algorithm; ``make`` gives a new one."""

    def __init__(
        self, desk: StoreDesk, algorithm: str, make: Make, now: Callable[[], datetime]
    ) -> None:
        self._desk = desk
        self._algorithm = algorithm
        self._make = make
        self._now = now

    def published(self) -> tuple[Mapping[str, Any], ...]:
        """The private JWKs whose public halves the EHR may meet, newest first; at least one."""
        return tuple(jwk for jwk, _ in self._kept())

    def signing(self) -> Mapping[str, Any]:
        """The newest key that the EHR has had time to learn; the only one, while there is one."""
        kept = self._kept()
        settled = [jwk for jwk, made in kept if made <= self._now() - SETTLED]
        return settled[0] if settled else kept[-1][0]

    def rotate(self) -> str:
        """Make a new key; its kid. It is published at once, and signs an hour later."""
        self._kept()
        jwk = dict(self._make())
        self._desk.database.write(lambda connection: self._put(connection, jwk))
        return str(jwk["kid"])

    def _kept(self) -> list[tuple[Mapping[str, Any], datetime]]:
        found = self._read()
        if not found:
            jwk = dict(self._make())
            self._desk.database.write(lambda connection: self._first(connection, jwk))
            found = self._read()
        return found

    def _read(self) -> list[tuple[Mapping[str, Any], datetime]]:
        rows = self._desk.database.rows(statements.EHR_KEYS)
        kept = [(json.loads(jwk), moment(created)) for jwk, created in rows]
        return [(jwk, at) for jwk, at in kept if jwk["alg"] == self._algorithm][:GENERATIONS]

    def _first(self, connection: Connection, jwk: Mapping[str, Any]) -> None:
        """Keep it, unless another process was quicker."""
        rows = connection.run(statements.EHR_KEYS).fetchall()
        if not any(json.loads(kept)["alg"] == self._algorithm for kept, _ in rows):
            self._put(connection, jwk)

    def _put(self, connection: Connection, jwk: Mapping[str, Any]) -> None:
        number = connection.run("SELECT coalesce(max(number), 0) FROM ehr_key").fetchone()[0] + 1
        values = (number, json.dumps(dict(jwk)), microseconds(self._now()))
        connection.run(statements.INSERT_EHR_KEY, values)
