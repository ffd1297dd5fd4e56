"""INTEGRATING.md does what it says: each of its lines, in order, against a running service."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.serving import ROOT, Served, environment, free_port

PAGE = ROOT / "fhir_service" / "INTEGRATING.md"
RESPONSE = ROOT / "questionnaires" / "doctor-questions" / "responses" / "typical.json"
CODES = "https://fhir-service.example.org/fhir"


def blocks() -> list[str]:
    """What is to be typed, block by block."""
    return re.findall(r"```sh\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)


def test_every_operation_has_its_line() -> None:
    from fhir_service.web.table import OFFERS, SYSTEM_OPERATIONS  # noqa: PLC0415

    text = "\n".join(blocks())
    offered = {o.name for offer in OFFERS for o in offer.operations}
    offered |= {o.name for o in SYSTEM_OPERATIONS}
    missing = {name for name in offered if f"\\${name}" not in text}
    assert missing == set()


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not there")
def test_every_line_works_as_it_stands(tmp_path: Path) -> None:
    port = free_port()
    base = f"http://127.0.0.1:{port}"
    env = environment(DATA_DIR=str(tmp_path / "data"), BASE_URL=base)
    here = tmp_path / "here"
    here.mkdir()
    given = {
        "BASE": base,
        "RESPONSE": str(RESPONSE),
        "VALUE_SET": f"{CODES}/ValueSet/yes-no",
        "CODE_SYSTEM": f"{CODES}/CodeSystem/previsit",
        "FORM": f"{CODES}/Questionnaire/coping-support|1.0.0",
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
    }
    script = "set -eu\n" + "\n".join(blocks())
    with Served(port, tmp_path / "log", env):
        done = subprocess.run(
            ["bash", "-c", script],
            cwd=here,
            env=env | given,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
    assert done.returncode == 0, (done.stderr[-1500:], done.stdout[-1500:])
    assert '"resourceType":"CapabilityStatement"' in done.stdout
    assert '"active":true' in done.stdout
