"""The cost of a check by its size: one item takes as long among 10,000 items as among 10."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

from fhir_service.sdc.compiled import compile_form
from fhir_service.sdc.responses import skim
from fhir_service.sdc.validation import validate
from tests.benchmarks.reporting import Report

SIZES = (10, 100, 1_000, 10_000)
WITHIN = 1.2
ITEMS_A_ROUND = 10_000
ROUNDS = 25
GROUP = 5
FORM = "https://fhir-service.example.org/fhir/Questionnaire/benchmark-growth"

Json = dict[str, Any]


def run(report: Report) -> None:
    """Measure forms of that many items, and one small form answered in that many instances."""
    _told(report, "a form that grows", _long_form)
    _told(report, "a group that repeats", _many_instances)
    _told(report, "every item broken", _broken)


def _told(report: Report, name: str, make: Callable[[int], tuple[Json, Json]]) -> None:
    """Dearest to cheapest time for one item, what a check costs without any item taken away."""
    pairs = [make(size) for size in (0, *SIZES)]
    checks = [_check(*pair) for pair in pairs]
    best = [float("inf")] * len(checks)
    for _ in range(ROUNDS):  # all sizes by turns: a busy machine is busy for each of them
        for number, size in enumerate((SIZES[0], *SIZES)):
            times = max(1, ITEMS_A_ROUND // size)
            best[number] = min(best[number], _seconds(checks[number], times))
    each = [(best[n] - best[0]) / size * 1e6 for n, size in enumerate(SIZES, 1)]
    shown = ", ".join(f"{size}: {one:.2f}" for size, one in zip(SIZES, each, strict=True))
    report.note(f"{name}, microseconds for one item of {shown}")
    report.figure(f"{name}, one item of 10,000 to one of 10", each[-1] / each[0], WITHIN)
    report.figure(f"{name}, dearest item to cheapest", max(each) / min(each), None)


def _check(form: Json, response: Json) -> Callable[[], object]:
    compiled, body = compile_form(form), json.dumps(response).encode()
    return lambda: validate(compiled, skim(body))


def _seconds(work: Callable[[], object], times: int) -> float:
    began = time.process_time()
    for _ in range(times):
        work()
    return (time.process_time() - began) / times


def _long_form(size: int) -> tuple[Json, Json]:
    groups = range(size // GROUP)
    asked = [
        {
            "linkId": f"g{n}",
            "type": "group",
            "item": [
                {
                    "linkId": f"g{n}.q{m}",
                    "type": "integer",
                    "text": f"How strong is it at {n}.{m}?",
                    "required": True,
                }
                for m in range(GROUP - 1)
            ],
        }
        for n in groups
    ]
    answered = [
        {
            "linkId": f"g{n}",
            "item": [
                {"linkId": f"g{n}.q{m}", "answer": [{"valueInteger": 4}]} for m in range(GROUP - 1)
            ],
        }
        for n in groups
    ]
    return _form(asked), _response(answered)


def _many_instances(size: int) -> tuple[Json, Json]:
    form, _ = _long_form(GROUP)
    form["item"][0]["repeats"] = True
    _, response = _long_form(size)
    items = json.loads(json.dumps(response.get("item", [])))
    for group in items:
        group["linkId"] = "g0"
        for number, item in enumerate(group["item"]):
            item["linkId"] = f"g0.q{number}"
    return form, _response(items)


def _broken(size: int) -> tuple[Json, Json]:
    form, response = _many_instances(size)
    for group in response.get("item", []):
        for item in group["item"]:
            item["answer"] = [{"valueString": "no number"}]
    return form, response


def _form(items: list[Json]) -> Json:
    made: Json = {"resourceType": "Questionnaire", "url": FORM, "version": "1", "status": "active"}
    return made | ({"item": items} if items else {})


def _response(items: list[Json]) -> Json:
    made: Json = {
        "resourceType": "QuestionnaireResponse",
        "questionnaire": f"{FORM}|1",
        "status": "completed",
        "subject": {"reference": "Patient/benchmark-ada"},
        "authored": "2026-11-20T09:30:00+01:00",
    }
    return made | ({"item": items} if items else {})
