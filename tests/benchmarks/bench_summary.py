"""The oncologist's summary: facts, text, page, PDF and card, each to what stands beside it."""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

import orjson

from fhir_service.fhir.reading import read_stored
from fhir_service.render.html import html
from fhir_service.render.pdf import Printer
from fhir_service.render.text import text
from fhir_service.sdc.compiled import Form
from fhir_service.sdc.responses import skim
from fhir_service.summary.facts import Source, Summary, summarise
from tests.benchmarks.processes import cpu_seconds_of
from tests.benchmarks.reporting import Report
from tests.support.cds import PATIENT_VIEW, a_call, a_cds_service
from tests.support.service import Running
from tests.support.summaries import ADA, FORMS, PREVISIT, example, followed, form, mapping, typical

OK: Final = 200
NOW: Final = datetime(2026, 11, 20, 16, 0, tzinfo=UTC)
ZONE: Final = ZoneInfo("America/Chicago")
PRINTED: Final = 6
CALLS: Final = 60


def run(report: Report) -> None:
    """Measure one full response, the three forms of one visit, the sheets, and a call's card."""
    _facts(report, "pre-visit form, every question answered", FORMS[:1])
    _facts(report, "all three forms of a visit", FORMS)
    _paper(report)
    with tempfile.TemporaryDirectory() as folder:
        running = a_cds_service(Path(folder))
        _card(report, running)
        running.close()


def _facts(report: Report, what: str, names: tuple[str, ...]) -> None:
    """From the bytes as stored, each time anew; a JSON parse of the same bytes is one."""
    bodies = {
        name: json.dumps(example(name, "everything"), default=float).encode() for name in names
    }
    sent = {name: orjson.dumps(orjson.loads(body)) for name, body in bodies.items()}
    summary = _summary(sent)
    best = _best_of(
        {
            "parse": (lambda: [orjson.loads(body) for body in sent.values()], 20),
            "facts": (lambda: _summary(sent), 2),
            "text": (lambda: text(summary), 2),
            "html": (lambda: html(summary), 2),
        }
    )
    parse = best["parse"]
    size = sum(map(len, sent.values()))
    report.note(f"{what}: {size} bytes, parsed in {parse * 1e6:.0f} microseconds")
    report.figure(f"{what}: facts, to a JSON parse", best["facts"] / parse, 40)
    both = (best["text"] + best["html"]) / parse
    report.figure(f"{what}: text and page together, to a JSON parse", both, 40)


def _summary(bodies: Mapping[str, bytes]) -> Summary:
    sources = [
        _source(form(name), body, number) for number, (name, body) in enumerate(bodies.items())
    ]
    return summarise(sources, mapping(), patient=ADA, now=NOW, zone=ZONE)


def _source(form: Form, body: bytes, number: int) -> Source:
    items = skim(body).items
    return Source(form, read_stored(body), f"response-{number}", 1, NOW, items=items)


def _paper(report: Report) -> None:
    """Both print the same page; CPU of the print process, which is started before.

    Each time of another patient: what typst has set before, it knows.
    """
    from weasyprint import HTML  # noqa: PLC0415  of the tests alone, and slow to import

    for what, summary in (("typical", typical()), ("with history", followed())):
        page = html(summary)
        with Printer() as printer:
            printer.pdf(typical("minimal"))
            process = printer._process
            if process is None:
                raise RuntimeError("there is no print process")
            ours = theirs = float("inf")
            for number in range(PRINTED):
                another = replace(summary, patient_line=f"Ada {number}", made=_later(number))
                began = time.process_time() + cpu_seconds_of(process.pid)
                printer.pdf(another)
                spent = time.process_time() + cpu_seconds_of(process.pid) - began
                ours = min(ours, spent)
                began = time.process_time()
                HTML(string=page).write_pdf()
                theirs = min(theirs, time.process_time() - began)
        report.note(f"{what}: WeasyPrint takes {theirs:.2f} s of CPU, typst {ours:.3f} s")
        report.figure(f"PDF of the {what} summary, to WeasyPrint's", ours / theirs, 1 / 8)


def _later(days: int) -> datetime:
    return NOW + timedelta(days=days)


def _card(report: Report, running: Running) -> None:
    """Over HTTP, authorization and trail included: a hook's call to a read of the response."""
    query = f"questionnaire={form(PREVISIT).canonical}"
    found = json.loads(running.send("GET", f"/fhir/QuestionnaireResponse?{query}").data)
    id_ = found["entry"][0]["resource"]["id"]
    token = running.token()
    calls = iter([a_call() for _ in range(CALLS + 1)])

    def send() -> None:
        reply = running.client.post(PATIENT_VIEW, **next(calls))
        if reply.status_code != OK or not json.loads(reply.data)["cards"]:
            raise RuntimeError(f"no card came: {reply.status_code} {reply.text[:300]}")

    def read() -> None:
        if (
            running.send("GET", f"/fhir/QuestionnaireResponse/{id_}", token=token).status_code
            != OK
        ):
            raise RuntimeError("the response was not read")

    send()
    best = _best_of({"card": (send, 1), "read": (read, 1)}, CALLS)
    report.note(f"a read of the response: {best['read'] * 1e3:.2f} ms of CPU")
    report.figure(
        "a card from the store, to a read of the response", best["card"] / best["read"], 3
    )


def _best_of(
    works: Mapping[str, tuple[Callable[[], object], int]], rounds: int = 40
) -> dict[str, float]:
    """Seconds of CPU for one run of each, the best of many rounds, in which they take turns."""
    best = dict.fromkeys(works, float("inf"))
    for _ in range(rounds):
        for name, (work, times) in works.items():
            began = time.process_time()
            for _ in range(times):
                work()
            best[name] = min(best[name], (time.process_time() - began) / times)
    return best
