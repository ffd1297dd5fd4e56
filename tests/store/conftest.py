from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from fhir_service.store.opening import StoreDesk
from tests.support.databases import Server, new_url, opened, running_server


@pytest.fixture(scope="session")
def server() -> Iterator[Server | None]:
    yield from running_server()


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def url(request: pytest.FixtureRequest, tmp_path: Path, server: Server | None) -> str:
    return new_url(request.param, tmp_path, server)


@pytest.fixture
def desk(url: str) -> Iterator[StoreDesk]:
    yield from opened(url)
