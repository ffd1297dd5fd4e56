"""Value sets expanded, codes checked and looked up: by cases."""

from __future__ import annotations

from typing import Any

import pytest

from fhir_service.fhir.code_checks import LOOKUP, VALIDATE_CODE, lookup, validate_code
from fhir_service.fhir.expansion import EXPAND, asked, expand
from fhir_service.fhir.issues import Refusal
from fhir_service.fhir.value_sets import Composer
from tests.support.cases import cases
from tests.support.codes import NOON, read, sources

Case = dict[str, Any]


def _expansion(document: Case, case: Case) -> dict[str, Any]:
    compose = {k: case[k] for k in ("include", "exclude", "inactive") if k in case}
    value_set = {"resourceType": "ValueSet", "status": "active", "compose": compose}
    given = read(case.get("parameters", {}), EXPAND)
    composer = Composer(sources(document["stored"]))
    made: dict[str, Any] = expand(value_set, asked(given), composer, NOON)["expansion"]
    return made


@pytest.mark.parametrize(("document", "case"), cases("terminology", "expansion-*.json"))
def test_a_value_set_expands_as_its_definition_says(document: Case, case: Case) -> None:
    if "refused" in case:
        with pytest.raises(Refusal) as refusal:
            _expansion(document, case)
        assert refusal.value.issues[0].code == case["refused"]
        return
    made = _expansion(document, case)
    contains = made.get("contains", [])
    assert [one["code"] for one in contains] == case["codes"]
    assert made["total"] == case.get("total", len(case["codes"]))
    if "displays" in case:
        assert [one["display"] for one in contains] == case["displays"]


@pytest.mark.parametrize(("document", "case"), cases("terminology", "validate-code.json"))
def test_a_code_is_checked_against_the_value_set(document: Case, case: Case) -> None:
    value_set = document["stored"][-1]
    composer = Composer(sources(document["stored"]))
    given = read(case["parameters"], VALIDATE_CODE)
    if "refused" in case:
        with pytest.raises(Refusal) as refusal:
            validate_code(value_set, given, composer)
        assert refusal.value.issues[0].code == case["refused"]
        return
    told = {one["name"]: one for one in validate_code(value_set, given, composer)["parameter"]}
    assert told["result"]["valueBoolean"] is case["result"]
    assert case.get("message", "") in told.get("message", {}).get("valueString", "")
    assert ("message" in told) is ("message" in case)
    if "display" in case:
        assert told["display"]["valueString"] == case["display"]


@pytest.mark.parametrize(("document", "case"), cases("terminology", "lookup.json"))
def test_what_is_known_of_a_code_is_told(document: Case, case: Case) -> None:
    known = sources(document["stored"])
    given = read(case["parameters"], LOOKUP)
    if "refused" in case:
        with pytest.raises(Refusal) as refusal:
            lookup(given, known)
        assert refusal.value.issues[0].code == case["refused"]
        return
    entries = lookup(given, known)["parameter"]
    plain = {one["name"]: one["valueString"] for one in entries if "valueString" in one}
    assert case["told"].items() <= plain.items()
    found: dict[str, list[Any]] = {}
    for one in entries:
        if one["name"] == "property":
            code, value = one["part"]
            found.setdefault(code["valueCode"], []).append(value["valueCode"])
    if "properties" in case:
        assert found == case["properties"]
