"""The rules of extraction say only what their forms bear out, and a wrong one is found."""

from __future__ import annotations

from pathlib import Path

import pytest

from fhir_service.catalogue.extraction_checks import extraction_findings
from fhir_service.catalogue.extraction_mappings import load_extraction_mappings
from fhir_service.catalogue.summary_mappings import MappingFault
from fhir_service.sdc import Form, compile_form
from tests.support.forms import form_files, read

RULES = Path(__file__).parents[2] / "mappings" / "extraction"
HEAD = 'questionnaire = "https://fhir-service.example.org/fhir/Questionnaire/coping-support"\n'


@pytest.fixture(scope="module")
def forms() -> list[Form]:
    return [compile_form(read(path)) for path in form_files()]


def _rule(each: str, status: str = "final") -> str:
    return (
        f'{HEAD}[[rule]]\nkey = "k"\nsays = "s"\neach = "{each}"\n[rule.resource]\n'
        f'resourceType = "Observation"\nstatus = "{status}"\n'
    )


def test_what_ships_fits_its_forms(forms: list[Form]) -> None:
    found = load_extraction_mappings(RULES)
    assert found
    assert extraction_findings(found, forms) == ()


@pytest.mark.parametrize(
    ("text", "key"),
    [
        (_rule("%resource.item.where(linkId='nowhere')"), "extraction-link-id-unknown"),
        (_rule("%resource.item.where("), "extraction-expression-broken"),
        (_rule("%resource", "= %it.item.where(linkId='nowhere')"), "extraction-link-id-unknown"),
        (_rule("%resource").replace("coping-support", "gone"), "extraction-form-unknown"),
    ],
)
def test_a_rule_that_does_not_fit_is_found(
    tmp_path: Path, forms: list[Form], text: str, key: str
) -> None:
    (tmp_path / "x.toml").write_text(text, "utf-8")
    found = extraction_findings(load_extraction_mappings(tmp_path), forms)
    assert [one.key for one in found] == [key]


@pytest.mark.parametrize(
    "text",
    [
        "questionnaire = ",
        HEAD,
        _rule("%resource") + 'surprise = "x"\n' + "[more]\n",
        _rule("%resource").replace("Observation", "Nonsense"),
    ],
)
def test_a_file_that_is_not_sound_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "x.toml").write_text(text, "utf-8")
    with pytest.raises(MappingFault, match="x"):
        load_extraction_mappings(tmp_path)
