"""$expand, $validate-code and $lookup over what is really stored, asked by real callers."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from fhir_service.fhir.issues import NotAllowed, NotHere, NotUnderstood, NotValid
from fhir_service.fhir.parameters import parameter, parameters
from fhir_service.workflow import publish, terminology
from fhir_service.workflow.caller import Caller
from fhir_service.workflow.site import Site
from tests.support.service import Running, start

COLOURS = "https://clinic.example.org/fhir/CodeSystem/colours"
LIKED = "https://clinic.example.org/fhir/ValueSet/liked"

Operation = Callable[[Site, Caller, dict[str, Any]], dict[str, Any]]


def colours(version: str, *codes: str) -> dict[str, Any]:
    return {
        "resourceType": "CodeSystem",
        "id": f"colours-{version}",
        "url": COLOURS,
        "version": version,
        "name": "Colours",
        "status": "active",
        "content": "complete",
        "concept": [{"code": code, "display": code.title()} for code in codes],
    }


def liked(version: str = "1", of: str | None = None) -> dict[str, Any]:
    include = {"system": COLOURS, **({"version": of} if of else {})}
    return {
        "resourceType": "ValueSet",
        "id": f"liked-{version}",
        "url": LIKED,
        "version": version,
        "name": "Liked",
        "status": "active",
        "compose": {"include": [include]},
    }


def caller(running: Running, scope: str, patient: str | None = None) -> Caller:
    return running.service.door.caller(running.token(scope, patient))


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    service = start(tmp_path_factory.mktemp("terminology"))
    staff = caller(service, "system/*.cruds")
    for one in (colours("1", "red", "blue"), colours("2", "red"), liked("1", of="1"), liked("2")):
        body = json.dumps(one).encode()
        publish.update(service.service.site, staff, one["resourceType"], one["id"], body)
    yield service
    service.close()


def expand(running: Running, *entries: dict[str, Any], id_: str | None = None) -> list[str]:
    site, reader = running.service.site, caller(running, "system/ValueSet.r")
    made = terminology.expand(site, reader, parameters(*entries), id_)
    return [one["code"] for one in made["expansion"]["contains"]]


def test_a_stored_value_set_is_expanded_by_url_by_version_and_by_id(running: Running) -> None:
    assert expand(running, parameter("url", "uri", f"{LIKED}|1")) == ["red", "blue"]
    assert expand(running, parameter("url", "uri", f"{LIKED}|2")) == ["red"]
    version = parameter("valueSetVersion", "string", "1")
    assert expand(running, parameter("url", "uri", LIKED), version) == ["red", "blue"]
    assert expand(running, id_="liked-1") == ["red", "blue"]


def test_a_value_set_that_is_sent_along_is_expanded(running: Running) -> None:
    assert expand(running, parameter("valueSet", "resource", liked(of="1"))) == ["red", "blue"]


@pytest.mark.parametrize(
    "resource",
    [
        {"resourceType": "Patient"},
        {"resourceType": "ValueSet", "status": "active", "compose": {"include": "all"}},
        {
            "resourceType": "ValueSet",
            "compose": {"include": [{"system": COLOURS, "concept": [1]}]},
        },
        {"resourceType": "ValueSet", "status": "active", "compose": {"includes": []}},
    ],
)
def test_what_is_sent_along_must_be_a_sound_value_set(
    running: Running, resource: dict[str, Any]
) -> None:
    with pytest.raises(NotUnderstood):
        expand(running, parameter("valueSet", "resource", resource))


def test_exactly_one_value_set_is_named(running: Running) -> None:
    with pytest.raises(NotUnderstood):
        expand(running)
    both = (parameter("url", "uri", LIKED), parameter("valueSet", "resource", liked()))
    with pytest.raises(NotUnderstood):
        expand(running, *both)


def test_what_is_not_stored_is_not_here(running: Running) -> None:
    for url in (f"{LIKED}-other", f"{LIKED}|9"):
        with pytest.raises(NotHere):
            expand(running, parameter("url", "uri", url))
    with pytest.raises(NotHere):
        expand(running, id_="unknown")
    with pytest.raises(NotValid):
        expand(running, parameter("valueSet", "resource", liked(of="9")))


def test_codes_are_checked_and_looked_up(running: Running) -> None:
    site, reader = running.service.site, caller(running, "system/*.s")
    given = parameters(
        parameter("url", "uri", f"{LIKED}|1"),
        parameter("system", "uri", COLOURS),
        parameter("code", "code", "red"),
    )
    told = terminology.validate_code(site, reader, given)["parameter"]
    assert told[0] == {"name": "result", "valueBoolean": True}
    known = terminology.lookup(site, reader, parameters(*given["parameter"][1:]))
    assert {"name": "display", "valueString": "Red"} in known["parameter"]


@pytest.mark.parametrize(
    ("ask", "resource_type"),
    [
        (terminology.expand, "ValueSet"),
        (terminology.validate_code, "ValueSet"),
        (terminology.lookup, "CodeSystem"),
    ],
)
def test_each_operation_needs_its_scope(
    running: Running, ask: Operation, resource_type: str
) -> None:
    site = running.service.site
    for scope in ("system/QuestionnaireResponse.cruds", f"system/{resource_type}.cud"):
        with pytest.raises(NotAllowed):
            ask(site, caller(running, scope), parameters())
    for scope in (f"system/{resource_type}.r", f"user/{resource_type}.s"):
        with pytest.raises(NotUnderstood):
            ask(site, caller(running, scope), parameters())
    with pytest.raises(NotUnderstood):
        ask(site, caller(running, f"patient/{resource_type}.r", "ada"), parameters())


def test_the_checker_can_ask_whether_a_coding_may_be_chosen(running: Running) -> None:
    codes = terminology.StoredCodes(running.service.site.desk.reading())
    red, blue = ({"system": COLOURS, "code": code} for code in ("red", "blue"))
    assert codes.has(f"{LIKED}|1", red, {}) is True
    assert codes.has(f"{LIKED}|2", blue, {}) is False
    assert codes.has(f"{LIKED}-other", red, {}) is None
    form = {"contained": [{**liked(of="1"), "id": "own"}]}
    assert codes.has("#own", blue, form) is True
    assert codes.has("#other", blue, form) is None
