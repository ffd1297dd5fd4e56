"""The OpenAPI description is made of the routes, and holds: random requests by it meet no fault.

https://schemathesis.readthedocs.io/
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.support.service import Running, short_form, start


def no_fault(ctx: object, response: schemathesis.Response, case: schemathesis.Case[Any]) -> None:
    """No answer of 5xx, but 501 for what is declared and not built yet."""
    assert response.status_code < 500 or response.status_code == 501, response.text


CHECKS = [
    no_fault,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
A_FEW, MANY = 2, 60
"""Requests for each of the operations: there are more than a hundred."""


@pytest.fixture(scope="module")
def described(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    running = start(tmp_path_factory.mktemp("openapi"), AUTH_REQUESTS_PER_MINUTE="0")
    form = short_form() | {"id": "short-form"}
    assert running.send("PUT", "/fhir/Questionnaire/short-form", form).status_code == 201
    yield running
    running.close()


def test_every_route_for_programs_is_described(described: Running) -> None:
    said = json.loads(described.client.get("/openapi.json").data)
    assert said["openapi"] == "3.1.0"
    paths = said["paths"]
    assert "post" in paths["/auth/token"]
    assert {"get", "put", "delete"} <= set(paths["/fhir/QuestionnaireResponse/{id_}"])
    assert paths["/fhir/metadata"]["get"]["security"] == []
    assert paths["/fhir/Questionnaire"]["get"]["security"] == [{"token": []}]
    names = {p["name"] for p in paths["/fhir/Questionnaire"]["get"]["parameters"]}
    assert {"url", "status", "_count"} <= names
    assert not any(path.startswith(("/forms", "/login", "/summary")) for path in paths)


def attack(described: Running, examples: int) -> int:
    """Send so many random requests to each operation; how many operations there were."""
    app = described.client.application
    schema = schemathesis.openapi.from_wsgi("/openapi.json", app)
    headers = {
        "Authorization": f"Bearer {described.token()}",
        "Accept-Encoding": "identity",  # asked in the same process, it unpacks nothing
    }
    count = 0
    for found in schema.get_all_operations():
        operation = found.ok()  # type: ignore[union-attr]  # ours can be read

        @settings(
            max_examples=examples,
            deadline=None,
            database=None,
            derandomize=True,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        def one(case: schemathesis.Case[Any]) -> None:
            case.call_and_validate(headers=headers, checks=CHECKS)

        given(case=operation.as_strategy())(one)()
        count += 1
    return count


def test_random_requests_meet_no_fault(described: Running) -> None:
    assert attack(described, A_FEW) > 80


@pytest.mark.long
def test_many_random_requests_meet_no_fault(described: Running) -> None:
    assert attack(described, MANY) > 80


def test_the_schema_is_no_file_of_its_own() -> None:
    """It can not fall behind the routes: nothing of it is written down anywhere."""
    root = Path(__file__).parents[2]
    assert not list(root.glob("fhir_service/**/openapi*.json"))
