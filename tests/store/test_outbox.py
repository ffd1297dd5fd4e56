"""What is owed can be looked at."""

from __future__ import annotations

import pytest

from fhir_service.fhir.issues import Conflict
from fhir_service.store.opening import StoreDesk
from fhir_service.store.outbox import entries, entry
from fhir_service.workflow.ports import Owed
from tests.support.records import NOON, response, submit, version


def test_entries_come_oldest_first_and_by_state(desk: StoreDesk) -> None:
    for id_ in ("a", "b"):
        submit(desk, version(id_, response()))
    desk.write(lambda record: record.owe(Owed("c", 1, "ada", "no-target", NOON)))
    assert [(one.resource_id, one.state) for one in entries(desk)] == [
        ("a", "due"),
        ("b", "due"),
        ("c", "no-target"),
    ]
    (only,) = entries(desk, "no-target")
    assert entry(desk, only.number) == only
    assert (only.created, only.due, only.attempts, only.reason) == (NOON, NOON, 0, None)
    assert list(entries(desk, "sent")) == []
    for nobody in (0, -1, 10**6, 2**70):
        assert entry(desk, nobody) is None


def test_the_same_version_is_not_owed_twice(desk: StoreDesk) -> None:
    submit(desk, version("a", response()))
    with pytest.raises(Conflict):
        desk.write(lambda record: record.owe(Owed("a", 1, "ada", "due", NOON)))
