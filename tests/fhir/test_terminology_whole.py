"""Value sets as a whole: what comes beside the codes, what is contained, what is too much."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest

from fhir_service.fhir.code_systems import read_code_system
from fhir_service.fhir.expansion import EXPAND, asked, expand
from fhir_service.fhir.issues import NotUnderstood, NotValid
from fhir_service.fhir.terminology import Find
from fhir_service.fhir.value_sets import Composer, member
from tests.support.codes import NOON, read, sources

COLOURS = "https://example.org/fhir/CodeSystem/colours"
SHIPPED = Path(__file__).parents[2] / "questionnaires"


def a_system(*codes: str, **more: Any) -> dict[str, Any]:
    return {
        "resourceType": "CodeSystem",
        "url": COLOURS,
        "status": "active",
        "content": "complete",
        "concept": [{"code": code, "display": code.title()} for code in codes],
        **more,
    }


def a_value_set(*include: dict[str, Any], **more: Any) -> dict[str, Any]:
    parts = list(include) or [{"system": COLOURS}]
    return {"resourceType": "ValueSet", "status": "active", "compose": {"include": parts}, **more}


def expanded(value_set: dict[str, Any], *stored: dict[str, Any], **given: Any) -> dict[str, Any]:
    return expand(value_set, asked(read(given, EXPAND)), Composer(sources(stored)), NOON)


def only(system: dict[str, Any]) -> Find:
    """Finds this code system and nothing else."""
    return lambda kind, canonical: system if (kind, canonical) == ("CodeSystem", COLOURS) else None


def codes(value_set: dict[str, Any]) -> list[str]:
    return [one["code"] for one in value_set["expansion"].get("contains", [])]


def test_an_expansion_says_when_and_how_it_was_made() -> None:
    made = expanded(a_value_set(url="https://example.org/v"), a_system("red"), count=5, filter="r")
    expansion = made["expansion"]
    assert expansion["timestamp"] == "2026-11-22T12:00:00.000Z"
    assert expansion["identifier"].startswith("urn:uuid:")
    assert expansion["offset"] == 0
    told = {one["name"]: one for one in expansion["parameter"]}
    assert told["filter"]["valueString"] == "r"
    assert told["count"]["valueInteger"] == 5
    assert told["used-codesystem"]["valueUri"] == COLOURS
    assert made["url"] == "https://example.org/v"
    assert "compose" not in made


def test_all_pages_of_one_list_have_one_identifier() -> None:
    system = a_system("red", "blue")
    pages = [expanded(a_value_set(), system, count=1, offset=n) for n in (0, 1)]
    assert codes(pages[0]) + codes(pages[1]) == ["red", "blue"]
    assert pages[0]["expansion"]["identifier"] == pages[1]["expansion"]["identifier"]
    other = expanded(a_value_set(), a_system("red", "green"))
    assert other["expansion"]["identifier"] != pages[0]["expansion"]["identifier"]


def test_the_definition_and_the_designations_come_when_asked_for() -> None:
    word = {"language": "es", "value": "Rojo"}
    system = a_system(concept=[{"code": "red", "designation": [word]}])
    made = expanded(a_value_set(), system, includeDefinition=True, includeDesignations=True)
    assert made["compose"] == {"include": [{"system": COLOURS}]}
    assert made["expansion"]["contains"][0]["designation"] == [word]
    assert "designation" not in expanded(a_value_set(), system)["expansion"]["contains"][0]


def test_abstract_and_inactive_codes_are_marked_and_scores_come_along() -> None:
    score = {
        "url": "http://hl7.org/fhir/StructureDefinition/ordinalValue",
        "valueDecimal": 2,
    }
    system = a_system(
        concept=[
            {"code": "a", "property": [{"code": "notSelectable", "valueBoolean": True}]},
            {"code": "b", "property": [{"code": "inactive", "valueBoolean": True}]},
            {"code": "c", "extension": [score]},
        ]
    )
    one, two, three = expanded(a_value_set(), system)["expansion"]["contains"]
    assert one["abstract"] is True
    assert two["inactive"] is True
    assert three == {"extension": [score], "system": COLOURS, "code": "c"}


def test_what_the_value_set_calls_a_code_goes_before_what_its_system_calls_it() -> None:
    listed = {"system": COLOURS, "concept": [{"code": "red", "display": "The red one"}]}
    made = expanded(a_value_set(listed), a_system("red"))
    assert made["expansion"]["contains"][0]["display"] == "The red one"


def test_a_listed_code_that_does_not_exist_is_told() -> None:
    listed = {"system": COLOURS, "concept": [{"code": "red"}, {"code": "rde"}]}
    told = expanded(a_value_set(listed), a_system("red"))["expansion"]["parameter"]
    warnings = [one["valueString"] for one in told if one["name"] == "warning"]
    assert len(warnings) == 1
    assert warnings[0].endswith(f"{COLOURS}#rde")


def test_a_contained_value_set_and_its_contained_code_system_are_found() -> None:
    inner = {**a_value_set({"valueSet": ["#innermost"]}), "id": "inner"}
    innermost = {**a_value_set(), "id": "innermost"}
    contained = [inner, innermost, a_system("red")]
    assert codes(expanded(a_value_set({"valueSet": ["#inner"]}, contained=contained))) == ["red"]
    with pytest.raises(NotValid):
        expanded(a_value_set({"valueSet": ["#other"]}, contained=[1, *contained]))


def test_contained_value_sets_that_import_each_other_stop() -> None:
    egg = {**a_value_set({"valueSet": ["#hen"]}), "id": "egg"}
    hen = {**a_value_set({"valueSet": ["#egg"]}), "id": "hen"}
    with pytest.raises(NotValid) as refusal:
        expanded(a_value_set({"valueSet": ["#hen"]}, contained=[egg, hen]))
    assert refusal.value.issues[0].key == "value-set-circular"


def test_a_value_set_with_nothing_but_a_whole_expansion_is_that_expansion() -> None:
    nested = [{"abstract": True, "contains": [{"system": COLOURS, "code": "red"}]}]
    value_set = {"resourceType": "ValueSet", "status": "active"}
    assert codes(expanded({**value_set, "expansion": {"contains": nested}})) == ["red"]
    for part in ({"total": 7}, {"offset": 1}):
        with pytest.raises(NotValid):
            expanded({**value_set, "expansion": {"contains": nested, **part}})
    with pytest.raises(NotValid):
        expanded(value_set)


def test_too_many_codes_at_once_are_refused_and_given_page_by_page() -> None:
    system = a_system(*(f"c{n}" for n in range(10_001)))
    with pytest.raises(NotValid) as refusal:
        expanded(a_value_set(), system)
    assert refusal.value.issues[0].code == "too-costly"
    assert len(codes(expanded(a_value_set(), system, count=10_000))) == 10_000
    assert codes(expanded(a_value_set(), system, offset=10_000)) == ["c10000"]


@pytest.mark.parametrize("name", ["count", "offset"])
def test_a_number_below_zero_is_refused(name: str) -> None:
    with pytest.raises(NotUnderstood):
        expanded(a_value_set(), a_system("red"), **{name: -1})


def test_value_sets_stacked_to_be_slow_are_not() -> None:
    stored = [{**a_value_set(), "url": "https://example.org/v0"}]
    for n in range(1, 16):
        below = {"valueSet": [f"https://example.org/v{n - 1}"]}
        stored.append({**a_value_set(*[below] * 8), "url": f"https://example.org/v{n}"})
    began = time.process_time()
    assert codes(expanded(stored[-1], *stored, a_system("red"))) == ["red"]
    assert time.process_time() - began < 0.5


def test_a_hierarchy_ten_thousand_deep_or_in_a_circle_is_read() -> None:
    concept: dict[str, Any] = {"code": "c10000"}
    for n in range(9_999, -1, -1):
        concept = {"code": f"c{n}", "concept": [concept]}
    system = read_code_system(a_system(concept=[concept]))
    assert len(system.under("c0")) == 10_000
    assert len(system.over("c10000")) == 10_000
    around = [
        {"code": "a", "property": [{"code": "parent", "valueCode": "b"}]},
        {"code": "b", "property": [{"code": "parent", "valueCode": "a"}]},
    ]
    assert read_code_system(a_system(concept=around)).under("a") == {"b"}


def test_letter_case_makes_no_difference_where_the_system_says_so() -> None:
    system = a_system("red", caseSensitive=False)
    listed = {"system": COLOURS, "concept": [{"code": "RED"}]}
    assert codes(expanded(a_value_set(listed), system)) == ["red"]
    red = {"system": COLOURS, "code": "Red"}
    assert member(a_value_set(listed), red, only(system)) is True


def test_a_hierarchy_that_is_no_kind_of_is_not_read_as_one() -> None:
    system = a_system(
        hierarchyMeaning="part-of", concept=[{"code": "a", "concept": [{"code": "b"}]}]
    )
    part = {"system": COLOURS, "filter": [{"property": "concept", "op": "is-a", "value": "a"}]}
    with pytest.raises(NotValid):
        expanded(a_value_set(part), system)


@pytest.mark.parametrize(
    ("coding", "told"),
    [
        ({"system": COLOURS, "code": "red"}, True),
        ({"system": COLOURS, "code": "green"}, False),
        ({"system": COLOURS, "code": "any"}, False),
        ({"code": "red"}, False),
        ({"system": COLOURS}, False),
        ({"system": "https://example.org/none", "code": "x"}, None),
        ({"system": "https://example.org/other", "code": "x"}, False),
    ],
)
def test_a_coding_is_a_member_or_not_or_it_can_not_be_told(
    coding: dict[str, Any], told: bool | None
) -> None:
    abstract = {"code": "any", "property": [{"code": "notSelectable", "valueBoolean": True}]}
    system = a_system(concept=[{"code": "red"}, abstract])
    value_set = a_value_set({"system": COLOURS}, {"system": "https://example.org/none"})
    assert member(value_set, coding, only(system)) is told
    circular = {**a_value_set({"valueSet": ["#me"]}), "id": "me"}
    around = a_value_set({"valueSet": ["#me"]}, contained=[circular])
    assert member(around, {"system": COLOURS, "code": "red"}, lambda *_: None) is None


def test_every_shipped_value_set_expands_whole_in_both_languages() -> None:
    files = [*SHIPPED.glob("valuesets/*.json"), *SHIPPED.glob("codesystems/*.json")]
    stored = [json.loads(path.read_text(encoding="utf-8")) for path in files]
    value_sets = [one for one in stored if one["resourceType"] == "ValueSet"]
    assert value_sets
    for value_set in value_sets:
        english = expanded(value_set, *stored)["expansion"]
        spanish = expanded(value_set, *stored, displayLanguage="es")["expansion"]
        assert english["total"] == spanish["total"] > 0
        assert not [one for one in english["parameter"] if one["name"] == "warning"]
        assert all(one["display"] for one in spanish["contains"])
