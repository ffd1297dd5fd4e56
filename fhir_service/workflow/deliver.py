"""One delivery: claimed, made ready, sent once, and its end noted, whatever that was.

Nothing is sent twice blindly. What surely was not done is tried again later; what may have been
done is *unknown*: it is looked up at the EHR where that can be, else a person decides. Nothing is
sent after the visit unless a person released it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Protocol

from fhir_service.fhir.issues import Unavailable
from fhir_service.workflow.corrections import Aside
from fhir_service.workflow.ehr import EhrTrouble
from fhir_service.workflow.outbox import (
    HELD_UNTIL,
    Entry,
    LeaseLost,
    Outbox,
    Outcome,
    Sending,
    State,
)
from fhir_service.workflow.parcels import DoesNotFit, WrongPatient
from fhir_service.workflow.plan import Plan
from fhir_service.workflow.preparing import Ready, prepare
from fhir_service.workflow.site import Site
from fhir_service.workflow.targets import Route
from fhir_service.workflow.transport import Drop, Filed, look_up, post, withdraw

BATCH = 10

_FAR = timedelta(days=1)
_SELDOM = 12
"""How much less often an encounter is looked for while the visit is far, or not known."""


class Day(Protocol):
    """What is decided once a day for a target."""

    def plan(self) -> Plan:
        """The routes against what the EHR declares. Raises EhrTrouble when it can not be asked."""


@dataclass(frozen=True, slots=True)
class Waits:
    """How long is waited, in seconds; each wait is stretched by chance up to half as much again.

    ``again`` after the first attempt, doubled each time up to ``longest``; ``looks`` before each
    reading back; ``encounter`` between two looks for an encounter; ``before`` while an earlier
    note of the same visit is on its way.
    """

    again: float = 30.0
    longest: float = 3600.0
    looks: tuple[float, ...] = (60.0, 300.0, 1800.0)
    encounter: float = 300.0
    before: float = 60.0
    lease: float = 600.0


@dataclass(frozen=True, slots=True)
class Courier:
    """One worker. ``chance`` gives a number from 0 to 1; ``drop`` is what a folder route fills.

    ``tell`` is handed each entry with what became of it.
    """

    site: Site
    outbox: Outbox
    day: Day
    worker: str
    chance: Callable[[], float]
    waits: Waits = field(default_factory=Waits)
    drop: Drop | None = None
    most_attempts: int = 200
    tell: Callable[[Entry, Outcome], None] = lambda *_: None

    def work(self, count: int = BATCH) -> int:
        """Handle what is due, at most so much of it; how many entries were handled.

        Raises Unavailable when the store can not be used.
        """
        now = self.site.clock.now()
        claimed = self.outbox.claim(self.worker, self._later(self.waits.lease, now), count, now)
        for one in claimed:
            self.handle(one)
        return len(claimed)

    def handle(self, entry: Entry) -> None:
        """Bring one claimed entry a step further."""
        attempt = None
        found = self._safely(entry)
        if isinstance(found, Ready):
            try:
                found, attempt = self._send(entry, found)
            except LeaseLost:
                return
        if self.outbox.finish(entry, self.worker, found, self.site.clock.now(), attempt):
            self.tell(entry, found)

    def _safely(self, entry: Entry) -> Outcome | Ready:
        """The step; a fault of ours, over an EHR's odd data say, holds this entry and no other."""
        try:
            return self._step(entry, self.site.clock.now())
        except Unavailable:
            raise
        except Exception as fault:  # noqa: BLE001  told by its type; one entry stops no worker
            state: State = "unknown" if entry.state in ("unknown", "sending") else "refused"
            return Outcome(state, HELD_UNTIL, f"fault:{type(fault).__name__}")

    def _step(self, entry: Entry, now: datetime) -> Outcome | Ready:
        """What becomes of it without sending anything, or what is to be sent."""
        if entry.state == "sending":
            return self._unknown("worker-ended", now)
        try:
            return self._looked_at(entry, now)
        except Aside as aside:
            return self._aside(entry, aside, now)
        except EhrTrouble as trouble:
            return self._trouble(entry, trouble, now, sent=False)
        except DoesNotFit:
            return Outcome("refused", HELD_UNTIL, "too-large")
        except WrongPatient as wrong:
            return Outcome("refused", HELD_UNTIL, f"wrong-patient:{wrong}")

    def _looked_at(self, entry: Entry, now: datetime) -> Outcome | Ready:
        chosen = self.day.plan().chosen
        if chosen is None:
            return Outcome("refused", HELD_UNTIL, "no-route")
        if entry.state == "unknown":
            return self._look(entry, chosen.route, now)
        return prepare(self.site, self.outbox, entry, chosen.route, now)

    def _send(self, entry: Entry, ready: Ready) -> tuple[Outcome, int]:
        """The ledger's line first, then the one request, then what came of it."""
        now = self.site.clock.now()
        digest = sha256(ready.body).digest()
        sending = Sending(ready.route.kind, digest, len(ready.body))
        until = self._later(self.waits.lease, now)
        attempt = self.outbox.begin(entry, self.worker, now, until, sending)
        try:
            if ready.withdraws:
                filed = withdraw(self.site, self.drop, ready)
            else:
                filed = post(self.site, self.drop, ready)
        except EhrTrouble as trouble:
            outcome = self._trouble(entry, trouble, self.site.clock.now(), sent=True)
        except Exception as fault:  # noqa: BLE001  it may have been sent
            outcome = self._unknown(f"fault:{type(fault).__name__}", self.site.clock.now())
        else:
            outcome = self._filed(ready, filed)
        return replace(outcome, encounter=ready.parcel.visit.encounter, tried=True), attempt

    def _filed(self, ready: Ready, filed: Filed) -> Outcome:
        now = self.site.clock.now()
        route = ready.route
        known = filed.id is not None or not route.needs_id
        if filed.status not in route.accepted and not ready.withdraws:
            return self._unknown(f"status-{filed.status}", now, filed.status)
        if not known:
            return self._unknown("accepted-without-id", now, filed.status)
        return Outcome(
            "delivered",
            now,
            "withdrawn" if ready.withdraws else None,
            status=filed.status,
            ehr_type=route.resource_type or "folder",
            ehr_id=filed.id,
            ehr_version=filed.version,
        )

    def _look(self, entry: Entry, route: Route, now: datetime) -> Outcome:
        """Ask the EHR whether what was sent is there; only what surely is not is sent again."""
        if not route.read_back:
            return Outcome("unknown", HELD_UNTIL, entry.reason, looks=entry.looks)
        found = look_up(self.site, self.drop, entry, route)
        if found is not None:
            return Outcome(
                "delivered",
                now,
                "found-by-reading-back",
                ehr_type=route.resource_type or "folder",
                ehr_id=found.id,
                ehr_version=found.version,
            )
        looks = entry.looks + 1
        if looks < len(self.waits.looks):
            due = self._later(self.waits.looks[looks], now)
            return Outcome("unknown", due, entry.reason, looks=looks)
        return Outcome(self._to_send(entry), now, "not-found-by-reading-back")

    def _trouble(self, entry: Entry, trouble: EhrTrouble, now: datetime, *, sent: bool) -> Outcome:
        reason = _reason(trouble)
        if entry.state == "unknown":  # a look that did not succeed says nothing
            due = self._later(self._backoff(entry.looks), now)
            return Outcome("unknown", due, entry.reason, looks=entry.looks)
        if trouble.passes or (not sent and not trouble.surely_not_done):
            return self._again(entry, trouble, reason, now)
        if trouble.surely_not_done:
            return Outcome("refused", HELD_UNTIL, reason, trouble.status)
        return self._unknown(reason, now, trouble.status)

    def _again(self, entry: Entry, trouble: EhrTrouble, reason: str, now: datetime) -> Outcome:
        """Try later what surely was not done; give up when that was tried often enough."""
        tried = entry.attempts + 1
        if tried >= self.most_attempts:
            return Outcome("given-up", HELD_UNTIL, reason, trouble.status)
        seconds = max(self._backoff(entry.attempts), trouble.retry_after_seconds or 0.0)
        due = self._later(seconds, now)
        return Outcome(self._to_send(entry), due, reason, trouble.status, tried=True)

    def _unknown(self, reason: str, now: datetime, status: int | None = None) -> Outcome:
        return Outcome("unknown", self._later(self.waits.looks[0], now), reason, status)

    def _aside(self, entry: Entry, aside: Aside, now: datetime) -> Outcome:
        """What preparing found: not now, not any more, or not at all."""
        looks = entry.looks
        if aside.state == "waiting-for-encounter":
            far = aside.deadline is None or aside.deadline - now > _FAR
            seconds = self.waits.encounter * (_SELDOM if far else 1)
            due, looks = self._later(seconds, now), looks + 1
        elif aside.state == "due":
            due = self._later(self.waits.before, now)
        else:
            due = HELD_UNTIL if aside.state in ("refused", "given-up") else now
        state: State = self._to_send(entry) if aside.state == "due" else aside.state
        return Outcome(
            state,
            due,
            aside.reason,
            ehr_id=None,
            encounter=aside.encounter,
            deadline=aside.deadline,
            looks=looks,
        )

    def _to_send(self, entry: Entry) -> State:
        return "released" if entry.released is not None else "due"

    def _backoff(self, times: int) -> float:
        return float(min(self.waits.again * 2 ** min(times, 20), self.waits.longest))

    def _later(self, seconds: float, now: datetime) -> datetime:
        return now + timedelta(seconds=seconds * (1.0 + 0.5 * self.chance()))


def _reason(trouble: EhrTrouble) -> str:
    """A key for the list: what kind, which status, which codes; never a word of the EHR's."""
    parts = [trouble.kind, "" if trouble.status is None else str(trouble.status), *trouble.codes]
    return ":".join(part for part in parts if part)[:200]
