"""What the benchmarks of the running service share: a form put up, and the cost of one request."""

from __future__ import annotations

import http.client
from collections.abc import Sequence
from statistics import median

from tests.benchmarks import forty
from tests.benchmarks.client import Sent, a_post, send
from tests.benchmarks.processes import Server

RESPONSES = "/fhir/QuestionnaireResponse"


def publish_form(server: Server, token: str) -> None:
    """Publish the form of 40 questions. Raises RuntimeError when it is not taken."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/fhir+json"}
    made = forty.form()
    connection.request("PUT", f"/fhir/Questionnaire/{made['id']}", forty.body(made), headers)
    answer = connection.getresponse()
    told = answer.read()
    connection.close()
    if answer.status not in {200, 201}:
        raise RuntimeError(f"the form was not taken: {answer.status} {told[:500]!r}")


def a_submission(token: str, body: bytes | None = None) -> bytes:
    """The request that sends the response of 40 answers, or another body."""
    return a_post(RESPONSES, forty.body(forty.response()) if body is None else body, token)


def cost(
    server: Server,
    request: bytes | Sequence[bytes],
    times: int,
    expected: int | tuple[int, ...],
    connections: int = 1,
) -> float:
    """The CPU time of the server for one such request, in milliseconds.

    Raises RuntimeError when an answer has another status than ``expected``.
    """
    before = server.cpu_seconds()
    sent = send(server.port, request, times, connections)
    spent = server.cpu_seconds() - before
    must_all_be(sent, expected)
    return spent / times * 1000


def must_all_be(sent: Sent, expected: int | tuple[int, ...]) -> None:
    """Raise RuntimeError when any answer has another status."""
    allowed = {expected} if isinstance(expected, int) else set(expected)
    if not sent.statuses or not set(sent.statuses) <= allowed:
        raise RuntimeError(f"expected {expected} alone, got {dict(sent.statuses)}")


def middle(values: list[float]) -> float:
    """The median: what other work on the machine disturbs least."""
    return median(values)
