"""Run the benchmarks: ``python -m tests.benchmarks [name ...]``.

A benchmark is a module ``bench_<name>.py`` beside this one with a function ``run(report)``.
The exit status is 1 when a goal is missed or a benchmark did not run to its end.
"""

from __future__ import annotations

import importlib
import subprocess
import sys
import time
from pathlib import Path

from tests.benchmarks.reporting import Report

HERE = Path(__file__).parent


def names() -> list[str]:
    """The names of all benchmarks, in order."""
    return sorted(path.stem.removeprefix("bench_") for path in HERE.glob("bench_*.py"))


def main(asked: list[str]) -> int:
    """Run the benchmarks asked for, or all; the exit status."""
    known = names()
    unknown = [name for name in asked if name not in known]
    if unknown:
        sys.stderr.write(f"No benchmark {', '.join(unknown)}. There are: {', '.join(known)}.\n")
        return 2
    report = Report()
    for name in asked or known:
        report.section(name)
        began = time.monotonic()
        try:
            importlib.import_module(f"tests.benchmarks.bench_{name}").run(report)
        except (OSError, RuntimeError, AssertionError, subprocess.SubprocessError) as fault:
            report.failed(name, f"{type(fault).__name__}: {fault}")
        report.note(f"{time.monotonic() - began:.0f} seconds")
    missed = sum(not figure.met for figure in report.figures) + len(report.failures)
    report.section("all goals met" if report.passed else f"{missed} of the goals missed")
    return 0 if report.passed else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
