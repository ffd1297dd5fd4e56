"""The outbox as delivery sees it: entries that are claimed for a while, and a ledger of attempts.

An entry is only ever ``sending`` between the ledger's row and its end; a worker that dies there
leaves it so, and whoever finds it asks the EHR before anything else.
https://microservices.io/patterns/data/transactional-outbox.html
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol, get_args

State = Literal[
    "no-target",
    "waiting-for-encounter",
    "due",
    "sending",
    "unknown",
    "released",
    "delivered",
    "refused",
    "given-up",
    "superseded",
]
STATES: tuple[State, ...] = get_args(State)

OPEN: tuple[State, ...] = ("waiting-for-encounter", "due", "sending", "unknown", "released")
"""In these something still has to happen."""

HELD_UNTIL = datetime.fromisoformat("9999-01-01T00:00:00+00:00")
"""When an entry is due that a person has to decide."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that the EHR is owed: the summary of one version of a response.

    ``reason`` is a key that says why it is not delivered, never an answer. After ``deadline`` it
    is not sent, unless a person ``released`` it. ``ehr_type``, ``ehr_id``: where it lies at the
    EHR. ``looks`` counts looks for an encounter, or readings back. ``leased_until``: a worker
    has it until then.
    """

    number: int
    resource_id: str
    resource_version: int
    patient: str
    state: State
    created: datetime
    due: datetime
    attempts: int = 0
    reason: str | None = None
    deadline: datetime | None = None
    released: datetime | None = None
    finished: datetime | None = None
    encounter: str | None = None
    ehr_type: str | None = None
    ehr_id: str | None = None
    ehr_version: str | None = None
    looks: int = 0
    leased_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Who:
    """The person who does something about an entry, as the audit names her."""

    client: str
    user: str | None = None
    token: str | None = None
    request_id: str | None = None
    address: str | None = None


@dataclass(frozen=True, slots=True)
class Attempt:
    """One line of the ledger: when, by which route, how it ended, the hash of what was sent.

    ``ended`` None: nobody knows how it ended. ``result`` is the state that it led to.
    """

    number: int
    began: datetime
    ended: datetime | None
    route: str
    result: str | None
    status: int | None
    reason: str | None
    ehr_id: str | None
    sha256: str
    size: int


@dataclass(frozen=True, slots=True)
class Sending:
    """What is about to be sent."""

    route: str
    sha256: bytes
    size: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """What becomes of an entry. ``None`` leaves what was there.

    ``status`` is the HTTP status of the attempt; ``tried`` counts it as one.
    """

    state: State
    due: datetime
    reason: str | None = None
    status: int | None = None
    ehr_type: str | None = None
    ehr_id: str | None = None
    ehr_version: str | None = None
    encounter: str | None = None
    deadline: datetime | None = None
    looks: int = 0
    tried: bool = False


class LeaseLost(Exception):
    """Another worker has this entry now: nothing may be sent for it."""


class Outbox(Protocol):
    """The outbox; every method is one transaction, and raises Unavailable."""

    def claim(self, worker: str, until: datetime, count: int, now: datetime) -> Sequence[Entry]:
        """Up to so many open entries that are due, leased to this worker until then."""

    def of_patient(self, patient: str) -> Sequence[Entry]:
        """All entries of this patient, in the order that they were owed."""

    def begin(
        self, entry: Entry, worker: str, now: datetime, until: datetime, sending: Sending
    ) -> int:
        """Note in the ledger that it is sent now; the attempt's number. Raises LeaseLost."""

    def finish(
        self,
        entry: Entry,
        worker: str,
        outcome: Outcome,
        now: datetime,
        attempt: int | None = None,
    ) -> bool:
        """Note what became of it, and give it back; False when another worker has it now."""
