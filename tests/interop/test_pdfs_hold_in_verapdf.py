"""Our PDFs are sound PDF/UA-1 by veraPDF, which is not what made them.

https://docs.verapdf.org/validation/
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Final

import pypdf
import pytest

from fhir_service.render.pdf import Printer
from fhir_service.summary.patient_copy import CopyRow, CopySection, PatientCopy, Question
from tests.support.random_summaries import HOSTILE, a_case
from tests.support.serving import ROOT
from tests.support.sheets import NAMES, summary_named

VERA: Final = ROOT / ".cache" / "interop" / "verapdf"
COPY: Final = PatientCopy(
    language="es",
    made=datetime(2026, 11, 25, tzinfo=UTC),
    title="Mi resumen",
    name="Ada Example",
    sent="Enviado",
    reviewed="Nadie lo ha revisado",
    watch="Nadie lo vigila",
    asks="Lo que quiero preguntar",
    questions=(Question("¿Volvió mi cáncer?", 1), Question(" ".join(HOSTILE[:6]), 2)),
    room="Espacio",
    answers="Lo que contesté",
    form="Un formulario",
    sections=(CopySection("Cómo estoy", (CopyRow("¿Cómo?", HOSTILE[:4], "sin respuesta"),)),),
)


def judged(files: list[Path]) -> list[str]:
    """What veraPDF says of each file."""
    if not (VERA / "classes" / "Judge.class").exists():
        pytest.skip("veraPDF could not be fetched by Maven")
    command = ["java", "-cp", f"{VERA}/lib/*:{VERA}/classes", "Judge", *map(str, files)]
    ran = subprocess.run(command, capture_output=True, text=True, check=True, timeout=300)
    return [line.partition(": ")[2] for line in ran.stdout.splitlines()]


def printed() -> Iterator[bytes]:
    random = Random(3)
    with Printer() as printer:
        yield printer.patient_copy(COPY)
        for name in NAMES:
            yield printer.pdf(summary_named(name))
        for _ in range(10):
            yield printer.pdf(a_case(random).summary)


def test_every_pdf_of_ours_is_sound_and_a_bare_one_is_not(tmp_path: Path) -> None:
    files = []
    for number, made in enumerate(printed()):
        files.append(tmp_path / f"{number}.pdf")
        files[-1].write_bytes(made)
    bare = tmp_path / "bare.pdf"
    writer = pypdf.PdfWriter()
    writer.add_blank_page(200, 200)
    writer.write(bare)
    *ours, other = judged([*files, bare])
    assert [one for one in ours if not one.startswith("sound ")] == []
    assert len(ours) == len(NAMES) + 11
    assert other.startswith("6.2-1 ")
