"""The figures add up over several processes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

COUNT_ONE = """
import sys
from fhir_service.web.metrics import Metrics
metrics = Metrics(lambda: {"outbox_open": 3.0})
metrics.request("GET", "/fhir/Questionnaire", 200, 0.01)
metrics.findings(["answer-missing"])
sys.stdout.buffer.write(metrics.text())
"""


def counted(environ: dict[str, str]) -> str:
    done = subprocess.run(
        [sys.executable, "-c", COUNT_ONE], env=environ, capture_output=True, check=True, text=True
    )
    return done.stdout


def test_one_process_counts_for_itself() -> None:
    environ = {k: v for k, v in os.environ.items() if k != "PROMETHEUS_MULTIPROC_DIR"}
    for _ in range(2):
        told = counted(environ)
        assert 'route="/fhir/Questionnaire",status="200"} 1.0' in told
        assert "fhir_service_outbox_open 3.0" in told


def test_several_processes_are_counted_together(tmp_path: Path) -> None:
    environ = os.environ | {"PROMETHEUS_MULTIPROC_DIR": str(tmp_path)}
    counted(environ)
    told = counted(environ)
    assert 'route="/fhir/Questionnaire",status="200"} 2.0' in told
    assert 'fhir_service_findings_total{key="answer-missing"} 2.0' in told
    assert told.count("fhir_service_outbox_open 3.0") == 1
