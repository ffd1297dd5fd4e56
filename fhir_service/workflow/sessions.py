"""Browser sessions: begun, found again, ended. The browser holds a random id, we its hash.

https://cheatsheetseries.owasp.org/cheatsheets/Session_Management_Cheat_Sheet.html
"""

from __future__ import annotations

import hmac
import secrets
from base64 import urlsafe_b64encode
from dataclasses import replace
from datetime import timedelta
from hashlib import sha256

from fhir_service.workflow.session import Begun, Kind, Session
from fhir_service.workflow.site import Site

SECRET_BYTES = 32
TOUCH_SECONDS = 60
"""How much later the idle time must end before that is written down again."""


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
    """The synchroniser token of a session: made of its secret, which no other page can read."""
    made = hmac.digest(secret.encode("utf-8", "surrogateescape"), b"csrf", "sha256")
    return urlsafe_b64encode(made).rstrip(b"=").decode()


def is_csrf_token(secret: str, given: str) -> bool:
    """Whether this is the token of the session with this secret."""
    expected = csrf_token_of(secret).encode()
    return hmac.compare_digest(expected, given.encode("utf-8", "surrogateescape"))
