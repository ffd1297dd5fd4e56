"""One running service for all tests of the doors."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.service import Running, short_form, start


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A service on SQLite with the short form published."""
    service = start(tmp_path_factory.mktemp("doors"), MAX_BODY_BYTES="200000")
    form = short_form() | {"id": "short-form"}
    reply = service.send("PUT", "/fhir/Questionnaire/short-form", form)
    assert reply.status_code == 201, reply.text
    yield service
    service.close()
