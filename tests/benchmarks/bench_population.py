"""$populate and $extract beside CSIRO's engines: the same form, the same data, one machine."""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

from fhir_service.sdc import compile_form
from fhir_service.sdc.extraction import extract
from fhir_service.sdc.population import Context, fill
from fhir_service.sdc.population.leaving_out import sound
from tests.benchmarks.reporting import Report
from tests.support import csiro
from tests.support.previsit_record import RECORD

FORM = (
    Path(__file__).resolve().parents[2]
    / "questionnaires"
    / "previsit-recurrent-breast"
    / "Questionnaire-1.0.0.json"
)
NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
GOAL = 0.5
WARM_UP = 30
TIMES = 40
ROUNDS = 3
QUERIES = {
    "Medications": "MedicationRequest",
    "Statements": "MedicationStatement",
    "Procedures": "Procedure",
    "Conditions": "Condition",
    "Imaging": "ImagingStudy",
    "Before": "QuestionnaireResponse",
}


def run(report: Report) -> None:
    """CPU of ours against that of CSIRO's in a warmed-up node."""
    if not csiro.is_installed():
        report.note(csiro.MISSING)
        return
    form = json.loads(FORM.read_text("utf-8"))
    with tempfile.TemporaryDirectory() as name:
        _populate(report, form, Path(name))
        _extract(report, form, Path(name))


def _populate(report: Report, form: dict[str, Any], folder: Path) -> None:
    compiled = compile_form(form)
    contexts = [Context(name, (one,)) for name, one in RECORD.items()]

    def ours() -> None:
        made = fill(compiled, now=NOW, subject="Patient/ada", contexts=contexts)
        sound(compiled, made, now=NOW)

    answers = {start: RECORD[name] for name, start in QUERIES.items()}
    job = {"questionnaire": form, "patient": RECORD["patient"], "answers": answers}
    _compared(report, "$populate of the pre-visit form", ours, folder, does="populate", **job)


def _extract(report: Report, form: dict[str, Any], folder: Path) -> None:
    compiled = compile_form(form)
    response = ten_medicines()
    made = extract(compiled, response, recorded=NOW)
    if len(made.bundle["entry"]) != TEN + 1:
        raise RuntimeError("ten resources and their Provenance were to be extracted")
    job = {"questionnaire": form, "response": response}
    _compared(
        report,
        "$extract of ten resources",
        lambda: extract(compiled, response, recorded=NOW),
        folder,
        does="extract",
        **job,
    )


TEN = 10


def ten_medicines() -> dict[str, Any]:
    """A response with ten medicines, each with a name, a dose and a reason."""

    def text(link_id: str, words: str) -> dict[str, Any]:
        return {"linkId": link_id, "answer": [{"valueString": words}]}

    medicines = [
        {
            "linkId": "medicine",
            "item": [
                text("medicine-name", f"Medicine {number}"),
                text("medicine-dose", "1 pill a day"),
                text("medicine-reason", "made up"),
            ],
        }
        for number in range(TEN)
    ]
    return {
        "resourceType": "QuestionnaireResponse",
        "id": "r1",
        "status": "completed",
        "subject": {"reference": "Patient/ada"},
        "authored": "2026-11-25T10:00:00Z",
        "author": {"reference": "Patient/ada"},
        "item": [{"linkId": "medicines", "item": medicines}],
    }


def _compared(
    report: Report, what: str, ours: Callable[[], object], folder: Path, **job: Any
) -> None:
    ratios = []
    for _ in range(ROUNDS):
        theirs = csiro.run(folder, warm_up=WARM_UP, times=TIMES, **job)["cpu_milliseconds"]
        mine = _cpu_milliseconds(ours)
        report.note(f"{what}: ours {mine:.2f} ms, CSIRO's {theirs:.2f} ms of CPU")
        ratios.append(mine / theirs)
    report.figure(f"{what}: CPU against CSIRO's engine", median(ratios), GOAL)


def _cpu_milliseconds(work: Callable[[], object]) -> float:
    for _ in range(WARM_UP):
        work()
    before = time.process_time()
    for _ in range(TIMES):
        work()
    return (time.process_time() - before) / TIMES * 1000
