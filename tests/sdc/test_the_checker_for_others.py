"""The checker as others use it: plain functions, and a page of all that it finds."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from fhir_service import sdc
from fhir_service.fhir.reading import read_json
from fhir_service.sdc import check_questionnaire, compile_form, decode, validate
from fhir_service.sdc.findings_page import findings_page
from fhir_service.sdc.form_keys import FORM_KEYS
from fhir_service.sdc.keys import KEYS
from tests.support.forms import ROOT

PACKAGE = Path(sdc.__file__).parent


def test_the_page_of_findings_is_current() -> None:
    """When it is not: write what findings_page() gives into FINDINGS.md."""
    assert (PACKAGE / "FINDINGS.md").read_text(encoding="utf-8") == findings_page()


def test_a_key_names_one_thing_only() -> None:
    assert KEYS.keys() & FORM_KEYS.keys() == set()


def test_the_example_of_the_page_runs(tmp_path: Path) -> None:
    page = (PACKAGE / "README.md").read_text(encoding="utf-8")
    example = page.split("```python\n", 1)[1].split("```", 1)[0]
    folder = ROOT / "coping-support"
    for name, source in (
        ("Questionnaire.json", folder / "Questionnaire-1.0.0.json"),
        ("QuestionnaireResponse.json", folder / "responses" / "minimal.json"),
    ):
        (tmp_path / name).write_bytes(source.read_bytes())
    ran = subprocess.run(
        [sys.executable, "-c", example + "\nprint(outcome['issue'][0]['details']['text'])"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert ran.stdout == "All ok.\n"


def test_all_that_is_offered_is_there() -> None:
    assert all(callable(getattr(sdc, name)) for name in sdc.__all__)
    with pytest.raises(AttributeError):
        getattr(sdc, "nothing")  # noqa: B009  asked for in vain


def test_the_checker_needs_neither_web_nor_database() -> None:
    seen = "import sys; from fhir_service.sdc import *; print(*sys.modules)"
    ran = subprocess.run([sys.executable, "-c", seen], capture_output=True, text=True, check=True)
    assert not {"flask", "sqlalchemy", "requests", "marshmallow"} & set(ran.stdout.split())


def test_the_functions_fit_together() -> None:
    folder = ROOT / "coping-support"
    questionnaire = read_json((folder / "Questionnaire-1.0.0.json").read_bytes())
    assert check_questionnaire(questionnaire) == ()
    response = decode((folder / "responses" / "minimal.json").read_bytes())
    assert validate(compile_form(questionnaire), response) == ()
