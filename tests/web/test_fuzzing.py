"""Whatever bytes come in, an OperationOutcome goes out: no fault, and soon."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from tests.support.cpu import within
from tests.support.forms import ROOT, response_files
from tests.support.fuzzing import broken, random_bodies
from tests.support.service import start

FEW = 1_000
MANY = 100_000
PARTS = 20
SECONDS = 1.0
RANDOM_FORMS = 20
_OUTCOMES = {200, 201, 400, 404, 405, 409, 412, 413, 415, 422}

_WRAPPED = b'{"resourceType": "Parameters", "parameter": [{"name": "%s", "resource": %s}]}'


class Door:
    """The service with the shipped forms and some random ones, and the bodies to break."""

    def __init__(self, folder: Path) -> None:
        self.running = start(folder)
        self.token = self.running.token()
        self.examples = [path.read_bytes() for path in response_files()]
        self.responses: list[bytes] = []
        self.forms: list[bytes] = []
        self.shipped = [path.read_bytes() for path in sorted(ROOT.glob("*/Questionnaire-*.json"))]
        self.slowest = 0.0
        self.statuses: Counter[int] = Counter()
        for form in self.shipped:
            assert self.send("PUT", f"/fhir/Questionnaire/{json.loads(form)['id']}", form) == 201
        for seed in range(RANDOM_FORMS):
            form, response = random_bodies(seed)
            named = form.replace(b"Questionnaire/random", f"Questionnaire/random-{seed}".encode())
            self.forms.append(named)
            self.responses.append(
                response.replace(b"Questionnaire/random", f"Questionnaire/random-{seed}".encode())
            )
            assert self.send("POST", "/fhir/Questionnaire", named) == 201

    def send(self, method: str, path: str, body: bytes) -> int:
        """The status; what was said must be FHIR. The time is that of the processor."""
        began = time.process_time()
        reply = self.running.send(
            method, path, body, token=self.token, headers={"Prefer": "return=OperationOutcome"}
        )
        self.slowest = max(self.slowest, time.process_time() - began)
        self.statuses[reply.status_code] += 1
        assert reply.status_code in _OUTCOMES, (method, path, body, reply.data)
        outcome = json.loads(reply.data)
        assert outcome["resourceType"] == "OperationOutcome", (method, path, body, outcome)
        assert outcome["issue"], (method, path, body)
        return reply.status_code

    def body(self, random: Random, forms: bool) -> bytes:
        """One of the bodies; those of the shipped forms, which are large, more seldom."""
        if not forms:
            return random.choice(self.examples if random.random() < 0.15 else self.responses)
        return random.choice(self.shipped if random.random() < 0.02 else self.forms)

    def fuzz(self, random: Random) -> None:
        """One broken body through one of the doors for it."""
        forms = random.random() < 0.3
        type_ = "Questionnaire" if forms else "QuestionnaireResponse"
        path, body = f"/fhir/{type_}", self.body(random, forms)
        ways = [("POST", path), ("PUT", f"{path}/fuzz"), ("POST", f"{path}/$validate")]
        if not forms:
            ways.append(("POST", "/fhir/$process-response"))
        if random.random() < 0.1:
            body = _WRAPPED % (random.choice([b"resource", b"response"]), body)
        body = broken(random, body)
        method, where = random.choice(ways)
        within(SECONDS, lambda: self.send(method, where, body))


@pytest.fixture
def door(tmp_path: Path) -> Iterator[Door]:
    made = Door(tmp_path)
    yield made
    made.running.close()


def test_a_thousand_broken_bodies_are_answered_with_an_outcome(door: Door) -> None:
    random = Random(1)
    for _ in range(FEW):
        door.fuzz(random)
    assert door.statuses[400] > FEW / 4
    assert door.statuses[200] + door.statuses[201] > 0


@pytest.mark.long
@pytest.mark.parametrize("part", range(PARTS))
def test_a_hundred_thousand_broken_bodies_are_answered_with_an_outcome(
    door: Door, part: int
) -> None:
    random = Random(part + 2)
    for _ in range(MANY // PARTS):
        door.fuzz(random)
    assert door.statuses[400] > MANY // PARTS / 4


@pytest.mark.parametrize("number", [b"1e-9999999", b"1e-" + b"9" * 20, b"1e" + b"9" * 20])
def test_a_number_beyond_all_counting_is_refused_at_every_door(door: Door, number: bytes) -> None:
    form, response = door.forms[0], door.responses[0]
    limit = b'"maxLength":' + number + b',"status"'
    assert door.send("POST", "/fhir/Questionnaire", form.replace(b'"status"', limit)) == 400
    answer = b'"item": [{"linkId": "x", "answer": [{"valueDecimal": ' + number + b'}]}], "status"'
    changed = response.replace(b'"item"', b'"left"').replace(b'"status"', answer)
    assert door.send("POST", "/fhir/QuestionnaireResponse", changed) == 400
    assert door.slowest < SECONDS
