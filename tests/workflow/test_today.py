"""What the EHR declares is read once a day, kept, and compared; the routes follow it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fhir_service.store.ehr_statements import StoredStatements
from fhir_service.workflow.ehr import EhrTrouble
from fhir_service.workflow.today import Today, changes
from tests.support.delivering import Delivering, delivering, statement
from tests.support.ehr import an_ehr


@pytest.fixture
def at(tmp_path: Path) -> Iterator[Delivering]:
    with an_ehr() as ehr, delivering(tmp_path, ehr, "plain") as made:
        yield made


FIRST, SECOND = "https://a.example.org/token", "https://b.example.org/token"


def today(at: Delivering, told: list[str]) -> Today:
    service = at.running.service
    courier = at.courier()
    return Today(courier.site, service.target(), StoredStatements(service.store), told.extend)


def asked(at: Delivering) -> int:
    return sum(path.endswith("/metadata") for _, path, _, _ in at.ehr.asked)


def resource(said: dict[str, Any], name: str) -> dict[str, Any]:
    found: dict[str, Any] = next(r for r in said["rest"][0]["resource"] if r["type"] == name)
    return found


def test_the_ehr_is_asked_once_a_day_by_all_workers_together(at: Delivering) -> None:
    for _ in range(3):
        assert today(at, []).plan().chosen is not None
    assert asked(at) == 1
    at.clock.later(hours=23)
    today(at, []).plan()
    assert asked(at) == 1
    at.clock.later(hours=2)
    today(at, []).plan()
    assert asked(at) == 2


def test_what_changed_is_told_once_and_the_route_follows(at: Delivering) -> None:
    told: list[str] = []
    at.ehr.smart = {"token_endpoint": FIRST}
    today(at, told).plan()
    assert told == []
    note = resource(at.ehr.statement, "DocumentReference")
    note["interaction"] = [{"code": "read"}]
    note["conditionalCreate"] = False
    at.ehr.statement["software"]["version"] = "9"
    at.ehr.statement["date"] = "2026-12-01"
    at.ehr.smart = {"token_endpoint": SECOND}
    at.clock.later(days=1, hours=1)
    assert today(at, told).plan().chosen is None
    assert set(told) == {
        "DocumentReference: create is gone",
        "DocumentReference: delete is gone",
        "DocumentReference: search-type is gone",
        "DocumentReference: update is gone",
        "DocumentReference: conditional create is gone",
        "software: version was 8.8.1, is 9",
        f"smart-configuration: token_endpoint was {FIRST}, is {SECOND}",
    }
    at.clock.later(days=1, hours=1)
    told.clear()
    today(at, told).plan()
    assert told == []


def test_a_new_date_alone_is_no_change(at: Delivering) -> None:
    told: list[str] = []
    today(at, told).plan()
    at.ehr.statement["date"] = "2026-12-01"
    at.clock.later(days=2)
    today(at, told).plan()
    kept = StoredStatements(at.running.service.store).newest(at.ehr.base, "capabilities", 10)
    assert (told, len(kept)) == ([], 1)


def test_while_the_ehr_can_not_be_asked_what_it_said_last_holds(at: Delivering) -> None:
    today(at, []).plan()
    at.clock.later(days=3)
    at.ehr.answers.append((500, {}, b""))
    assert today(at, []).plan().chosen is not None


def test_an_ehr_that_was_never_asked_and_does_not_answer_is_told(at: Delivering) -> None:
    at.ehr.answers.append((500, {}, b""))
    day = today(at, [])
    for _ in range(3):
        with pytest.raises(EhrTrouble):
            day.plan()
    assert asked(at) == 1
    at.clock.later(seconds=31)
    assert day.plan().chosen is not None
    at.running.service.store.database.write(lambda c: c.run("DELETE FROM ehr_statement"))
    at.send()
    at.ehr.answers.append((500, {}, b""))
    at.work()
    assert at.states() == [("due", "fault:500")]


@pytest.mark.parametrize("name", ["epic", "oracle-health", "hapi"])
def test_a_statement_has_no_change_against_itself(name: str) -> None:
    assert changes("capabilities", statement(name), statement(name)) == []


def test_a_type_that_comes_or_goes_is_told_by_what_it_could() -> None:
    found = changes("capabilities", statement("athenahealth"), statement("meditech"))
    assert "QuestionnaireResponse: update is new" in found
    assert "QuestionnaireResponse: search by encounter is gone" in found
    assert "Communication: create is new" in found
