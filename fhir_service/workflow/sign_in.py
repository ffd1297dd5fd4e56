"""Who is it that asks: a token verified once, then remembered until it expires."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from threading import Lock

from joserfc.jwk import KeySet

from fhir_service.fhir.issues import NotSignedIn
from fhir_service.smart import tokens
from fhir_service.workflow.caller import Caller
from fhir_service.workflow.ports import Clock, Ids
from fhir_service.workflow.site import Keys, Site

_MOST = 4096
_LONGEST_TOKEN = 8192


@dataclass(frozen=True, slots=True)
class Door:
    """The verified tokens of one process. ``issuer`` is the address that tokens are made for."""

    keys: Keys
    clock: Clock
    ids: Ids
    issuer: str
    _known: dict[bytes, tokens.Claims]
    _sets: dict[tuple[str, ...], KeySet]
    _lock: Lock

    @classmethod
    def of(cls, site: Site) -> Door:
        """The door of this site."""
        return cls(site.keys, site.clock, site.ids, site.base_url, {}, {}, Lock())

    def caller(
        self, token: str, request_id: str | None = None, language: str | None = None
    ) -> Caller:
        """Who holds this access token, and reads this language. Raises NotSignedIn."""
        if len(token) > _LONGEST_TOKEN:
            raise NotSignedIn("The access token is longer than any that is given out here.")
        fingerprint = sha256(token.encode("utf-8", "surrogateescape")).digest()
        now = self.clock.now()
        claims = self._known.get(fingerprint)
        if claims is None or claims.expires <= now.timestamp():
            claims = tokens.verify(token, self._key_set(), now=now)
            self._remember(fingerprint, claims)
        return Caller(claims.client, claims.jti, claims.access, request_id, language)

    def new_token(
        self, scope: str, patient: str | None, lifetime_seconds: int, client: str = "operator"
    ) -> str:
        """A new access token. Raises NotUnderstood when the scope can not be granted."""
        return tokens.issue(
            self.keys.all()[0],
            issuer=self.issuer,
            client=client,
            scope=scope,
            patient=patient,
            now=self.clock.now(),
            lifetime_seconds=lifetime_seconds,
            jti=self.ids.new(),
        )

    def _key_set(self) -> KeySet:
        keys = self.keys.all()
        kids = tuple(str(key["kid"]) for key in keys)
        if kids not in self._sets:
            self._sets.clear()
            self._sets[kids] = tokens.key_set(keys)
        return self._sets[kids]

    def _remember(self, fingerprint: bytes, claims: tokens.Claims) -> None:
        with self._lock:
            if len(self._known) >= _MOST:
                self._known.clear()  # refilled at one signature check each
            self._known[fingerprint] = claims
