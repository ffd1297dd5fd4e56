"""The CapabilityStatement is FHIR, and every word of it is true."""

from __future__ import annotations

import json
from typing import Any

import pytest
from fhir.resources.R4B.capabilitystatement import CapabilityStatement
from fhir.resources.R4B.terminologycapabilities import TerminologyCapabilities

from fhir_service.store.reading import DERIVED
from tests.support.made import MADE, audited, made
from tests.support.service import BASE_URL, Running, answers, short_form
from tests.support.tasks import a_task

SAMPLES: dict[str, dict[str, Any]] = {
    "Questionnaire": short_form("7.0.0", "draft"),
    "QuestionnaireResponse": answers(status="in-progress"),
    "ValueSet": {
        "resourceType": "ValueSet",
        "url": "https://clinic.example.org/fhir/ValueSet/colours",
        "version": "1",
        "status": "draft",
        "compose": {
            "include": [{"system": "https://clinic.example.org/c", "concept": [{"code": "red"}]}]
        },
    },
    "CodeSystem": {
        "resourceType": "CodeSystem",
        "url": "https://clinic.example.org/fhir/CodeSystem/colours",
        "version": "1",
        "status": "draft",
        "content": "complete",
        "concept": [{"code": "red", "display": "Red"}],
    },
    "ConceptMap": {
        "resourceType": "ConceptMap",
        "url": "https://clinic.example.org/fhir/ConceptMap/colours",
        "version": "1",
        "status": "draft",
    },
    "Patient": {"resourceType": "Patient", "name": [{"text": "Ada Example"}]},
    "Task": a_task(),
}


@pytest.fixture(scope="module")
def statement(running: Running) -> dict[str, Any]:
    reply = running.client.get("/fhir/metadata")
    assert reply.status_code == 200
    made: dict[str, Any] = json.loads(reply.data)
    return made


def resources(statement: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = statement["rest"][0]["resource"]
    return found


def test_the_statement_is_valid_fhir(statement: dict[str, Any]) -> None:
    CapabilityStatement.model_validate(statement)
    assert statement["fhirVersion"] == "4.0.1"
    assert statement["kind"] == "instance"
    assert statement["implementation"]["url"] == f"{BASE_URL}/fhir"


def test_every_declared_interaction_works(running: Running, statement: dict[str, Any]) -> None:
    for resource in resources(statement):
        kind = resource["type"]
        declared = {i["code"] for i in resource["interaction"]}
        created = running.send("POST", f"/fhir/{kind}", SAMPLES.get(kind, {}))
        if kind in SAMPLES:
            id_ = json.loads(created.data)["id"]
        else:
            id_ = audited(running) if kind in DERIVED else made(running, kind)
        place = f"/fhir/{kind}/{id_}"
        body = json.loads(running.send("GET", place).data)
        sent = {
            "create": created.status_code,
            "read": running.send("GET", place).status_code,
            "vread": running.send("GET", f"{place}/_history/1").status_code,
            "history-instance": running.send("GET", f"{place}/_history").status_code,
            "history-type": running.send("GET", f"/fhir/{kind}/_history").status_code,
            "search-type": running.send("GET", f"/fhir/{kind}?_id={id_}").status_code,
            "update": running.send("PUT", place, body | {"language": "en"}).status_code,
            "delete": running.send("DELETE", place).status_code,
        }
        works = {code for code, status in sent.items() if status < 300}
        assert works == declared, (kind, sent)
        chosen = f"{kind.lower()}-chosen"
        sample = SAMPLES.get(kind, body) | {"id": chosen}
        put = running.send("PUT", f"/fhir/{kind}/{chosen}", sample)
        assert (put.status_code == 201) == resource["updateCreate"], put.text


def test_every_declared_search_parameter_is_known(
    running: Running, statement: dict[str, Any]
) -> None:
    values = {
        "composite": "none$none",
        "date": "2026-03-15",
        "reference": "none",
        "token": "none",
        "string": "none",
    }
    asked = 0
    for resource in resources(statement):
        for parameter in resource["searchParam"]:
            value = values.get(parameter["type"], "urn:none")
            reply = running.send(
                "GET",
                f"/fhir/{resource['type']}?{parameter['name']}={value}",
                headers={"Prefer": "handling=strict"},
            )
            assert reply.status_code == 200, (resource["type"], parameter, reply.text)
            assert parameter["name"] in json.loads(reply.data)["link"][0]["url"]
            asked += 1
    assert asked > 50


ALL_MODIFIERS = (
    *("missing", "not", "exact", "contains", "text", "in", "not-in", "above", "below"),
    *("identifier", "of-type"),
)


VALUES = {
    "composite": "a$b",
    "date": "2026",
    "token": "none",
    "string": "none",
    "reference": "none",
}


def _taken(running: Running, kind: str, query: str) -> bool:
    path = f"/fhir/{kind}?{query}"
    return running.send("GET", path, headers={"Prefer": "handling=strict"}).status_code == 200


def _declared(parameter: dict[str, Any], word: str) -> set[str]:
    """What stands in the parameter's words after this one: ``Modifiers: :missing, :not.``"""
    _, _, rest = parameter.get("documentation", "").partition(f"{word}: ")
    return set(rest.partition(". ")[0].removesuffix(".").split(", ")) - {""}


def test_modifiers_sorting_and_chains_are_declared_where_they_work(
    running: Running, statement: dict[str, Any]
) -> None:
    wrong: list[tuple[str, str]] = []
    types = {
        (r["type"], p["name"]): p["type"] for r in resources(statement) for p in r["searchParam"]
    }
    seen = set()
    for resource in resources(statement):
        kind = resource["type"]
        for parameter in resource["searchParam"]:
            name, said = parameter["name"], parameter.get("documentation", "")
            if (name, said, kind in DERIVED) in seen:
                continue  # the published types share theirs
            seen.add((name, said, kind in DERIVED))
            modifiers, chains = _declared(parameter, "Modifiers"), _declared(parameter, "Chains")
            tried = {f"{name}{m}=none" for m in modifiers if m[1].isupper()}
            for one in ALL_MODIFIERS:
                value = "true" if one == "missing" else VALUES.get(parameter["type"], "urn:none")
                tried.add(f"{name}:{one}={value}")
            for one in chains:
                value = VALUES.get(types["Questionnaire", one.partition(".")[2]], "urn:none")
                tried.add(f"{one}={value}")
            tried.add(f"_sort={name}")
            declared = {f"{name}{m}" for m in modifiers} | chains
            declared |= {"_sort"} if "Sorts" in said else set()
            wrong += [
                (kind, query)
                for query in sorted(tried)
                if _taken(running, kind, query) != (query.partition("=")[0] in declared)
            ]
    assert wrong == []


def test_every_declared_operation_has_an_address(
    running: Running, statement: dict[str, Any]
) -> None:
    known = {rule.rule for rule in running.client.application.url_map.iter_rules()}
    rest = statement["rest"][0]
    for operation in rest["operation"]:
        assert f"/fhir/${operation['name']}" in known
    for resource in resources(statement):
        for operation in resource.get("operation", ()):
            root = f"/fhir/{resource['type']}"
            name = f"${operation['name']}"
            assert {f"{root}/{name}", f"{root}/<id_>/{name}"} & known
            assert operation["definition"].startswith("http")


def test_every_operation_that_has_an_address_is_declared_or_answers_501(
    running: Running, statement: dict[str, Any]
) -> None:
    rest = statement["rest"][0]
    declared = {f"/fhir/${o['name']}" for o in rest["operation"]}
    for resource in resources(statement):
        for operation in resource.get("operation", ()):
            for place in ("", "/<id_>"):
                declared.add(f"/fhir/{resource['type']}{place}/${operation['name']}")
    for rule in running.client.application.url_map.iter_rules():
        if "$" in rule.rule and rule.rule not in declared:
            path = rule.rule.replace("<id_>", "1")
            assert running.send("POST", path, {}).status_code == 501, rule.rule


def test_types_that_are_planned_are_not_declared(statement: dict[str, Any]) -> None:
    assert {r["type"] for r in resources(statement)} == {*SAMPLES, *MADE, *DERIVED}


def test_conditional_writes_are_declared_where_they_work(
    running: Running, statement: dict[str, Any]
) -> None:
    for resource in resources(statement):
        kind = resource["type"]
        sample = SAMPLES.get(kind, {"resourceType": kind})
        there = running.send("GET", f"/fhir/{kind}?_summary=count")
        assert there.status_code == 200
        condition = "_id=there-is-none"
        made = running.send("POST", f"/fhir/{kind}", sample, headers={"If-None-Exist": condition})
        assert (made.status_code < 300) == resource["conditionalCreate"], (kind, made.text)
        put = running.send("PUT", f"/fhir/{kind}?{condition}", sample)
        assert (put.status_code < 300) == resource["conditionalUpdate"], (kind, put.text)
        assert resource["conditionalDelete"] == "not-supported"
        assert running.send("DELETE", f"/fhir/{kind}?{condition}").status_code == 405


def test_terminology_capabilities_are_valid_fhir(running: Running) -> None:
    reply = running.client.get("/fhir/metadata?mode=terminology")
    TerminologyCapabilities.model_validate(json.loads(reply.data))


@pytest.mark.parametrize("place", ["", "/fhir"])
def test_discovery_names_only_what_answers(running: Running, place: str) -> None:
    said = json.loads(running.client.get(f"{place}/.well-known/smart-configuration").data)
    assert said["issuer"] == BASE_URL
    for scope in said["scopes_supported"]:
        if "/" in scope and not scope.startswith("launch"):
            assert running.token(scope, "ada")
    for name in ("token_endpoint", "introspection_endpoint", "revocation_endpoint"):
        refused = running.client.post(said[name].removeprefix(BASE_URL), data={"a": "b"})
        assert json.loads(refused.data)["error"], name
    assert said["code_challenge_methods_supported"] == ["S256"]
    assert all(isinstance(one, str) for one in said["capabilities"])
    keys = json.loads(running.client.get(said["jwks_uri"].removeprefix(BASE_URL)).data)["keys"]
    assert keys
    for key in keys:
        assert key["kid"]
        assert not {"d", "p", "q", "k"} & set(key)
