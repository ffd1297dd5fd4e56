"""Installed into an empty environment and run from an empty folder, it is the whole product."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
COPIED = ("pyproject.toml", "constraints.txt", "README.md", "LICENSE")
FOLDERS = ("fhir_service", "questionnaires", "mappings")


def _environment() -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith("FHIR_SERVICE_")}
    for name in ("PYTHONPATH", "VIRTUAL_ENV"):
        kept.pop(name, None)
    return kept


def _run(*command: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        command, cwd=cwd, env=_environment(), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}\n{done.stderr}"
    return done


def _new_environment(place: Path) -> tuple[Path, list[str]]:
    """An empty environment, as the Dockerfile makes it; its Python, and its installer."""
    python = place / "bin" / "python"
    if shutil.which("uv"):
        _run("uv", "venv", "--python", sys.executable, str(place), cwd=place.parent)
        return python, ["uv", "pip", "install", "--python", str(python)]
    _run(sys.executable, "-m", "venv", str(place), cwd=place.parent)
    return python, [str(python), "-m", "pip", "install"]


@pytest.mark.long
def test_the_wheel_alone_runs_the_demo_from_an_empty_folder(tmp_path: Path) -> None:
    sources = tmp_path / "sources"  # only what the Dockerfile copies
    sources.mkdir()
    for name in COPIED:
        shutil.copy(ROOT / name, sources / name)
    for name in FOLDERS:
        shutil.copytree(
            ROOT / name, sources / name, ignore=shutil.ignore_patterns("__pycache__", "*.pyc")
        )
    python, install = _new_environment(tmp_path / "environment")
    _run(*install, "-c", str(sources / "constraints.txt"), str(sources), cwd=tmp_path)
    shutil.rmtree(sources)

    empty = tmp_path / "empty"
    empty.mkdir()
    command = str(python.parent / "fhir-service")
    where = _run(
        str(python), "-c", "import fhir_service; print(fhir_service.__file__)", cwd=empty
    ).stdout
    assert where.startswith(str(tmp_path / "environment"))
    done = _run(command, "demo", "--once", cwd=empty)
    assert "Ada Example" in done.stdout
    _run(command, "check", cwd=empty)
    assert list(empty.iterdir()) == []


@pytest.mark.long
def test_the_wheel_carries_every_file_that_is_no_program(tmp_path: Path) -> None:
    built = tmp_path / "built"
    if shutil.which("uv"):
        _run("uv", "build", "--wheel", "--out-dir", str(built), str(ROOT), cwd=tmp_path)
    else:
        wheel = [sys.executable, "-m", "pip", "wheel", "--no-deps", "-w", str(built)]
        _run(*wheel, str(ROOT), cwd=tmp_path)
    (wheel_file,) = built.glob("*.whl")
    with zipfile.ZipFile(wheel_file) as wheel_zip:
        carried = set(wheel_zip.namelist())
    wanted = {
        f"fhir_service/data/{path.relative_to(ROOT).as_posix()}"
        for folder in ("questionnaires", "mappings")
        for path in (ROOT / folder).rglob("*")
        if path.is_file()
    } | {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "fhir_service").rglob("*")
        if path.is_file() and path.suffix != ".pyc"
    }
    assert wanted - carried == set()
