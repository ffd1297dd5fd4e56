"""A level without a named owner is told of; one with an owner is not."""

from __future__ import annotations

from pathlib import Path

from fhir_service.catalogue.owners import levels_without_owner
from fhir_service.catalogue.shipped import folder
from fhir_service.catalogue.summary_mappings import load_summary_mapping

RULES = folder("mappings") / "summary" / "rules.toml"


def test_the_levels_that_ship_have_no_owner_and_say_so() -> None:
    mapping = load_summary_mapping(RULES.parent)
    assert levels_without_owner(RULES) == tuple(
        level.id for level in mapping.levels if level.owner is None
    )
    assert "crisis" in levels_without_owner(RULES)


def test_a_level_with_an_owner_is_not_told_of(tmp_path: Path) -> None:
    rules = tmp_path / "rules.toml"
    rules.write_text('[[level]]\nid = "a"\nowner = "Nurse Example"\n\n[[level]]\nid = "b"\n')
    assert levels_without_owner(rules) == ("b",)
