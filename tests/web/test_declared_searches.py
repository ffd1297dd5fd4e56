"""Each search parameter that /fhir/metadata declares is sent twice: to match, and not to.

The cases are those of the store (tests/cases/searching), here over HTTP, strictly.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl, urlencode

import pytest

from fhir_service.store.reading import DERIVED
from tests.support.cases import cases
from tests.support.made import audited
from tests.support.records import keep, version
from tests.support.service import Running, start

DOCUMENTS = {
    case.values[0]["type"]: case.values[0]
    for case in cases("searching")
    if "type" in case.values[0]
}
STRICT = {"Prefer": "handling=strict"}


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A service that holds what the cases of every type are about."""
    running = start(tmp_path_factory.mktemp("declared"))
    for kind, document in DOCUMENTS.items():
        for id_, said in document["given"].items():
            body = {"resourceType": kind, **{k: v for k, v in said.items() if k != "patient"}}
            raw = json.dumps(body).encode()
            keep(running.service.store, version(id_, raw, 1, said.get("patient"), kind))
    yield running
    running.close()


def queries(running: Running, kind: str) -> list[tuple[str, bool]]:
    """What to ask of this type, and whether something is to be found."""
    if kind == "AuditEvent":
        (document,) = {
            id(c.values[0]): c.values[0] for c in cases("audit", "searches.json")
        }.values()
        plain = ("_id", "_lastUpdated", "date")
        known = [c for c in document["cases"] if c["query"].split("=")[0] in plain]
        return [(c["query"], c["found"]) for c in known]
    if kind == "Provenance":
        id_ = audited(running)
        found = json.loads(running.send("GET", f"/fhir/Provenance/{id_}").data)
        target = found["target"][0]["reference"].partition("/_history")[0]
        return [
            (f"_id={id_}", True),
            ("_id=0", False),
            ("_lastUpdated=ge2020", True),
            ("_lastUpdated=lt2020", False),
            ("recorded=ge2020", True),
            ("recorded=2020", False),
            ("patient=ada", True),
            ("patient=nobody", False),
            (f"target={target}", True),
            ("target=Task/none", False),
        ]
    return [(c["query"], bool(c["found"])) for c in DOCUMENTS[kind]["cases"]]


def lies(running: Running, statement: dict[str, Any]) -> list[str]:
    """The declared parameters that do not find what they should, or find what they should not."""
    wrong = []
    for resource in statement["rest"][0]["resource"]:
        kind = resource["type"]
        asked = queries(running, kind)
        for parameter in resource["searchParam"]:
            name = parameter["name"]
            mine = [one for one in asked if one[0].split("=")[0].split(":")[0] == name]
            if kind == "AuditEvent" and not mine:
                continue  # tests/web/test_audit.py asks these of events that it makes
            told = {found for query, found in mine if _finds(running, kind, query) == found}
            if told != {True, False}:
                wrong.append(f"{kind}?{name}")
    return wrong


def _finds(running: Running, kind: str, query: str) -> bool | None:
    pairs = parse_qsl(query.replace("+", "%2B"), keep_blank_values=True)
    reply = running.send("GET", f"/fhir/{kind}?{urlencode(pairs)}", headers=STRICT)
    return bool(json.loads(reply.data).get("entry")) if reply.status_code == 200 else None


@pytest.fixture(scope="module")
def statement(filled: Running) -> dict[str, Any]:
    made: dict[str, Any] = json.loads(filled.client.get("/fhir/metadata").data)
    return made


def test_each_declared_parameter_finds_and_leaves_out(
    filled: Running, statement: dict[str, Any]
) -> None:
    assert lies(filled, statement) == []
    declared = {resource["type"] for resource in statement["rest"][0]["resource"]}
    assert declared == {*DOCUMENTS, *DERIVED}


def test_a_lie_in_the_statement_would_be_noticed(
    filled: Running, statement: dict[str, Any]
) -> None:
    """Planted: a parameter that nothing answers to, and one that is another's."""
    planted = json.loads(json.dumps(statement))
    tasks = next(r for r in planted["rest"][0]["resource"] if r["type"] == "Task")
    tasks["searchParam"] = [{"name": "colour"}, {"name": "birthdate"}]
    planted["rest"][0]["resource"] = [tasks]
    assert lies(filled, planted) == ["Task?colour", "Task?birthdate"]


@pytest.mark.parametrize("name", ["searchInclude", "searchRevInclude"])
def test_each_declared_include_is_taken(
    filled: Running, statement: dict[str, Any], name: str
) -> None:
    parameter = "_include" if name == "searchInclude" else "_revinclude"
    tried = 0
    for resource in statement["rest"][0]["resource"]:
        for value in resource.get(name, ()):
            path = f"/fhir/{resource['type']}?{parameter}={value}"
            assert filled.send("GET", path, headers=STRICT).status_code == 200, path
            tried += 1
    assert tried > 3
