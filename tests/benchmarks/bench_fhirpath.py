"""Our FHIRPath engine: HL7's own test file, and its speed beside fhirpathpy.

The file (https://github.com/FHIR/fhir-test-cases, r4/fhirpath) is not part of this repository: the
environment variable FHIRPATH_TESTS names the folder where it lies with its inputs.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from pathlib import Path
from statistics import median
from time import process_time
from typing import Any
from xml.etree import ElementTree

from fhir_service.fhir.fhirpath import (
    Environment,
    ExpressionError,
    ResponseIndex,
    compile_expression,
)
from fhir_service.fhir.fhirpath.dates_times import Temporal
from fhir_service.fhir.fhirpath.nodes import plain, type_of
from fhir_service.fhir.fhirpath.quantity import Quantity
from tests.benchmarks.fhir_xml import read_xml
from tests.benchmarks.reporting import Report
from tests.support.fhirpath import NOW, SDC_EXPRESSIONS, sdc_environment, sdc_response

FOLDER = "FHIRPATH_TESTS"
GOAL_PERCENT = 95.0
GOAL_FASTER = 10.0


@dataclass(frozen=True, slots=True)
class Case:
    """One test of HL7's file. ``invalid`` is empty, or how the expression is wrong."""

    name: str
    expression: str
    file: str
    invalid: str
    outputs: tuple[tuple[str, str], ...]
    strict: bool
    predicate: bool


def run(report: Report) -> None:
    """The share of HL7's tests that pass; then times as ratios to plain fhirpathpy."""
    folder = os.environ.get(FOLDER)
    if folder is None:
        report.note(f"{FOLDER} names no folder: HL7's test file was not run")
    else:
        _conformance(report, Path(folder))
    _speed(report)


def cases(folder: Path) -> list[Case]:
    """The tests of the file, in its order."""
    root = ElementTree.parse(folder / "tests-fhir-r4.xml").getroot()  # noqa: S314
    return [_case(test) for group in root.findall("group") for test in group.findall("test")]


def _case(test: ElementTree.Element) -> Case:
    expression = test.find("expression")
    if expression is None:
        raise AssertionError("a test without an expression")
    return Case(
        name=test.get("name", ""),
        expression=expression.text or "",
        file=test.get("inputfile", ""),
        invalid=expression.get("invalid", ""),
        outputs=tuple((one.get("type", ""), one.text or "") for one in test.findall("output")),
        strict=test.get("mode") == "strict",
        predicate=test.get("predicate") == "true",
    )


def _conformance(report: Report, folder: Path) -> None:
    read: dict[str, Any] = {"": None}
    failed: list[str] = []
    all_cases = cases(folder)
    for case in all_cases:
        if case.file not in read:
            read[case.file] = _input(folder / case.file)
        why = failure(case, read[case.file])
        if why:
            failed.append(f"{case.name}: {' '.join(case.expression.split())}: {why}")
    for line in failed:
        report.note(line)
    share = 100 * (len(all_cases) - len(failed)) / len(all_cases)
    report.figure(f"HL7's {len(all_cases)} tests passed", share, GOAL_PERCENT, "%", at_most=False)


def _input(path: Path) -> Any:
    if path.suffix == ".xml":
        return read_xml(path)
    return json.loads(path.read_text("utf-8"), parse_float=Decimal)


def failure(case: Case, resource: Any) -> str:
    """Why a test does not pass; empty when it does."""
    environment = Environment(resource=resource, now=NOW, strict=case.strict)
    focus = [] if resource is None else [resource]
    try:
        items = compile_expression(case.expression).evaluate_items(focus, environment)
    except ExpressionError as error:
        return "" if case.invalid else f"refused, {error}"
    if case.invalid:
        return f"should be refused ({case.invalid})"
    if case.predicate:
        items = [bool(items)]
    given = [(type_of(one)[1], told(plain(one))) for one in items]
    if len(given) != len(case.outputs):
        return f"gives {given}, not {list(case.outputs)}"
    right = all(
        value == due and (not type_ or type_.lower() == name.lower())
        for (name, value), (type_, due) in zip(given, case.outputs, strict=True)
    )
    return "" if right else f"gives {given}, not {list(case.outputs)}"


def told(value: Any) -> str:
    """A value as the test file writes it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Temporal):
        return ("@T" if value.type == "Time" else "@") + value.written()
    if isinstance(value, Quantity):
        return value.written()
    return f"{value:f}" if isinstance(value, Decimal) else str(value)


def _speed(report: Report) -> None:
    from fhirpathpy import compile as compile_other  # noqa: PLC0415 (costs 100 ms to import)
    from fhirpathpy.models import models  # noqa: PLC0415

    response = sdc_response()
    plain_response = json.loads(json.dumps(response, default=float))
    making = 1e6 * _time(partial(ResponseIndex, response))
    report.note(f"the index of the response takes {making:.0f} us, once for all expressions")
    compiling, evaluating, walking = [], [], []
    for text in SDC_EXPRESSIONS:
        mine = _time(partial(compile_expression, text))
        other = _time(partial(compile_other, text, model=models["r4"]), 0.05)
        compiling.append(other / mine)
        expression, theirs = compile_expression(text), compile_other(text, model=models["r4"])
        variables = {"resource": plain_response, "context": plain_response}
        try:
            their_time = _time(partial(theirs, plain_response, variables), 0.05)
        except (TypeError, AttributeError, NotImplementedError) as fault:
            report.note(f"fhirpathpy can not evaluate {text}: {type(fault).__name__}")
            continue
        indexed, walked = sdc_environment(response), sdc_environment(response, indexed=False)
        mine = _time(partial(expression.evaluate, response, indexed))
        slow = _time(partial(expression.evaluate, response, walked))
        evaluating.append(their_time / mine)
        walking.append(their_time / slow)
        report.note(f"{1e6 * mine:7.1f} us, {1e6 * slow:7.1f} without index: {text[:90]}")
    report.figure(
        "compiling, times faster than fhirpathpy", median(compiling), GOAL_FASTER, "x", False
    )
    report.figure("evaluating, times faster", median(evaluating), GOAL_FASTER, "x", False)
    report.figure("the slowest of them", min(evaluating), None, "x", False)
    report.figure("evaluating without the index", median(walking), None, "x", False)


def _time(act: Callable[[], Any], seconds: float = 0.02) -> float:
    """CPU seconds of one call: the best of three rounds."""
    act()
    best = float("inf")
    for _ in range(3):
        count, began = 0, process_time()
        while (took := process_time() - began) < seconds:
            act()
            count += 1
        best = min(best, took / count)
    return best
