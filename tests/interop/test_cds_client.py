"""A CDS client that we did not write calls our services: Medplum's, as an EHR would.

https://www.medplum.com/docs/sdk/core.medplumclient.callcdsservice, https://cds-hooks.hl7.org/2.0/
"""

from __future__ import annotations

import json
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from fhir_service.smart.assertions import client_assertion, public_client_keys
from tests.support.real_clients import INSTALLED, MISSING, SCRIPTS, Installation, are_installed
from tests.support.serving import Served, environment, free_port

ISS = "https://ehr.example.org/cds"
HOOKS = ("patient-view", "encounter-start", "appointment-book")


def contexts(patient: str) -> dict[str, dict[str, Any]]:
    """What an EHR tells of each hook."""
    seen = {"userId": "Practitioner/example", "patientId": patient}
    booked = {"resourceType": "Bundle", "type": "collection", "entry": []}
    return {
        "patient-view": seen,
        "encounter-start": {**seen, "encounterId": "visit-1"},
        "appointment-book": {**seen, "appointments": booked},
    }


def called(served: Installation, patient: str) -> dict[str, Any]:
    """What Medplum's client was told: the services, and the answer of each."""
    tokens = {
        hook: client_assertion(
            served.key,
            client_id=ISS,
            audience=f"{served.base}/cds-services/{hook}",
            jti=str(uuid4()),
            now=int(time.time()),
        )
        for hook in HOOKS
    }
    said = (json.dumps(tokens), json.dumps(contexts(patient)))
    node = shutil.which("node") or "node"
    done = subprocess.run(
        [node, str(SCRIPTS / "cds.cjs"), str(INSTALLED), served.base, *said],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    found: dict[str, Any] = json.loads(done.stdout or "{}")
    assert "failed" not in found, (found, done.stderr[-2000:])
    return found


@pytest.mark.skipif(not are_installed(), reason=MISSING)
def test_medplum_finds_the_services_and_gets_their_cards(tmp_path: Path) -> None:
    port = free_port()
    served = Installation(f"http://127.0.0.1:{port}", tmp_path)
    with Served(port, tmp_path / "log", environment(DATA_DIR=str(tmp_path), BASE_URL=served.base)):
        served.fill()
        jwks = tmp_path / "cds.json"
        jwks.write_text(json.dumps(public_client_keys([served.key])))
        scope = ("--scope", "system/QuestionnaireResponse.rs", "--jwks", str(jwks))
        served.command("client", "add", ISS, "--cds-hooks", *scope)
        found = called(served, "ada")
        assert {one["hook"] for one in found["services"]} == set(HOOKS)
        assert [one["id"] for one in found["calls"]] == [one["id"] for one in found["services"]]
        for call in found["calls"]:
            assert call["request"]["prefetch"] == {}  # what its own builder sends
            (card,) = call["answer"]["cards"]
            assert 0 < len(card["summary"]) < 140
            assert card["links"][-1]["url"].startswith(f"{served.base}/summary/")
        nobody = called(served, "nobody")
        assert [one["answer"] for one in nobody["calls"]] == [{"cards": []}] * len(HOOKS)
