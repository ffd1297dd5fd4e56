"""A database server that goes away is told as such, and found again."""

from __future__ import annotations

from pathlib import Path

import pytest

from fhir_service.fhir.issues import Unavailable
from fhir_service.store.opening import open_desk
from tests.support.databases import NO_SERVER, new_url, running_server
from tests.support.records import keep, response, version

pytestmark = pytest.mark.postgresql

KIND = "QuestionnaireResponse"


def test_what_the_server_can_not_take_is_unavailable_and_later_goes_through(
    tmp_path: Path,
) -> None:
    for server in running_server():
        if server is None:
            pytest.skip(NO_SERVER)
        desk = open_desk(new_url("postgresql", tmp_path, server))
        keep(desk, version("before", response()))
        server.stop()
        with pytest.raises(Unavailable):
            keep(desk, version("during", response()))
        with pytest.raises(Unavailable):
            desk.offers_forms()
        server.start()
        assert desk.reading().read(KIND, "before") is not None
        assert desk.reading().read(KIND, "during") is None
        keep(desk, version("during", response()))
        desk.close()
