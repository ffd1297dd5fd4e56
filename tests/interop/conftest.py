"""The HAPI server of all tests here: started once, each test with patients of its own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.hapi import Hapi, is_built, running


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All that lies in this folder belongs to ``make interop``."""
    for item in items:
        if "tests/interop/" in item.path.as_posix():
            item.add_marker(pytest.mark.interop)


@pytest.fixture(scope="session")
def hapi(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hapi]:
    if not is_built():
        pytest.fail("the HAPI server is not built: run .ci/interop-needs")
    with running(tmp_path_factory.mktemp("hapi") / "log") as server:
        yield server
