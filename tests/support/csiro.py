"""CSIRO's engines of $populate and template-based $extract, run by node, to compare ours with.

https://www.npmjs.com/package/@aehrc/sdc-populate, @aehrc/sdc-template-extract
"""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

ROOT = Path(__file__).resolve().parents[2]
HERE = ROOT / "tests" / "interop" / "csiro"
INSTALLED = ROOT / ".cache" / "interop" / "csiro"

MISSING = "CSIRO's engines are not installed: run .ci/interop-needs with node and npm 20 or later"

_encode = msgspec.json.Encoder(decimal_format="number").encode


def is_installed() -> bool:
    """Whether node is there, and the packages as tests/interop/csiro/package.json pins them."""
    wanted = (HERE / "package.json").read_bytes()
    has = INSTALLED / "package.json"
    return (
        shutil.which("node") is not None
        and has.is_file()
        and has.read_bytes() == wanted
        and (INSTALLED / "node_modules" / "@aehrc").is_dir()
    )


def run(folder: Path, **job: Any) -> Any:
    """The answer to a job (see engines.cjs): ``result`` and ``cpu_milliseconds`` for each time.

    Raises RuntimeError when the engine fails.
    """
    file = folder / "job.json"
    file.write_bytes(_encode(job))
    node = shutil.which("node") or "node"
    done = subprocess.run(
        [node, str(HERE / "engines.cjs"), str(INSTALLED), str(file)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    said = json.loads(done.stdout or '{"failed": "no answer"}')
    if "failed" in said:
        raise RuntimeError(f"{said['failed']}\n{done.stderr[-2000:]}")
    return said


def populated(
    folder: Path,
    questionnaire: Mapping[str, Any],
    patient: Mapping[str, Any],
    answers: Mapping[str, Any],
) -> Any:
    """What CSIRO's $populate makes: its ``response`` and ``issues``.

    ``answers`` are the results of queries, by what these begin with.
    """
    job = {"questionnaire": questionnaire, "patient": patient, "answers": answers}
    return run(folder, does="populate", **job)["result"]


def extracted(folder: Path, questionnaire: Mapping[str, Any], response: Mapping[str, Any]) -> Any:
    """What CSIRO's template-based $extract makes: its ``extractedBundle``."""
    return run(folder, does="extract", questionnaire=questionnaire, response=response)["result"]
