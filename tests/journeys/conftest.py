from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.databases import Server, running_server


@pytest.fixture(scope="session")
def server() -> Iterator[Server | None]:
    yield from running_server()
