"""$populate and $extract on what is broken: refused or told, and never a fault."""

from __future__ import annotations

import json
from pathlib import Path
from random import Random
from typing import Any

import pytest

from tests.support.cases import cases
from tests.support.service import Running, start
from tests.support.spoiling import spoiled

A_SAMPLE = 150
MANY = 10_000


def _asked(*given: dict[str, Any]) -> dict[str, Any]:
    return {"resourceType": "Parameters", "parameter": list(given)}


def _requests() -> list[tuple[str, dict[str, Any]]]:
    """A sound request for each case of population and extraction."""
    made = []
    head = {"resourceType": "Questionnaire", "status": "active"}
    for one in cases("population"):
        document, case = one.values
        contexts = [
            {
                "name": "context",
                "part": [
                    {"name": "name", "valueString": name},
                    *({"name": "content", "resource": each} for each in content),
                ],
            }
            for name, content in case["contexts"].items()
        ]
        given: list[dict[str, Any]] = [
            {"name": "questionnaire", "resource": {**head, **document["form"]}},
            {"name": "subject", "valueReference": {"reference": "Patient/ada"}},
            {"name": "local", "valueBoolean": True},
            *contexts,
        ]
        made.append(("/fhir/Questionnaire/$populate", _asked(*given)))
    for one in cases("extraction"):
        document, case = one.values
        response = {
            "resourceType": "QuestionnaireResponse",
            "status": "completed",
            "subject": {"reference": "Patient/ada"},
            "item": case["items"],
        }
        given = [
            {"name": "questionnaire", "resource": {**head, **document["form"]}},
            {"name": "questionnaire-response", "resource": response},
        ]
        made.append(("/fhir/QuestionnaireResponse/$extract", _asked(*given)))
    return made


def _spoiled(random: Random, body: dict[str, Any]) -> Any:
    """The request with something wrong in it: most often inside one of its resources."""
    if random.random() < 0.2:
        return spoiled(random, body)
    holders = [one for one in body["parameter"] if "resource" in one]
    holders += [
        part for one in body["parameter"] for part in one.get("part", ()) if "resource" in part
    ]
    holder = random.choice(holders)
    holder["resource"] = spoiled(random, holder["resource"])
    return body


def _must_bear(running: Running, seeds: range) -> None:
    requests, token = _requests(), running.token()
    statuses = set()
    for seed in seeds:
        random = Random(seed)
        path, body = random.choice(requests)
        text = json.dumps(_spoiled(random, json.loads(json.dumps(body, default=float))))
        reply = running.send("POST", path, text.encode(), token=token)
        statuses.add(reply.status_code)
        assert reply.status_code in (200, 400, 422), (seed, reply.text)
    assert {200, 400} <= statuses


def test_a_sample_of_broken_requests_is_borne(running: Running) -> None:
    _must_bear(running, range(A_SAMPLE))


@pytest.mark.long
def test_many_broken_requests_are_borne(tmp_path: Path) -> None:
    service = start(tmp_path, PATIENT_REQUESTS_PER_MINUTE="0")
    _must_bear(service, range(A_SAMPLE, MANY))
    service.close()
