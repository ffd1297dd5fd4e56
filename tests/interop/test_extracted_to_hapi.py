"""What is extracted goes to the EHR where asked for: valid, once, about her alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from fhir_service.fhir.issues import Conflict
from fhir_service.store.deliveries import StoredLedger
from fhir_service.store.outbox import entries
from fhir_service.workflow.send_extracted import Sent, send_extracted
from tests.interop.test_deliver_to_hapi import example, know, send, serving, work
from tests.support.hapi import Hapi
from tests.support.service import Running


def sent(running: Running, **changes: Any) -> Sent:
    service = running.service
    assert service.site.ehr is not None
    ledger = StoredLedger(service.store, service.site.clock.now, "tests")
    one = list(entries(service.store))[-1]
    statement = changes.get("statement") or service.site.ehr.capabilities()
    return send_extracted(service.site, service.target(), statement, ledger, one)


def refused(running: Running, **changes: Any) -> str:
    with pytest.raises(Conflict) as told:
        sent(running, **changes)
    return told.value.says


def test_what_is_extracted_is_there_once_and_valid(tmp_path: Path, hapi: Hapi) -> None:
    know(hapi, "extracted")
    with serving(tmp_path, hapi, "hapi") as running:
        send(running, example("previsit-recurrent-breast", "extracted"))
        assert work(running) == [("delivered", None)]
        first = sent(running)
        assert first.created > 10
        assert "sent already" in refused(running)
        found = hapi.search("Observation", "patient=extracted")
        assert len(found) > 5
        for one in [*found, *hapi.search("MedicationStatement", "patient=extracted")]:
            assert hapi.validate(one) == []
            assert one["subject"] == {"reference": "Patient/extracted"}
        database = running.service.store.database
        database.write(
            lambda c: c.run("UPDATE attempt SET result = 'unknown' WHERE route = 'extracted'")
        )
        again = sent(running)
        assert (again.created, again.found) == (0, first.created - 1)
        assert len(hapi.search("Observation", "patient=extracted")) == len(found)


def test_a_target_or_ehr_that_takes_none_is_told_before_anything_is_sent(
    tmp_path: Path, hapi: Hapi
) -> None:
    know(hapi, "none-taken")
    with serving(tmp_path, hapi, "hapi") as running:
        send(running, example("previsit-recurrent-breast", "none-taken"))
        rest: dict[str, Any] = {"mode": "server", "resource": []}
        assert "declares no transaction" in refused(running, statement={"rest": [rest]})
        rest = {"mode": "server", "interaction": [{"code": "transaction"}], "resource": []}
        assert "can not be created" in refused(running, statement={"rest": [rest]})
    assert hapi.search("Observation", "patient=none-taken") == []
