"""A level without a named owner is told of; one with an owner is not."""

from __future__ import annotations

from pathlib import Path

import pytest

from fhir_service.catalogue.owners import levels_without_owner
from fhir_service.catalogue.shipped import folder
from fhir_service.catalogue.summary_mappings import MappingFault, load_summary_mapping

RULES = folder("mappings") / "summary" / "rules.toml"


def test_the_levels_that_ship_have_no_owner_and_say_so() -> None:
    mapping = load_summary_mapping(RULES.parent)
    assert levels_without_owner(RULES.parent) == tuple(
        level.id for level in mapping.levels if level.owner is None
    )
    assert "crisis" in levels_without_owner(RULES.parent)


def test_a_level_with_an_owner_is_not_told_of(tmp_path: Path) -> None:
    rules = tmp_path / "rules.toml"
    rules.write_text('[[level]]\nid = "a"\nowner = "Nurse Example"\n\n[[level]]\nid = "b"\n')
    assert levels_without_owner(tmp_path) == ("b",)


def test_a_site_names_owners_without_touching_the_rules_that_ship(tmp_path: Path) -> None:
    (tmp_path / "owners.toml").write_text('[owner]\ncrisis = "Nurse Example, 555 0101"\n')
    folders = (tmp_path, RULES.parent)
    owners = {level.id: level.owner for level in load_summary_mapping(*folders).levels}
    assert owners.pop("crisis") == "Nurse Example, 555 0101"
    assert set(owners.values()) == {None}
    assert levels_without_owner(*folders) == tuple(owners)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('[owner]\ncrysis = "x"\n', "no level crysis; there are: call-911, crisis"),
        ('[owner]\ncrisis = ""\n', "owner"),
        ('[owners]\ncrisis = "x"\n', "owners"),
        ("[owner\n", "owners.toml"),
    ],
)
def test_owners_that_can_not_be_meant_are_refused(tmp_path: Path, text: str, told: str) -> None:
    (tmp_path / "owners.toml").write_text(text)
    with pytest.raises(MappingFault, match=r"owners\.toml: ") as refusal:
        load_summary_mapping(tmp_path, RULES.parent)
    assert told in str(refusal.value)
