"""Another WSGI server can run the service: it takes its settings from the environment."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from fhir_service.web.wsgi import application


def test_the_application_is_ready_when_it_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FHIR_SERVICE_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("FHIR_SERVICE_BASE_URL", "https://answers.example.org")
    client = application().test_client()
    assert client.get("/readyz").status_code == 200
    metadata = json.loads(client.get("/fhir/metadata").data)
    assert metadata["implementation"]["url"] == "https://answers.example.org/fhir"
