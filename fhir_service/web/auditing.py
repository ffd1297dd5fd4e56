"""Every access leaves its line in the audit: what a request did, by its route and by what it met.

A write has its line in its own transaction; the line of all else is made here, once the answer is
known, for every endpoint that is not open to everybody. A new route is audited without a word of
its own; a test walks all routes. https://profiles.ihe.net/ITI/BALP/content.html
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from threading import Lock
from typing import Final, Literal

from fhir_service.fhir.audit_lines import Told as Line
from fhir_service.fhir.dates import searched
from fhir_service.fhir.issues import Unavailable
from fhir_service.fhir.search_parameters import parameter_of
from fhir_service.web.guard import OPEN
from fhir_service.web.told import Told
from fhir_service.workflow import telling
from fhir_service.workflow.site import Site

NOBODY: Final = "nobody"
"""The client in the line of a request without a good token."""

MOST_OF_NOBODY: Final = 100
"""Lines a minute, in one process, of requests without a good token; the rest is only counted.

Whoever has no token could fill the disk otherwise.
"""

_INTERACTIONS: Final = {
    "read": "read",
    "vread": "vread",
    "history": "history-instance",
    "history of the type": "history-type",
    "history of the system": "history-system",
    "search": "search-type",
    "search by POST": "search-type",
    "create": "create",
    "update": "update",
    "conditional update": "update",
    "delete": "delete",
}
SHAPING: Final = frozenset(
    {
        "_count",
        "_elements",
        "_include",
        "_revinclude",
        "_since",
        "_sort",
        "_summary",
        "_total",
    }
)
"""The parameters that say what a page of results looks like."""

Outcome = Literal["0", "4", "8"]

_NUMBERED = frozenset({"_count"})
_WORDS = frozenset({"true", "false", "text", "data", "count", "accurate", "none", "estimate"})
_WITHHELD = "*"
_REFUSED, _FAILED, _NOT_BUILT = 400, 500, 501


class Auditing:
    """Writes the line of a request that has been answered."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._lock = Lock()
        self._minute, self._of_nobody = 0, 0

    def tell(self, account: Told) -> None:
        """The audit lines of this request, unless its endpoint is open or it has them already."""
        if account.endpoint in OPEN:
            return
        refused = account.status >= _REFUSED
        caller = account.caller
        if caller is not None and caller.trail.told and not refused:
            return
        interaction, kind = interaction_of(account.endpoint)
        reason = account.findings[0].key if account.findings and refused else None
        outcome: Outcome = "0"
        if refused:
            failed = account.status >= _FAILED and account.status != _NOT_BUILT
            outcome = "8" if failed else "4"
        try:
            if caller is None:
                self._without_token(account, interaction, outcome, reason)
                return
            about = (kind, account.resource_id)
            telling.note(
                self._site, caller, interaction, outcome=outcome, reason=reason, about=about
            )
        except Unavailable:
            return  # the guard lets nothing more through until the audit can be written again

    def _without_token(
        self, account: Told, interaction: str, outcome: Outcome, reason: str | None
    ) -> None:
        now = self._site.clock.now()
        if account.client is None and self._too_many(now):
            return
        line = Line(
            now,
            interaction,
            account.client or NOBODY,
            outcome,
            reason=reason,
            request_id=account.request_id,
            address=account.address,
        )
        self._site.desk.note(line)

    def _too_many(self, now: datetime) -> bool:
        with self._lock:
            minute = int(now.timestamp()) // 60
            if minute != self._minute:
                self._minute, self._of_nobody = minute, 0
            self._of_nobody += 1
            return self._of_nobody > MOST_OF_NOBODY


def interaction_of(endpoint: str) -> tuple[str, str | None]:
    """What a route does, as the audit calls it, and the resource type that it does it to.

    FHIR's interaction, ``$`` and the name of an operation, or the endpoint itself.
    """
    kind, _, name = endpoint.partition(" ")
    if name in _INTERACTIONS:
        return _INTERACTIONS[name], kind
    if kind == "operation":
        parts = name.split("/")
        return parts[-1], parts[2] if len(parts) > 3 else None  # noqa: PLR2004  /fhir/Type/$name
    return endpoint.replace(" ", "-"), None


def withheld(resource_type: str, pairs: Iterable[tuple[str, str]]) -> str:
    """A search without what could name anybody: its known parameters, and harmless values.

    Dates but those of birth, numbers and the words of the standard stay; every other value, of
    whatever kind, is a star. BALP asks for the query as it was sent; what a patient is called or
    was born on has no place in an audit that more people read than the record.
    """
    said = []
    for name, value in pairs:
        plain = name.partition(":")[0]
        parameter = parameter_of(resource_type, plain)
        if parameter is None and plain not in SHAPING:
            continue
        harmless = value in _WORDS or (plain in _NUMBERED and value.isdigit() and len(value) < 6)  # noqa: PLR2004  digits
        if parameter is not None and parameter.kind == "date" and plain != "birthdate":
            harmless = _is_date(value)
        said.append(f"{plain}={value if harmless else _WITHHELD}")
    return f"{resource_type}?{'&'.join(said)}" if said else resource_type


def _is_date(value: str) -> bool:
    try:
        searched(value)
    except ValueError:
        return False
    return True
