"""The keys that our tokens are signed with: one in use of each kind, and those that still verify.

A key that was rotated out verifies until the last token signed with it has ended. Every process
reads them anew now and then, and at once when it meets a token signed with a key it does not know.
https://www.rfc-editor.org/rfc/rfc7517
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Literal

from fhir_service.fhir.dates import microseconds
from fhir_service.store.database import Connection, Database

Kind = Literal["EC", "RSA"]
Make = Callable[[Kind], Mapping[str, Any]]

TRUSTED_SECONDS: Final = 10.0
"""How long a process goes by the keys that it has read."""

KEPT: Final = timedelta(days=1)
"""How long a key that is rotated out verifies at least: longer than any token of ours lives."""

_AT_MOST_EVERY_SECONDS = 1.0
_READ = (
    "SELECT jwk FROM signing_key WHERE verifies_until IS NULL OR verifies_until > ?"
    " ORDER BY number DESC"
)
_NUMBER = "SELECT coalesce(max(number), 0) + 1 FROM signing_key"
_INSERT = "INSERT INTO signing_key (number, jwk, created) VALUES (?, ?, ?) ON CONFLICT DO NOTHING"
_IN_USE = "SELECT number, jwk, longest FROM signing_key WHERE verifies_until IS NULL"
_RETIRE = "UPDATE signing_key SET verifies_until = ? WHERE number = ?"
_END = "UPDATE signing_key SET verifies_until = ? WHERE verifies_until > ?"
_LASTS = "UPDATE signing_key SET longest = ? WHERE number = ?"


@dataclass(frozen=True, slots=True)
class _Kept:
    read_at: float
    keys: tuple[Mapping[str, Any], ...]

    def of(self, kind: Kind) -> tuple[Mapping[str, Any], ...]:
        return tuple(key for key in self.keys if key["kty"] == kind)


class TokenKeys:
    """The signing keys in the store; the first of a kind is made when there is none."""

    def __init__(self, database: Database, make: Make, now: Callable[[], datetime]) -> None:
        self._database = database
        self._make = make
        self._now = now
        self._kept = _Kept(0.0, ())

    def all(self) -> tuple[Mapping[str, Any], ...]:
        """The private keys of access tokens (ES256), the one in use first; at least one."""
        return self._of("EC")

    def identity(self) -> Mapping[str, Any]:
        """The private key in use for id_tokens (RS256), which OpenID Connect asks for."""
        return self._of("RSA")[0]

    def published(self) -> tuple[Mapping[str, Any], ...]:
        """Every key that something may be verified with; private members too."""
        return self.all() + self._fresh().of("RSA")

    def look_again(self) -> bool:
        """Read them anew, unless that was done within the last second; whether they changed."""
        before = self._kept
        if time.monotonic() - before.read_at < _AT_MOST_EVERY_SECONDS:
            return False
        return self._read().keys != before.keys

    def rotate(self, *, at_once: bool = False) -> tuple[str, ...]:
        """Sign with new keys from now on; their kids.

        The old ones verify until their last token has ended, or, ``at_once``, none of them more.
        """
        now = self._now()

        def work(connection: Connection) -> tuple[str, ...]:
            kids = []
            for number, jwk, longest in connection.run(_IN_USE).fetchall():
                until = max(microseconds(now + KEPT), longest or 0)
                connection.run(_RETIRE, (microseconds(now) if at_once else until, number))
                (free,) = connection.run(_NUMBER).fetchone()
                kids.append(self._put(connection, json.loads(jwk)["kty"], free))
            if at_once:
                connection.run(_END, (microseconds(now), microseconds(now)))
            return tuple(kids)

        self.all()
        kids = self._database.write(work)
        self._read()
        return kids

    def lasts(self, until: datetime) -> None:
        """Remember that a token signed with the key in use is good until then."""
        kid = self.all()[0]["kid"]

        def work(connection: Connection) -> None:
            for number, jwk, longest in connection.run(_IN_USE).fetchall():
                if json.loads(jwk)["kid"] == kid and (longest or 0) < microseconds(until):
                    connection.run(_LASTS, (microseconds(until), number))

        self._database.write(work)

    def _of(self, kind: Kind) -> tuple[Mapping[str, Any], ...]:
        found = self._fresh().of(kind)
        while not found:  # again where a key of the other kind took the number meanwhile
            self._database.write(lambda connection: self._first(connection, kind))
            found = self._read().of(kind)
        return found

    def _fresh(self) -> _Kept:
        kept = self._kept
        if not kept.keys or time.monotonic() - kept.read_at > TRUSTED_SECONDS:
            kept = self._read()
        return kept

    def _read(self) -> _Kept:
        rows = self._database.rows(_READ, (microseconds(self._now()),))
        self._kept = kept = _Kept(time.monotonic(), tuple(json.loads(jwk) for (jwk,) in rows))
        return kept

    def _first(self, connection: Connection, kind: Kind) -> None:
        """Make one, unless another process was quicker.

        The number is read first: whoever commits after that takes it, or is seen.
        """
        (number,) = connection.run(_NUMBER).fetchone()
        rows = connection.run(_IN_USE).fetchall()
        if not any(json.loads(jwk)["kty"] == kind for _, jwk, _ in rows):
            self._put(connection, kind, number)

    def _put(self, connection: Connection, kind: Kind, number: int) -> str:
        jwk = dict(self._make(kind))
        connection.run(_INSERT, (number, json.dumps(jwk), microseconds(self._now())))
        return str(jwk["kid"])
