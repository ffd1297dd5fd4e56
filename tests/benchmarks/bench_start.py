"""From process start to the first answer, and the memory of a worker."""

from __future__ import annotations

import tempfile
from pathlib import Path

from tests.benchmarks.measuring import a_submission, cost, middle, publish_form
from tests.benchmarks.processes import service, token
from tests.benchmarks.reporting import Report

STARTS = 5
TIMES = 1000


def run(report: Report) -> None:
    """CPU seconds until ``/readyz`` answers (all processes), and MiB resident after work."""
    with tempfile.TemporaryDirectory() as name, service(Path(name)):
        report.note("modules compiled by a start that does not count")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with service(folder) as server:
            report.figure(
                "first start ever (database made, forms published), CPU",
                server.cpu_seconds(),
                1.0,
                "s",
            )
        starts = []
        for _ in range(STARTS):
            with service(folder) as server:
                starts.append(server.cpu_seconds())
        report.figure("process start to first answer, CPU", middle(starts), 1.0, "s")
        with service(folder) as server:
            allowed = token(folder)
            publish_form(server, allowed)
            cost(server, a_submission(allowed), TIMES, 201, connections=16)
            sizes = server.resident_mib()
            report.note(f"processes: {', '.join(f'{size:.0f} MiB' for size in sizes)}")
            report.figure(
                "resident memory of the worker after 1,000 responses", sizes[0], 150, "MiB"
            )
