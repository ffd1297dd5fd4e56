"""Each operation and search parameter that is this server's own has its definition."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fhir.resources.R4B.operationdefinition import OperationDefinition
from fhir.resources.R4B.searchparameter import SearchParameter as Model

from fhir_service.catalogue.definitions import definitions
from fhir_service.fhir.parameters import Accepts
from fhir_service.fhir.search_parameters import PARAMETERS
from fhir_service.web.table import OFFERS, OURS
from fhir_service.workflow import link_operations
from tests.support.service import Running, start

OWN = "https://fhir-service.example.org/"
TAKEN: dict[str, dict[str, Accepts]] = {
    "Questionnaire-create-link": link_operations.CREATE,
    "Questionnaire-revoke-link": link_operations.REVOKE,
    "Task-create-link": link_operations.FOR_TASK,
    "QuestionnaireResponse-summary": {},
}


def published(resource_type: str) -> dict[str, dict[str, Any]]:
    """What ships of this type, by url."""
    found = [json.loads(one.body) for one in definitions() if one.resource_type == resource_type]
    return {one["url"]: one for one in found}


def test_every_operation_of_ours_has_its_definition() -> None:
    found = published("OperationDefinition")
    declared = {
        operation.definition: (offer.resource_type, operation)
        for offer in OFFERS
        for operation in offer.operations
        if operation.definition.startswith(OWN)
    }
    assert set(found) == set(declared)
    for url, (resource_type, operation) in declared.items():
        definition = found[url]
        OperationDefinition.model_validate(definition)
        assert definition["code"] == operation.name
        assert definition["resource"] == [resource_type]
        assert definition["type"] == operation.on_type
        assert definition["instance"] == operation.on_instance


@pytest.mark.parametrize("name", TAKEN)
def test_a_definition_names_the_parameters_that_are_taken(name: str) -> None:
    definition = published("OperationDefinition")[f"{OURS}/{name}"]
    taken = {p["name"]: p["type"] for p in definition["parameter"] if p["use"] == "in"}
    assert taken == {key: accepts.kind for key, accepts in TAKEN[name].items()}


def test_every_search_parameter_of_ours_has_its_definition() -> None:
    found = published("SearchParameter")
    declared = {
        parameter.definition: (resource_type, parameter)
        for resource_type, parameters in PARAMETERS.items()
        for parameter in parameters.values()
        if parameter.definition.startswith(OWN)
    }
    assert set(found) == set(declared)
    for url, (resource_type, parameter) in declared.items():
        Model.model_validate(found[url])
        assert found[url]["base"] == [resource_type]
        assert (found[url]["code"], found[url]["type"]) == (parameter.name, parameter.kind)


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    service = start(tmp_path)
    service.service.publish_shipped()
    yield service
    service.close()


def test_they_are_found_by_their_url(running: Running) -> None:
    for kind in ("OperationDefinition", "SearchParameter"):
        for url in published(kind):
            reply = running.send("GET", f"/fhir/{kind}?url={url}")
            assert json.loads(reply.data)["entry"][0]["resource"]["url"] == url
