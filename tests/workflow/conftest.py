"""A service on a throw-away record, with the shipped forms published."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from fhir_service.settings import read_settings
from fhir_service.wiring import Service, build


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    built = build(read_settings({"FHIR_SERVICE_DATA_DIR": str(tmp_path)}))
    built.publish_shipped()
    yield built
    built.close()
