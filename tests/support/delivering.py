"""A service that owes an EHR something, and couriers that deliver with a clock of the test's."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from fhir_service.store.deliveries import Deliveries, attempts
from fhir_service.store.outbox import entries
from fhir_service.workflow.deliver import Courier, Waits
from fhir_service.workflow.outbox import Attempt, Entry
from tests.support.ehr import Ehr
from tests.support.service import Running, answers, short_form, start

STATEMENTS = Path(__file__).resolve().parents[1] / "cases" / "ehr" / "statements"


def statement(name: str) -> dict[str, Any]:
    """A CapabilityStatement of our own writing, after what that EHR declares."""
    found: dict[str, Any] = json.loads((STATEMENTS / f"{name}.json").read_text(encoding="utf-8"))
    return found


PLAIN = """title = "Plain text, found again by its identifier"
[[route]]
kind = "note"
author = "patient"
patient_asserted = true
conditional_create = true
read_back = true
replacement = "relates-to"
withdrawal = "update"
accepted = [200, 201]
type = [{ system = "http://loinc.org", code = "74465-6" }]
[[route.content]]
rendering = "text"
content_type = "text/plain;charset=utf-8"
"""
"""A target without a PDF, which costs a test a second."""


@dataclass
class Clock:
    """A clock that stands still until it is told to go on."""

    time: datetime

    def now(self) -> datetime:
        """The time."""
        return self.time

    def later(self, **span: float) -> None:
        """Go on."""
        self.time += timedelta(**span)


@dataclass
class Delivering:
    """A running service with a form published, an EHR, and a courier."""

    running: Running
    ehr: Ehr
    clock: Clock
    waits: Waits = field(default_factory=Waits)

    def send(self, patient: str = "ada", id_: str | None = None, **changes: Any) -> str:
        """A patient's answers by the real interface; the id of the response."""
        body = {**answers(patient), **changes}
        if id_ is None:
            reply = self.running.send("POST", "/fhir/QuestionnaireResponse", body)
        else:
            body["id"] = id_
            reply = self.running.send("PUT", f"/fhir/QuestionnaireResponse/{id_}", body)
        assert reply.status_code in (200, 201), reply.text
        return str(reply.headers["Location"].split("/QuestionnaireResponse/")[1].split("/")[0])

    def courier(self, worker: str = "one", **changes: Any) -> Courier:
        """A worker with this test's clock, and no chance in its waits."""
        made = self.running.service.courier(worker, lambda _: None)
        site = replace(made.site, clock=self.clock)
        day = self.running.service.today()
        day._site = site
        made = replace(made, site=site, day=day, chance=lambda: 0.0, waits=self.waits)
        return replace(made, outbox=Deliveries(self.running.service.store), **changes)

    def work(self, **changes: Any) -> None:
        """Handle all that is due now."""
        courier = self.courier(**changes)
        while courier.work():
            pass

    def entries(self) -> list[Entry]:
        """The outbox."""
        return list(entries(self.running.service.store))

    def states(self) -> list[tuple[str, str | None]]:
        """State and reason of each entry, in order."""
        return [(one.state, one.reason) for one in self.entries()]

    def ledger(self, number: int) -> list[Attempt]:
        """The attempts of an entry."""
        return list(attempts(self.running.service.store, number))

    def notes(self) -> list[dict[str, Any]]:
        """What lies in the chart."""
        return self.ehr.all("DocumentReference")


@contextmanager
def delivering(
    folder: Path, ehr: Ehr, target: str = "hapi", said: str | None = None, **settings: str
) -> Iterator[Delivering]:
    """A service that owes this EHR, which declares what ``said`` names (as the target, unless)."""
    ehr.statement = statement(said or ("hapi" if target == "plain" else target))
    own = folder / "targets"
    own.mkdir()
    (own / "plain.toml").write_text(PLAIN, encoding="utf-8")
    how = {"EHR_BASE": ehr.base, "EHR_TARGET": target, "EHR_TIMEOUT": "1"}
    how |= {"EHR_REQUESTS_PER_SECOND": "0", "EHR_TARGETS_DIR": str(own)}
    running = start(folder, **how | settings)
    try:
        assert running.send("POST", "/fhir/Questionnaire", short_form()).status_code == 201
        ehr.put({"resourceType": "Patient", "id": "ada", "birthDate": "1951-04-03"})
        now = datetime.now(UTC)
        yield Delivering(running, ehr, Clock(now + timedelta(minutes=5)))
    finally:
        running.close()
