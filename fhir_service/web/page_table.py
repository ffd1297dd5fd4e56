"""The pages for people at a browser: who may open each. An address that is not here is no page.

The guard asks for the session that stands here, and for a CSRF token with everything but GET and
HEAD, before the view is called. A test walks all routes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

Who = Literal["patient", "staff", "open"]


@dataclass(frozen=True, slots=True)
class Page:
    """Who may open a page: a patient's session, a staff session, or everybody.

    ``most_bytes``: how much it takes, where that is not MAX_BODY_BYTES.
    ``csrf`` False: it is sent to by another site, and has its own proof (a one-time state).
    """

    who: Who
    most_bytes: int | None = None
    csrf: bool = True


PAGES: Final[dict[str, Page]] = {
    "logout": Page("open"),
    "link": Page("open"),
    "login": Page("open"),
    "launch": Page("open"),
    "launch-callback": Page("open"),
    "authorize": Page("open", csrf=False),
    "consent": Page("open"),
    "outbox": Page("staff"),
    "outbox-entry": Page("staff"),
    "forms": Page("patient"),
    "forms-start": Page("patient"),
    "forms-step": Page("patient", most_bytes=12 * 1024 * 1024),
    "forms-check": Page("patient"),
    "forms-later": Page("patient"),
    "forms-decline": Page("patient"),
    "forms-sent": Page("patient"),
    "forms-copy": Page("patient"),
    "forms-copy-pdf": Page("patient"),
    "forms-style": Page("patient"),
    "summaries": Page("staff"),
    "summary-sheet": Page("staff"),
    "summary-answers": Page("staff"),
    "summary-pdf": Page("staff"),
    "summary-text": Page("staff"),
}
"""By the endpoint of the route; each part of the service adds its own lines."""

BY_TOKEN_TOO: Final = frozenset({"outbox", "outbox-entry"})
"""Of these the pages that a program may ask for as well: with a bearer token, not a session."""

PAGE_PLACES: Final = ("/forms/", "/summary/", "/link/", "/launch/", "/login/", "/logout/")
"""Below these an address that does not exist is answered with a page: nothing else lies there."""
