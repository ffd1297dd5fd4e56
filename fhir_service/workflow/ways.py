"""What lets somebody in, as it lies in the record: links without login, and what is good once.

The store keeps hashes of tokens and codes, never the tokens. Every change is part of a transaction
of the record, together with its audit line.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True)
class KeptLink:
    """A link as it is kept.

    ``questionnaire`` is url|version, ``response`` the id of its one response.

    ``uses_left`` counts how often it can still be opened, ``tries_left`` wrong dates of birth
    before it is locked. ``made_by`` is the client that asked for it. Times are UTC.
    """

    id: str
    patient: str
    questionnaire: str
    response: str
    made_by: str
    created: datetime
    expires: datetime
    uses_left: int
    tries_left: int
    language: str | None = None
    task: str | None = None
    revoked: datetime | None = None

    def state(self, now: datetime) -> str:
        """open, revoked, expired, locked (too many wrong dates) or used (opened often enough)."""
        if self.revoked is not None:
            return "revoked"
        if self.expires <= now:
            return "expired"
        if self.tries_left <= 0:
            return "locked"
        return "open" if self.uses_left > 0 else "used"


class LinkReader(Protocol):
    """Finding links."""

    def find(self, id_: str) -> KeptLink | None:
        """The link with this id, whatever its state."""

    def of_patient(self, patient: str) -> Sequence[KeptLink]:
        """All links of a patient, newest first."""

    def task_of(self, patient: str, response: str) -> str | None:
        """The id of the Task that a link to this response was made for."""

    def newest(self, count: int) -> Sequence[KeptLink]:
        """The newest links of everybody."""


class LinkRecord(LinkReader, Protocol):
    """Changing links, in a transaction."""

    def keep(self, fingerprint: bytes, link: KeptLink) -> None:
        """Keep a new link."""

    def attempt(self, fingerprint: bytes, now: datetime) -> KeptLink | None:
        """Count one try; the link as it is then, None where there is none that is open.

        Two who try at the same time are counted one after the other.
        """

    def opened(self, id_: str, tries: int) -> None:
        """Count one use; the next has all its tries again."""

    def revoke(self, id_: str, now: datetime) -> bool:
        """Close it for good, with its sessions; whether it was not closed before."""


class OneTimes(Protocol):
    """What is good once and soon gone, in a transaction."""

    def keep(
        self, fingerprint: bytes, purpose: str, details: bytes, tries: int, expires: datetime
    ) -> None:
        """Keep one."""

    def clear(self, now: datetime) -> None:
        """Remove what has expired."""

    def take(self, fingerprint: bytes, purpose: str, now: datetime) -> bytes | None:
        """Its details, and it is gone; None where there is none that is good."""

    def attempt(self, fingerprint: bytes, purpose: str, now: datetime) -> bytes | None:
        """Its details, one try counted; None where there is none, or no try is left."""
