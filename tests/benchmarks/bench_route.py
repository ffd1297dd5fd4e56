"""Storing one checked response against a route that only parses and stores."""

from __future__ import annotations

import tempfile
from pathlib import Path

from tests.benchmarks import forty
from tests.benchmarks.client import a_post
from tests.benchmarks.measuring import a_submission, cost, middle, publish_form
from tests.benchmarks.processes import floor, service, token
from tests.benchmarks.reporting import Report

ROUNDS = 7
TIMES = 400
WARM_UP = 300


def run(report: Report) -> None:
    """CPU of the server process for one response, over HTTP, as a ratio to the floor.

    Rounds of the two alternate, so that other work on the machine meets both.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with floor(folder) as bare, service(folder) as full:
            allowed = token(folder)
            publish_form(full, allowed)
            plain = a_post("/keep", forty.body(forty.response()))
            checked = a_submission(allowed)
            cost(bare, plain, WARM_UP, 201)
            cost(full, checked, WARM_UP, 201)
            for connections in (1, 16):
                floors, costs = [], []
                for _ in range(ROUNDS):
                    floors.append(cost(bare, plain, TIMES, 201, connections))
                    costs.append(cost(full, checked, TIMES, 201, connections))
                ratio = middle([c / f for c, f in zip(costs, floors, strict=True)])
                report.note(
                    f"{connections} connections: floor {middle(floors):.2f} ms, "
                    f"checked and stored {middle(costs):.2f} ms of CPU"
                )
                report.figure(
                    f"storing a checked response of 40 answers, {connections} connections, "
                    "CPU against the floor",
                    ratio,
                    2.0,
                )
