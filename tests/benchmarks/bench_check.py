"""Checking a response in process, from bytes to findings, as ratios to a bare JSON parse."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path

import orjson

from fhir_service.fhir.issues import NotUnderstood
from fhir_service.sdc.compiled import Form, compile_form
from fhir_service.sdc.responses import decode, skim
from fhir_service.sdc.validation import validate
from tests.benchmarks import forty, ten
from tests.benchmarks.reporting import Report

PREVISIT = Path("questionnaires/previsit-recurrent-breast")


def run(report: Report) -> None:
    """Measure 40 questions, the whole pre-visit form, and each kind of break."""
    form = compile_form(forty.form())
    good = json.dumps(forty.response(), ensure_ascii=False, separators=(",", ":")).encode()
    parse, check = _best(lambda: orjson.loads(good)), _best(lambda: _check(form, good))
    report.note(f"{len(good)} bytes, parsed in {parse * 1e6:.0f} microseconds")
    decoding = _best(lambda: decode(good))
    report.figure("40 questions, decoding alone, to a JSON parse", decoding / parse, None)
    report.figure("40 questions, decoding and checking, to a JSON parse", check / parse, 4)
    _with_fhir_resources(report, good, check)
    for name, body in forty.breaks().items():
        cost = _best(lambda body=body: _check(form, body))  # type: ignore[misc]
        report.figure(f"broken ({name}) to sound", cost / check, 2)
    _with_expressions(report)
    raw = json.loads((PREVISIT / "Questionnaire-1.0.0.json").read_bytes())
    previsit = compile_form(raw)
    typical = (PREVISIT / "responses/typical.json").read_bytes()
    parse, check = _best(lambda: orjson.loads(typical)), _best(lambda: _check(previsit, typical))
    report.figure("pre-visit form, typical response, to a JSON parse", check / parse, 4)
    compiling = _best(lambda: compile_form(raw), 2, 20)
    report.figure("compiling the pre-visit form, to one check", compiling / check, 50)


def _with_fhir_resources(report: Report, body: bytes, check: float) -> None:
    """fhir.resources reads the same bytes, and knows nothing of the form."""
    from fhir.resources.R4B.questionnaireresponse import (  # noqa: PLC0415  heavy
        QuestionnaireResponse,
    )

    reading = _best(lambda: QuestionnaireResponse.model_validate_json(body), 1, 30)
    report.figure(
        "fhir.resources parsing the same, to our check", reading / check, 20, at_most=False
    )


def _with_expressions(report: Report) -> None:
    form = compile_form(ten.form())
    body = json.dumps(ten.response(), ensure_ascii=False, separators=(",", ":")).encode()
    parse, check = _best(lambda: orjson.loads(body)), _best(lambda: _check(form, body))
    report.figure("40 questions with ten expressions, to a JSON parse", check / parse, 10)


def _check(form: Form, body: bytes) -> None:
    try:
        validate(form, skim(body))
    except NotUnderstood as refusal:
        if not refusal.issues:
            raise RuntimeError("refused without a finding") from refusal


def _best(work: Callable[[], object], times: int = 20, rounds: int = 100) -> float:
    """Seconds of CPU for one run, the best of many rounds: the machine has other things to do."""
    best = float("inf")
    for _ in range(rounds):
        began = time.process_time()
        for _ in range(times):
            work()
        best = min(best, (time.process_time() - began) / times)
    return best
