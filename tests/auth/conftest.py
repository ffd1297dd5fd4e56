"""One running service with two backends."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from fhir_service.smart.assertions import public_client_keys
from tests.support.service import Running, short_form, start
from tests.support.smart import key, register


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A service with the short form, the client ``backend`` and the client ``other``."""
    service = start(tmp_path_factory.mktemp("auth"))
    form = short_form() | {"id": "short-form"}
    assert service.send("PUT", "/fhir/Questionnaire/short-form", form).status_code == 201
    register(service, "backend")
    others = public_client_keys([key("ec-other") | {"kid": "other"}])
    register(service, "other", jwks=others)
    yield service
    service.close()
