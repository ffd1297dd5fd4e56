"""One browser and one service for the tests in a browser; skipped without a browser."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from tests.support.chromium import Address, launched, served, why_not
from tests.support.ways import a_patient, offered_form, publish

if TYPE_CHECKING:
    from playwright.sync_api import Browser


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    missing = why_not()
    if missing is not None:
        pytest.skip(missing)
    with launched() as browser:
        yield browser


@pytest.fixture(scope="session")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Address]:
    """A service with the shipped forms and a short one, and Ada, born on 27 March 1951."""
    folder = tmp_path_factory.mktemp("pages")
    with served(folder, TRIES_PER_ADDRESS="10000") as found:
        found.running.service.publish_shipped()
        publish(found.running, offered_form())
        a_patient(found.running)
        yield found
