"""Who is it that asks: a token verified once, then remembered until it expires or is revoked."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from json import dumps
from threading import Lock
from typing import Protocol

from joserfc.jwk import KeySet
from joserfc.util import urlsafe_b64encode

from fhir_service.fhir.issues import NotSignedIn
from fhir_service.smart import tokens
from fhir_service.workflow.caller import Caller
from fhir_service.workflow.ports import Clock, Ids
from fhir_service.workflow.site import Keys, Site

REVOKED_TRUSTED_SECONDS = 2.0
"""How long a process goes by the list of revoked tokens that it has read."""

_MOST = 4096
_LONGEST_TOKEN = 8192

Revoked = Callable[[datetime], frozenset[str]]


def nothing_revoked(now: datetime) -> frozenset[str]:
    """No list at all."""
    del now
    return frozenset()


class Outside(Protocol):
    """Another authorization server, whose tokens are taken here."""

    def claims(self, token: str, now: datetime) -> tokens.Claims:
        """What this token says, if it is good. Raises NotSignedIn, NotAllowed, Unavailable."""


@dataclass(slots=True)
class Door:
    """The verified tokens of one process. ``issuer`` is the address that tokens are made for.

    ``revoked`` reads what was revoked before its time. With ``outside`` the tokens of that server
    are taken besides those that the operator makes here.
    """

    keys: Keys
    clock: Clock
    ids: Ids
    issuer: str
    revoked: Revoked = nothing_revoked
    outside: Outside | None = None
    _known: OrderedDict[bytes, tokens.Claims] = field(default_factory=OrderedDict)
    _set: tuple[tuple[str, ...], KeySet, frozenset[str]] | None = None
    _list: tuple[float, frozenset[str]] = (0.0, frozenset())
    _lock: Lock = field(default_factory=Lock)

    @classmethod
    def of(
        cls, site: Site, revoked: Revoked = nothing_revoked, outside: Outside | None = None
    ) -> Door:
        """The door of this site."""
        return cls(site.keys, site.clock, site.ids, site.base_url, revoked, outside)

    def caller(
        self,
        token: str,
        request_id: str | None = None,
        language: str | None = None,
        looking_closer: Callable[[], AbstractContextManager[None]] = nullcontext,
    ) -> Caller:
        """Who holds this access token, and reads this language. Raises NotSignedIn.

        A token that is not known yet is verified within ``looking_closer``; what that raises is
        raised here.
        """
        claims = self.claims(token, looking_closer)
        return Caller(claims.client, claims.jti, claims.access, request_id, language)

    def claims(
        self, token: str, looking_closer: Callable[[], AbstractContextManager[None]] = nullcontext
    ) -> tokens.Claims:
        """What this access token says, if it is good now. Raises NotSignedIn."""
        if len(token) > _LONGEST_TOKEN:
            raise NotSignedIn("The access token is longer than any that is given out here.")
        fingerprint = sha256(token.encode("utf-8", "surrogateescape")).digest()
        now = self.clock.now()
        revoked = self._revoked(now)
        claims = self._known.get(fingerprint)
        if claims is None or claims.expires <= now.timestamp():
            with looking_closer():
                claims = self._verified(token, now)
            self._remember(fingerprint, claims)
        if revoked and not revoked.isdisjoint(claims.marks()):
            raise NotSignedIn("The access token was revoked; ask for a new one.")
        return claims

    def _verified(self, token: str, now: datetime) -> tokens.Claims:
        if self.outside is not None and not self._is_ours(token):
            return self.outside.claims(token, now)
        return tokens.verify(token, self._keys_for(token), now=now)

    def forget_revoked(self) -> None:
        """Read the list of revoked tokens anew at the next request."""
        self._list = (0.0, frozenset())

    def new_token(
        self, scope: str, patient: str | None, lifetime_seconds: int, client: str = "operator"
    ) -> str:
        """A new access token. Raises NotUnderstood when the scope can not be granted."""
        now = self.clock.now()
        made = tokens.issue(
            self.keys.all()[0],
            issuer=self.issuer,
            client=client,
            scope=scope,
            patient=patient,
            now=now,
            lifetime_seconds=lifetime_seconds,
            jti=self.ids.new(),
        )
        if lifetime_seconds > tokens.LONGEST_SECONDS:
            self.keys.lasts(now + timedelta(seconds=lifetime_seconds))
        return made

    def _revoked(self, now: datetime) -> frozenset[str]:
        read_at, revoked = self._list
        at = now.timestamp()
        if not 0 <= at - read_at <= REVOKED_TRUSTED_SECONDS:
            revoked = self.revoked(now)
            self._key_set()  # a key that was ended takes the tokens along that it had verified
            self._list = (at, revoked)
        return revoked

    def _keys_for(self, token: str) -> KeySet:
        """The keys that can have signed it. Raises NotSignedIn for what no key of ours signed.

        A header of ours is one of a few texts, so that rubbish is told from tokens unread.
        """
        if not self._is_ours(token):
            raise NotSignedIn("The access token was not made for this server.")
        return self._key_set()[1]

    def _is_ours(self, token: str) -> bool:
        header = token.partition(".")[0]
        return header in self._key_set()[2] or (
            self.keys.look_again() and header in self._key_set()[2]
        )

    def _key_set(self) -> tuple[tuple[str, ...], KeySet, frozenset[str]]:
        keys = self.keys.all()
        kids = tuple(str(key["kid"]) for key in keys)
        if self._set is None or self._set[0] != kids:
            headers = frozenset(_encoded(tokens.header(kid)) for kid in kids)
            self._set = (kids, tokens.key_set(keys), headers)
            with self._lock:
                self._known.clear()
        return self._set

    def _remember(self, fingerprint: bytes, claims: tokens.Claims) -> None:
        with self._lock:
            while len(self._known) >= _MOST:
                self._known.popitem(last=False)
            self._known[fingerprint] = claims


def _encoded(header: dict[str, str]) -> str:
    return urlsafe_b64encode(dumps(header, separators=(",", ":")).encode()).decode()
