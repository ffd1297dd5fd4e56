"""Browser sessions: begun, found again, ended. The browser holds a random id, we its hash.

https://cheatsheetseries.owasp.org/cheatsheets/Session_Management_Cheat_Sheet.html
"""

from __future__ import annotations

import hmac
import re
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import replace
from datetime import timedelta
from hashlib import sha256

from fhir_service.workflow.session import Begun, Kind, Session
from fhir_service.workflow.site import Site

SECRET_BYTES = 32
TOUCH_SECONDS = 60
"""How much later the idle time must end before that is written down again."""

_CSRF = re.compile(r"[A-Za-z0-9_-]{86}")
"""Twice SECRET_BYTES."""


def fingerprint(secret: str) -> bytes:
    """What is kept of a secret: its SHA-256. The secret is random, so no salt is needed."""
    return sha256(secret.encode("utf-8", "surrogateescape")).digest()


def new_secret() -> str:
    """256 random bits, as 43 letters that may stand in an address or a cookie."""
    return secrets.token_urlsafe(SECRET_BYTES)


def begin(site: Site, draft: Session) -> Begun:
    """Begin a session; its reference and its times are set here, but never later than its draft's.

    Raises Unavailable.
    """
    now, secret = site.clock.now(), new_secret()
    expires = min(draft.expires, now + timedelta(seconds=site.spans.longest))
    session = replace(
        draft,
        reference=f"session-{fingerprint(secret).hex()[:16]}",
        created=now,
        idle_until=min(now + site.spans.idle(draft.kind), expires),
        expires=expires,
    )
    site.sessions.begin(fingerprint(secret), session)
    return Begun(session, secret)


def find(site: Site, secret: str, kind: Kind) -> Session | None:
    """The session of this secret, its idle time begun anew; None for any that is not good."""
    if not 0 < len(secret) <= 2 * SECRET_BYTES:
        return None
    mark, now = fingerprint(secret), site.clock.now()
    session = site.sessions.find(mark, now)
    if session is None or session.kind != kind:
        return None
    idle_until = min(now + site.spans.idle(kind), session.expires)
    if idle_until - session.idle_until < timedelta(seconds=TOUCH_SECONDS):
        return session
    site.sessions.touch(mark, idle_until)
    return replace(session, idle_until=idle_until)


def csrf_token_of(secret: str) -> str:
    """The synchroniser token of a session: made of its secret, which no other page can read.

    Each is masked by random bits of its own, so that the length of a compressed page says nothing
    of it. https://www.breachattack.com
    """
    mask = secrets.token_bytes(SECRET_BYTES)
    masked = _both(_proof(secret), mask)
    return urlsafe_b64encode(mask + masked).rstrip(b"=").decode()


def is_csrf_token(secret: str, given: str) -> bool:
    """Whether this is a token of the session with this secret."""
    if not _CSRF.fullmatch(given):
        return False
    bits = urlsafe_b64decode(f"{given}==")
    return hmac.compare_digest(_both(bits[:SECRET_BYTES], bits[SECRET_BYTES:]), _proof(secret))


def _proof(secret: str) -> bytes:
    return hmac.digest(secret.encode("utf-8", "surrogateescape"), b"csrf", "sha256")


def _both(one: bytes, two: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(one, two, strict=True))
