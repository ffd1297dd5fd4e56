"""One running service for all tests of the doors."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.launching import ADA
from tests.support.portal import CLIENT, Portal, running_portal
from tests.support.service import Running, short_form, start
from tests.support.ways import a_patient, offered_form, publish


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A service on SQLite with the short form published."""
    service = start(tmp_path_factory.mktemp("doors"), MAX_BODY_BYTES="200000")
    form = short_form() | {"id": "short-form"}
    reply = service.send("PUT", "/fhir/Questionnaire/short-form", form)
    assert reply.status_code == 201, reply.text
    yield service
    service.close()


@pytest.fixture
def portal() -> Iterator[Portal]:
    with running_portal() as made:
        made.patients["ada"] = ADA
        made.launches["hers"] = {"patient": "ada", "fhirUser": f"{made.base}/Patient/ada"}
        made.launches["staff"] = {
            "patient": "ada",
            "encounter": "visit-1",
            "need_patient_banner": False,
            "fhirUser": f"{made.base}/Practitioner/example",
        }
        yield made


@pytest.fixture
def door(tmp_path: Path, portal: Portal) -> Iterator[Running]:
    running = start(tmp_path, EHR_BASE=portal.base, LAUNCH_CLIENT_ID=CLIENT)
    yield running
    running.close()


@pytest.fixture
def asking(tmp_path: Path) -> Iterator[Running]:
    running = start(tmp_path)
    publish(running, offered_form())
    a_patient(running)
    yield running
    running.close()
