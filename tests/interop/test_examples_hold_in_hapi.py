"""Our example responses hold against their forms as HAPI checks them, but for its own faults."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.hapi import Hapi

ROOT = Path(__file__).resolve().parents[2] / "questionnaires"
FORMS = ("previsit-recurrent-breast", "doctor-questions", "coping-support")

ITS_OWN = {
    "The maximum number of answers is 3 but this has 3 answers": "it counts one too many",
    "An error occurred checking the date": "it can not compare a month or a year with a limit",
    "An error occurred checking the value: HAPI-0676": "a limit that is a Quantity stops it",
    "The quantity 64 kg (UCUM#kg) is less than the allowed minimum of 25 kg": "it is not",
    "The quantity 5.5 kg (UCUM#kg) is less than the allowed minimum of 0.5 kg": "it is not",
    "If text exists, it must match the questionnaire definition": "it knows no translations",
}
"""What HAPI 8.8.1 says wrongly, by the beginning of its message, and why that is wrong."""


def examples() -> list[Any]:
    """Every example that is meant to hold."""
    return [
        pytest.param(form, path, id=f"{form}-{path.stem}")
        for form in FORMS
        for path in sorted((ROOT / form / "responses").glob("*.json"))
        if not path.name.startswith("refused")
    ]


@pytest.mark.parametrize(("form", "path"), examples())
def test_an_example_holds_against_its_form(hapi: Hapi, form: str, path: Path) -> None:
    (template,) = (ROOT / form).glob("Questionnaire-*.json")
    asked = without_pages(json.loads(template.read_text(encoding="utf-8")))
    asked = {name: value for name, value in asked.items() if name != "meta"}
    asked |= {"id": form, "url": f"{asked['url']}-judged"}  # other tests know it by its own name
    hapi.put(asked)
    response = json.loads(path.read_text(encoding="utf-8"))
    response["questionnaire"] = f"{asked['url']}|{asked['version']}"
    said = [issue["diagnostics"] for issue in hapi.validate(response)]
    assert [one for one in said if not one.startswith(tuple(ITS_OWN))] == []
    broken = {**response, "status": "completed", "item": [{"linkId": "no-such-question"}]}
    assert hapi.validate(broken), "the form was not found, so nothing was checked"


def without_pages(form: Any) -> Any:
    """The form without the code ``page``, which R4's own code system has not yet."""
    if isinstance(form, list):
        return [without_pages(one) for one in form]
    if not isinstance(form, dict):
        return form
    kept = {name: without_pages(value) for name, value in form.items()}
    if "extension" in kept:
        kept["extension"] = [one for one in kept["extension"] if '"page"' not in json.dumps(one)]
        if not kept["extension"]:
            del kept["extension"]
    return kept
