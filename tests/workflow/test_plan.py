"""Which route of a target is taken at which EHR: as the case files say, and by no other word."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from fhir_service.catalogue.ehr_targets import load_target, target_names
from fhir_service.catalogue.shipped import folder
from fhir_service.catalogue.summary_mappings import MappingFault
from fhir_service.workflow.plan import plan
from tests.support.cases import CASES

SHIPPED = folder("mappings") / "ehr-targets"
ROUTES = json.loads((CASES / "ehr" / "routes.json").read_text(encoding="utf-8"))["cases"]


def statement(name: str | None) -> dict[str, Any] | None:
    if name is None:
        return None
    path = CASES / "ehr" / "statements" / f"{name}.json"
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


@pytest.mark.parametrize("case", [pytest.param(case, id=case["when"]) for case in ROUTES])
def test_the_route_is_taken_that_the_case_says(case: dict[str, Any]) -> None:
    made = plan(load_target(case["target"], SHIPPED), statement(case["statement"]))
    chosen = made.chosen
    if case["route"] is None:
        assert chosen is None
        assert case["because"] in [one for each in made.planned for one in each.because]
        return
    assert chosen is not None
    route = chosen.route
    assert (route.kind, route.encounter, route.read_back, route.withdrawal) == (
        case["route"],
        case["encounter"],
        case["read_back"],
        case["withdrawal"],
    )
    assert case["field"] in chosen.fields
    assert case["lost"] is None or case["lost"] in chosen.lost


def test_every_target_that_ships_has_a_case() -> None:
    assert {case["target"] for case in ROUTES} == set(target_names(SHIPPED))


def test_what_the_ehr_does_not_declare_is_left_out_of_the_route() -> None:
    said = statement("hapi")
    assert said is not None
    for resource in said["rest"][0]["resource"]:
        resource["conditionalCreate"] = False
        resource["searchParam"] = []
    chosen = plan(load_target("hapi", SHIPPED), said).chosen
    assert chosen is not None
    assert (chosen.route.conditional_create, chosen.route.read_back) == (False, False)
    assert "header If-None-Exist" not in chosen.fields


def test_a_sites_own_target_comes_before_the_shipped_one(tmp_path: Path) -> None:
    own = (SHIPPED / "epic.toml").read_text(encoding="utf-8").replace("11506-3", "34111-5")
    (tmp_path / "epic.toml").write_text(own, encoding="utf-8")
    target = load_target("epic", tmp_path, SHIPPED)
    assert target.routes[0].type_codes[0].code == "34111-5"


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ('colour = "red"', "Unknown field"),
        ('kind = "fax"', "Must be one of"),
        ("read_back = true\nidentifier = false", "nothing is found again"),
        ("accepted = [418]", "Must be one of"),
        ('[[route.content]]\nrendering = "text"\ncontent_type = "text/plain"', "charset"),
        ('[[route.content]]\nrendering = "fax"\ncontent_type = "x/y"', "Must be one of"),
        ('kind = "response"\n[[route.content]]\nrendering="pdf"\ncontent_type="a/b"', "as it is"),
        ("this is no toml", "Expected"),
    ],
)
def test_a_target_that_is_wrong_is_refused_and_says_what(
    tmp_path: Path, line: str, says: str
) -> None:
    kind = "" if "kind =" in line else 'kind = "note"\n'
    text = f'title = "A"\n[[route]]\n{kind}type = [{{ system = "s", code = "c" }}]\n{line}\n'
    (tmp_path / "own.toml").write_text(text, encoding="utf-8")
    with pytest.raises(MappingFault, match=says):
        load_target("own", tmp_path)


@pytest.mark.parametrize("name", ["nobody", "../epic", "/etc/passwd", ""])
def test_a_target_that_is_not_there_is_told_with_those_that_are(name: str) -> None:
    with pytest.raises(MappingFault, match="oracle-health"):
        load_target(name, SHIPPED)
