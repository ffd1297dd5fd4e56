"""The files keep their layout, parse as R4, and have an outline that is up to date.

http://hl7.org/fhir/R4/json.html
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from fhir.resources.R4B import get_fhir_model_class
from pydantic import BaseModel

from fhir_service.catalogue.outline import outline
from tests.support.forms import form_files, named, published_files, read, response_files

EVERY_FILE = published_files() + response_files()


@pytest.mark.parametrize("path", EVERY_FILE, ids=named)
def test_a_file_is_utf_8_with_two_spaces_and_one_line_feed(path: Path) -> None:
    text = path.read_bytes().decode("utf-8")
    assert text == json.dumps(json.loads(text), indent=2, ensure_ascii=False) + "\n"


@pytest.mark.parametrize("path", EVERY_FILE, ids=named)
def test_a_file_parses_as_r4_with_its_elements_in_the_order_of_the_standard(path: Path) -> None:
    found = read(path)
    assert next(iter(found)) == "resourceType"
    model = get_fhir_model_class(found["resourceType"])
    parsed: BaseModel = model.model_validate_json(json.dumps(without_computed_values(found)))
    in_order(found, parsed)


def without_computed_values(value: Any) -> Any:
    """A copy without ``_value[x]`` of extensions, which fhir.resources does not know."""
    if isinstance(value, list):
        return [without_computed_values(one) for one in value]
    if isinstance(value, dict):
        kept = {key: one for key, one in value.items() if not key.startswith("_value")}
        return {key: without_computed_values(one) for key, one in kept.items()}
    return value


def in_order(raw: dict[str, Any], parsed: Any) -> None:
    """Compare the order of the elements with that of fhir.resources, all the way down."""
    keys = [key for key in raw if key != "resourceType" and not key.startswith("_")]
    order = list(parsed.elements_sequence())
    assert keys == sorted(keys, key=order.index), raw.get("linkId")
    names = list(raw)
    for key in raw:
        if key.startswith("_") and key[1:] in raw:
            assert names.index(key) == names.index(key[1:]) + 1
    for name, field in type(parsed).model_fields.items():
        value = getattr(parsed, name)
        below = raw.get(field.alias or name)
        for one, child in zip(as_list(below), as_list(value), strict=False):
            if isinstance(one, dict) and hasattr(child, "elements_sequence"):
                in_order(one, child)


def as_list(value: Any) -> list[Any]:
    """A value that may repeat, as a list."""
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


@pytest.mark.parametrize("path", form_files(), ids=named)
def test_the_outline_beside_a_form_is_up_to_date(path: Path) -> None:
    beside = path.with_name(
        path.name.replace("Questionnaire-", "outline-").replace(".json", ".txt")
    )
    assert beside.read_text(encoding="utf-8") == outline(read(path))


@pytest.mark.parametrize("path", published_files(), ids=named)
def test_a_published_file_says_what_it_is_as_its_name_does(path: Path) -> None:
    found = read(path)
    base = "https://fhir-service.example.org/fhir"
    assert found["url"] == f"{base}/{found['resourceType']}/{found['id']}"
    assert (found["status"], found["experimental"]) == ("active", True)
    assert found["extension"][0]["valueCoding"]["code"] == "semver"
    if found["resourceType"] == "Questionnaire":
        assert (path.parent.name, path.stem) == (found["id"], f"Questionnaire-{found['version']}")
    else:
        assert path.stem == f"{found['resourceType']}-{found['id']}"


@pytest.mark.parametrize("path", form_files(), ids=named)
def test_each_form_has_its_page_and_names_the_licences_it_needs(path: Path) -> None:
    assert (path.parent / "README.md").is_file()
    notice = read(path)["copyright"]
    text = path.read_text(encoding="utf-8")
    for system, owner in (
        ("http://loinc.org", "LOINC"),
        ("http://snomed.info/sct", "SNOMED"),
        ("http://www.nlm.nih.gov/research/umls/rxnorm", "RxNorm"),
    ):
        assert (f'"{system}"' in text) == (owner in notice)
