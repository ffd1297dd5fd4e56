"""An author sees what is wrong with a form, where, and how to mend it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result

from fhir_service.cli.form import command
from fhir_service.sdc.form_keys import FORM_KEYS

GOOD = {
    "resourceType": "Questionnaire",
    "url": "http://example.org/good",
    "version": "1.0.0",
    "extension": [
        {
            "url": "http://hl7.org/fhir/StructureDefinition/artifact-versionAlgorithm",
            "valueCoding": {"system": "http://hl7.org/fhir/version-algorithm", "code": "semver"},
        }
    ],
    "status": "draft",
    "item": [{"linkId": "a", "type": "string", "text": "Pain?"}],
}


def check(folder: Path, *forms: Any, options: tuple[str, ...] = ()) -> Result:
    paths = []
    for number, form in enumerate(forms):
        path = folder / f"form-{number}.json"
        path.write_text(form if isinstance(form, str) else json.dumps(form), encoding="utf-8")
        paths.append(str(path))
    return CliRunner().invoke(command, ["check", *options, *paths])


def test_a_good_form_is_good(tmp_path: Path) -> None:
    result = check(tmp_path, GOOD)
    assert result.exit_code == 0
    assert result.output == f"{tmp_path}/form-0.json: good\n"


def test_findings_are_grouped_with_their_places_and_how_to_mend_them(tmp_path: Path) -> None:
    items = [{"linkId": name, "type": "group", "text": "?"} for name in "ab"]
    result = check(tmp_path, {**GOOD, "item": items})
    assert result.exit_code == 1
    lines = result.output.splitlines()
    assert lines[0] == f"error: form-group-empty: {FORM_KEYS['form-group-empty'].meaning}"
    assert lines[1] == f"  how to mend: {FORM_KEYS['form-group-empty'].mend}"
    assert lines[2].startswith("  Questionnaire.item[0]: “a”: ")
    assert lines[3].startswith("  Questionnaire.item[1]: “b”: ")
    assert lines[4] == f"{tmp_path}/form-0.json: broken (2 errors)"


def test_what_bars_an_offer_is_told_and_is_no_error(tmp_path: Path) -> None:
    result = check(tmp_path, {**GOOD, "item": [{"linkId": "a", "type": "choice", "text": "?"}]})
    assert result.exit_code == 0
    assert "warning, bars an offer: form-choice-empty" in result.output
    assert "good to store, not to be offered (1 warning)" in result.output


def test_hard_words_are_told_by_the_grade_that_is_asked_for(tmp_path: Path) -> None:
    text = "We ask you what you can do on your own, and who gives you a hand, so that we know."
    form = {**GOOD, "item": [{"linkId": "a", "type": "string", "text": text}]}
    assert "lint-reading-level" not in check(tmp_path, form).output
    result = check(tmp_path, form, options=("--grade", "2"))
    assert "lint-reading-level" in result.output
    assert result.exit_code == 0


def test_json_is_one_outcome_that_names_the_files(tmp_path: Path) -> None:
    broken = {**GOOD, "item": [{"linkId": "g", "type": "group", "text": "?"}]}
    result = check(tmp_path, GOOD, broken, "{", options=("--format", "json"))
    assert result.exit_code == 1
    outcome = json.loads(result.output)
    assert outcome["resourceType"] == "OperationOutcome"
    told = [(Path(i["diagnostics"]).name, i["severity"]) for i in outcome["issue"]]
    assert told == [("form-1.json", "error"), ("form-2.json", "error")]


def test_json_of_a_good_form_says_so(tmp_path: Path) -> None:
    result = check(tmp_path, GOOD, options=("--format", "json"))
    assert result.exit_code == 0
    assert json.loads(result.output)["issue"][0]["severity"] == "information"


def test_forms_that_are_checked_together_know_each_other(tmp_path: Path) -> None:
    derived = {
        **GOOD,
        "url": "http://example.org/derived",
        "derivedFrom": ["http://example.org/good|1.0.0"],
        "extension": [
            *GOOD["extension"],
            {
                "url": "http://hl7.org/fhir/StructureDefinition/questionnaire-derivationType",
                "valueCoding": {"code": "compliesWith"},
            },
        ],
    }
    assert "form-base-unknown" in check(tmp_path, derived).output
    assert "form-base-unknown" not in check(tmp_path, derived, GOOD).output
