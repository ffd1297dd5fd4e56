"""What the use cases need from outside, as Protocols: record, clock, ids.

The store answers them with SQLAlchemy; the tests' desk in memory. A write is a function that is
handed a Record: all that it keeps, tells and owes is stored together, or nothing is.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol, TypeVar

from fhir_service.fhir.audit_lines import Told as Told  # noqa: PLC0414  others take it from here
from fhir_service.fhir.searching import Page, Search
from fhir_service.workflow.ways import LinkReader, LinkRecord, OneTimes

T = TypeVar("T")

Method = Literal["POST", "PUT", "DELETE"]


@dataclass(frozen=True, slots=True)
class Stored:
    """One version of one resource, as it lies in the record.

    ``body`` is as received, byte for byte, without our id and meta (fhir/splice.py puts them in
    when it is served); empty when ``deleted``. ``last_updated`` is UTC, to the millisecond.
    ``patient`` is the id of the Patient in whose compartment it lies, None for what is nobody's.
    """

    resource_type: str
    id: str
    version: int
    last_updated: datetime
    body: bytes
    patient: str | None = None
    method: Method = "POST"
    deleted: bool = False


OwedState = Literal["no-target", "waiting-for-encounter", "due"]


@dataclass(frozen=True, slots=True)
class Owed:
    """A summary that the EHR is owed for one version of a response.

    After ``deadline`` it is not sent any more, unless a person releases it.
    """

    resource_id: str
    resource_version: int
    patient: str
    state: OwedState
    due: datetime
    deadline: datetime | None = None


class Reader(Protocol):
    """Reading the record. Every method that can meet patient data takes ``patient``.

    ``patient`` None means: of anybody (system and staff); an id means: only what lies in that
    patient's compartment, everything else answers as if it were not there.
    """

    @property
    def links(self) -> LinkReader:
        """Links without login, without their tokens."""

    def read(self, resource_type: str, id_: str, patient: str | None = None) -> Stored | None:
        """The current version, deleted ones too; None when there is none the caller may see."""

    def vread(
        self, resource_type: str, id_: str, version: int, patient: str | None = None
    ) -> Stored | None:
        """That version, or None."""

    def history(
        self,
        resource_type: str,
        id_: str,
        patient: str | None = None,
        count: int = 50,
        before_version: int | None = None,
    ) -> Sequence[Stored]:
        """Versions, newest first, those under ``before_version`` where given."""

    def search(self, search: Search, patient: str | None = None) -> Page[Stored]:
        """One page of the current, undeleted resources that match."""

    def open_tasks(self, patient: str) -> Sequence[Stored]:
        """The Tasks of this patient that can still be answered, as they are now."""

    def overdue_tasks(self, now: datetime, count: int) -> Sequence[Stored]:
        """Up to so many open Tasks of which a deadline has passed, of anybody."""

    def stored_between(
        self, resource_type: str, patient: str, low: datetime, high: datetime, count: int
    ) -> Sequence[Stored]:
        """The patient's current, undeleted resources of this type last updated within these times.

        Both included; the newest first, at most so many.
        """

    def changes(
        self,
        reaches: Sequence[tuple[str, str | None]],
        count: int = 50,
        since: datetime | None = None,
        cursor: str | None = None,
    ) -> Page[Stored]:
        """Versions of several types, the newest first, each type of a patient's or of anybody's.

        ``since`` leaves out what is older. Raises NotUnderstood for a cursor that is not ours.
        """

    def canonical(self, resource_type: str, url: str, version: str | None) -> Stored | None:
        """The resource with this url and exactly this version.

        Without version the newest active one, else the newest of any status. None when unknown.
        """


class Record(Reader, Protocol):
    """One transaction."""

    @property
    def links(self) -> LinkRecord:  # type: ignore[explicit-override]
        """Links without login."""

    @property
    def one_times(self) -> OneTimes:
        """What is good once."""

    def keep(self, stored: Stored) -> None:
        """Store this version, make it the current one, and read its search values from its body.

        Raises Conflict when the version is not the next one, or when another active or retired
        resource already has its url and version.
        """

    def claim(self, key: str) -> None:
        """Hold this key until the transaction ends; whoever claims it meanwhile waits for that."""

    def tell(self, told: Told) -> None:
        """Write one audit line."""

    def owe(self, owed: Owed) -> None:
        """Put one delivery into the outbox."""


class Desk(Protocol):
    """The record as a whole."""

    def reading(self) -> Reader:
        """A reader of what is committed."""

    def offers_forms(self) -> bool:
        """Whether the record answers and a form is published. Raises Unavailable."""

    def write(self, work: Callable[[Record], T]) -> T:
        """Run ``work`` in one transaction; what it gives, after the commit is on disk.

        Whatever ``work`` raises is raised here, and then nothing of it is stored. Raises
        Unavailable when the store can not take it now (locked, disk full, connection lost).
        ``work`` may be run again after a serialisation failure, so it does nothing but record.
        """

    def note(self, *told: Told) -> None:
        """Write these audit lines of what changed nothing: soon, together with others.

        Within a fraction of a second they are on disk. Raises Unavailable when so many wait that
        the record must be out of order.
        """


class Clock(Protocol):
    """The time."""

    def now(self) -> datetime:
        """The moment, UTC with its zone, to the millisecond."""


class Ids(Protocol):
    """New ids."""

    def new(self) -> str:
        """An id never given before: 1 to 64 characters of A-Z a-z 0-9 - ."""
