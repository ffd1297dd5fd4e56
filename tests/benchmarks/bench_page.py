"""What a page for the patient costs the server, as a ratio to Flask with an empty template."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from flask import Flask, render_template
from jinja2 import DictLoader

from tests.benchmarks.reporting import Report
from tests.support.filling import ADA, AtThePage, at_the_page
from tests.support.patient import PREVISIT
from tests.support.service import start

GOAL: Final = 12
OK: Final = 200
SEE_OTHER: Final = 303
STEPS: Final = (1, 2, 3, 5, 8, 12)


def run(report: Report) -> None:
    """Measure each kind of step when it is looked at, the check page, and a step that is saved."""
    floor = _floor()
    report.note(f"a Flask page of an empty template: {floor * 1e3:.2f} ms of CPU")
    with tempfile.TemporaryDirectory() as folder:
        running = start(Path(folder), PATIENT_REQUESTS_PER_MINUTE="0")
        running.service.publish_shipped()
        running.send("PUT", "/fhir/Patient/ada-example", ADA)
        ada = at_the_page(running, PREVISIT)
        costs = {f"step {n}": _best(_look(ada, str(n))) for n in STEPS}
        costs["check your answers"] = _best(_look(ada, "check"))
        for name, cost in costs.items():
            report.figure(f"pre-visit form, {name}, to an empty page", cost / floor, GOAL)
        turn = iter(range(10_000))

        def save() -> None:
            reply = ada.send(
                "5", {"how-you-feel/overall-health": str(next(turn) % 2)}, go="update"
            )
            if reply.status_code != SEE_OTHER:
                raise RuntimeError(f"a step was not saved: {reply.status_code}")

        first = int(ada.stored()["meta"]["versionId"])
        saved = _best(save) - costs["step 5"]
        made = int(ada.stored()["meta"]["versionId"]) - first
        if made < next(turn) - 1:
            raise RuntimeError(f"only {made} versions were stored")
        report.figure("pre-visit form, a step saved as a new version", saved / floor, None)
        running.close()


def _look(ada: AtThePage, below: str) -> Callable[[], object]:
    def look() -> None:
        reply = ada.client.get(f"{ada.base}/{below}")
        if reply.status_code != OK:
            raise RuntimeError(f"{below}: {reply.status_code}, so this is no page")

    return look


def _floor() -> float:
    app = Flask("floor")
    app.jinja_loader = DictLoader({"empty.html": ""})  # compiled once, as ours are
    app.add_url_rule("/", "empty", lambda: render_template("empty.html"))
    client = app.test_client()
    return _best(lambda: client.get("/"))


def _best(work: Callable[[], object], times: int = 5, rounds: int = 12) -> float:
    """Seconds of CPU of this thread and all others for one run, the best of some rounds."""
    best = float("inf")
    for _ in range(rounds):
        began = time.process_time()
        for _ in range(times):
            work()
        best = min(best, (time.process_time() - began) / times)
    return best
