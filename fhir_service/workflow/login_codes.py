"""One-time codes by which the operator lets a member of staff in, where no EHR does.

The first part of a code says which one it is, the rest is its secret: so wrong tries are counted
for that code alone. https://pages.nist.gov/800-63-4/sp800-63b.html
"""

from __future__ import annotations

import hmac
import json
import secrets
from datetime import timedelta
from typing import Final

from fhir_service.workflow import sessions
from fhir_service.workflow.ports import Record, Told
from fhir_service.workflow.session import Begun, Session
from fhir_service.workflow.site import Site

PURPOSE: Final = "login-code"
CLIENT: Final = "login-code"
SCOPE: Final = "user/*.rs"
OUTBOX_SCOPE: Final = "user/*.rs user/QuestionnaireResponse.u"
"""Of who may do something about what the EHR is owed; there is no page to change answers by."""
MINUTES: Final = 10
TRIES: Final = 5
LONGEST_NAME: Final = 100

_LETTERS: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's base 32: no I, L, O, U. https://www.crockford.com/base32.html"""

_SAME: Final = str.maketrans({"I": "1", "L": "1", "O": "0", "-": None, " ": None})
_NAMING, _SECRET, _GROUP = 4, 8, 4


def create(site: Site, name: str, minutes: int = MINUTES, *, outbox: bool = False) -> str:
    """A new code for this person, good once, for so many minutes. Raises Unavailable.

    With ``outbox`` she may act on the outbox page, not only look at it.

    40 bits are secret, and TRIES are allowed: one guess in two hundred thousand million is right.
    """
    now = site.clock.now()

    def work(record: Record) -> str:
        record.one_times.clear(now)
        naming, secret = _letters(_NAMING), _letters(_SECRET)
        mark = _mark(naming)
        record.one_times.take(mark, PURPOSE, now)  # one in a million: an older code named alike
        told = {"secret": secret, "name": name[:LONGEST_NAME], "outbox": outbox}
        details = json.dumps(told).encode()
        expires = now + timedelta(minutes=minutes)
        record.one_times.keep(mark, PURPOSE, site.vault.seal(details, mark), TRIES, expires)
        record.tell(Told(now, "$login-code", client="operator"))
        return _shown(naming + secret)

    return site.desk.write(work)


def redeem(site: Site, typed: str, request_id: str | None = None) -> Begun | None:
    """A staff session for who has a code; None for a wrong, used, expired or locked one."""
    code = typed.upper().translate(_SAME)
    if len(code) != _NAMING + _SECRET or not set(code) <= set(_LETTERS):
        return None
    mark, secret, now = _mark(code[:_NAMING]), code[_NAMING:], site.clock.now()

    def work(record: Record) -> tuple[str, bool] | None:
        sealed = record.one_times.attempt(mark, PURPOSE, now)
        if sealed is None:
            return None
        kept = json.loads(site.vault.open(sealed, mark))
        right = hmac.compare_digest(kept["secret"].encode(), secret.encode())
        if right:
            right = record.one_times.take(mark, PURPOSE, now) is not None
        record.tell(Told(now, "login", CLIENT, "0" if right else "4", request_id=request_id))
        return (str(kept["name"]), bool(kept.get("outbox"))) if right else None

    known = site.desk.write(work)
    if known is None:
        return None
    name, acts = known
    draft = Session(
        reference="",
        kind="staff",
        client=CLIENT,
        scope=OUTBOX_SCOPE if acts else SCOPE,
        created=now,
        idle_until=now,
        expires=now + timedelta(seconds=site.spans.longest),
        user=name,
    )
    return sessions.begin(site, draft)


def _letters(count: int) -> str:
    return "".join(secrets.choice(_LETTERS) for _ in range(count))


def _mark(naming: str) -> bytes:
    return sessions.fingerprint(f"{PURPOSE} {naming}")


def _shown(code: str) -> str:
    """In groups of four, as it is read out."""
    return "-".join(code[at : at + _GROUP] for at in range(0, len(code), _GROUP))
