"""A refused response against an accepted one, for each kind of break."""

from __future__ import annotations

import tempfile
from pathlib import Path

from tests.benchmarks import forty
from tests.benchmarks.client import send
from tests.benchmarks.measuring import a_submission, cost, middle, publish_form
from tests.benchmarks.processes import service, token
from tests.benchmarks.reporting import Report

ROUNDS = 5
TIMES = 150
WARM_UP = 300


def run(report: Report) -> None:
    """CPU of the server process for one refusal, as a ratio to one response that is stored.

    Each kind is measured between two measures of the accepted response. A refusal is any answer
    of 4xx; one of 2xx or 5xx fails the run.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with service(folder) as server:
            allowed = token(folder)
            publish_form(server, allowed)
            good = a_submission(allowed)
            cost(server, good, WARM_UP, 201)
            for kind, body in forty.breaks().items():
                bad = a_submission(allowed, body)
                (status,) = send(server.port, bad, 20).statuses
                if not 400 <= status < 500:
                    report.failed(kind, f"answered {status}")
                    continue
                ratios = []
                for _ in range(ROUNDS):
                    accepted = cost(server, good, TIMES, 201)
                    refused = cost(server, bad, TIMES, status)
                    ratios.append(refused / accepted)
                report.figure(f"refused with {status}: {kind}", middle(ratios), 2.0)
