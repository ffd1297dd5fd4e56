"""One line of the audit, before it is an AuditEvent.

http://hl7.org/fhir/R4/auditevent.html
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal


@dataclass(frozen=True, slots=True)
class Told:
    """One line of the audit: who did what to which resource. No answer, no name stands in it.

    ``interaction`` is FHIR's (create, read, search-type, ...) or an operation's name with ``$``;
    ``outcome`` is 0 success, 4 refused, 8 failed, as AuditEvent.outcome has it, and ``reason``
    the key of the finding then. ``query`` is a search without what could name anybody. ``user``
    is who is at the screen, where that is known; ``address`` the network address. ``sources`` are
    the references, with spaces between, of what a thing was made from, by ``software``.
    http://hl7.org/fhir/R4/auditevent.html
    """

    recorded: datetime
    interaction: str
    client: str
    outcome: Literal["0", "4", "8"] = "0"
    token: str | None = None
    patient: str | None = None
    resource_type: str | None = None
    resource_id: str | None = None
    resource_version: int | None = None
    request_id: str | None = None
    query: str | None = None
    reason: str | None = None
    user: str | None = None
    address: str | None = None
    sources: str | None = None
    software: str | None = None
