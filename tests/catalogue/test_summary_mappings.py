"""The shipped summary mappings fit their forms; a wrong one is refused by file and key."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from fhir_service.catalogue.cross_checks import mapping_findings
from fhir_service.catalogue.shipped import folder
from fhir_service.catalogue.summary_mappings import MappingFault, load_summary_mapping
from fhir_service.summary.mapping import Condition
from tests.support.summaries import FORMS, form, mapping

SHIPPED = folder("mappings") / "summary"


def test_the_mapping_and_the_forms_bear_each_other_out() -> None:
    assert mapping_findings(mapping(), [form(id_) for id_ in FORMS]) == ()


def test_a_question_without_a_place_is_found() -> None:
    first, *others = mapping().forms
    bare = replace(first, lines=first.lines[1:])
    found = mapping_findings(
        replace(mapping(), forms=(bare, *others)), [form(id_) for id_ in FORMS]
    )
    assert [issue.key for issue in found] == ["mapping-item-unplaced"]


def test_a_code_that_no_option_has_is_found() -> None:
    first, *others = mapping().rules
    wrong = replace(first, when=Condition(link_id="safety-now", any_of=("chest-pane",)))
    found = mapping_findings(
        replace(mapping(), rules=(wrong, *others)), [form(id_) for id_ in FORMS]
    )
    assert [issue.key for issue in found] == ["mapping-code-unknown"]


def test_a_form_that_is_not_here_is_found() -> None:
    found = mapping_findings(mapping(), [form(id_) for id_ in FORMS[:2]])
    assert {issue.key for issue in found} == {"mapping-form-unknown"}


def test_every_rule_is_there_with_its_sources() -> None:
    assert len(mapping().rules) == 19
    assert all(set(rule.sources) <= set(mapping().sources) for rule in mapping().rules)


def test_limits_stay_decimal() -> None:
    limits = {rule.id: rule.when.at_least for rule in mapping().rules}
    assert limits["RV-PAIN"] == Decimal(7)
    assert isinstance(limits["RV-PAIN"], Decimal)


def copied(to: Path, name: str, old: str, new: str) -> Path:
    for path in SHIPPED.glob("*.toml"):
        text = path.read_text("utf-8")
        if path.name == name:
            assert old in text
            text = text.replace(old, new, 1)
        (to / path.name).write_text(text, "utf-8")
    return to


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("page.toml", 'style = "flags"', 'stile = "flags"'),
        ("rules.toml", "at_least = 7", 'at_least = "seven"'),
        ("rules.toml", "is = true", "is = true, at_least = 3"),
        ("doctor-questions.toml", "doctor-questions|1.0.0", "doctor-questions"),
        ("coping-support.toml", "order = 3", "order = "),
    ],
)
def test_a_wrong_mapping_is_refused_by_its_file(
    tmp_path: Path, name: str, old: str, new: str
) -> None:
    with pytest.raises(MappingFault) as refusal:
        load_summary_mapping(copied(tmp_path, name, old, new))
    assert name in str(refusal.value)


def test_a_file_of_the_site_stands_in_for_the_one_of_its_name_and_another_is_a_form_more(
    tmp_path: Path,
) -> None:
    text = (SHIPPED / "coping-support.toml").read_text("utf-8")
    (tmp_path / "coping-support.toml").write_text(text.replace("|1.0.0", "|2.0.0"), "utf-8")
    (tmp_path / "ours.toml").write_text(
        'questionnaire = "https://a.org/q|1"\norder = 9\n', "utf-8"
    )
    made = load_summary_mapping(tmp_path, SHIPPED)
    named = [(one.url.rpartition("/")[2], one.version) for one in made.forms]
    assert named == [
        ("previsit-recurrent-breast", "1.0.0"),
        ("doctor-questions", "1.0.0"),
        ("coping-support", "2.0.0"),
        ("q", "1"),
    ]
    assert made.rules == load_summary_mapping(SHIPPED).rules
