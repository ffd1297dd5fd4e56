"""Every word that a patient reads is there in English and in Spanish.

http://hl7.org/fhir/R4/extension-translation.html
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.forms import FORMS, ROOT, elements, form, items, options, read, spanish


@pytest.mark.parametrize("id_", FORMS)
def test_every_text_and_option_of_a_form_has_its_spanish_words(id_: str) -> None:
    for item in items(form(id_)):
        assert spanish(item, "text"), item["linkId"]
        for coding in options(item):
            assert spanish(coding, "display"), (item["linkId"], coding["code"])


@pytest.mark.parametrize("id_", FORMS)
def test_what_a_form_says_of_itself_has_its_spanish_words(id_: str) -> None:
    found = form(id_)
    assert all(spanish(found, name) for name in ("title", "description", "purpose"))


@pytest.mark.parametrize("id_", FORMS)
def test_every_label_in_an_extension_has_its_spanish_words(id_: str) -> None:
    labels = [
        one
        for one in elements(form(id_))
        if str(one.get("url", "")).endswith("sdc-questionnaire-openLabel")
    ]
    assert all(spanish(one, "valueString") for one in labels)


def test_the_same_code_has_the_same_words_everywhere() -> None:
    seen: dict[tuple[str, str], tuple[str, str | None]] = {}
    for id_ in FORMS:
        for item in items(form(id_)):
            for one in options(item):
                words = (one["display"], spanish(one, "display"))
                assert seen.setdefault((one["system"], one["code"]), words) == words


def test_the_code_system_says_in_spanish_what_the_forms_say() -> None:
    concepts = {
        one["code"]: {word["language"]: word["value"] for word in one["designation"]}
        for one in read(ROOT / "codesystems/CodeSystem-previsit.json")["concept"]
    }
    assert all(words["es"] for words in concepts.values())
    for id_ in FORMS:
        for item in items(form(id_)):
            for one in options(item):
                if one["system"].endswith("/CodeSystem/previsit"):
                    assert concepts[one["code"]]["es"] == spanish(one, "display")


@pytest.mark.parametrize("path", sorted((ROOT / "valuesets").glob("*.json")), ids=lambda p: p.stem)
def test_every_concept_of_a_value_set_has_its_spanish_words(path: Path) -> None:
    for include in read(path)["compose"]["include"]:
        for concept in include.get("concept", ()):
            assert any(word["language"] == "es" for word in concept["designation"])


def test_every_placeholder_of_the_english_words_is_in_the_spanish_ones() -> None:
    for id_ in FORMS:
        for item in items(form(id_)):
            words = (item["text"], spanish(item, "text") or "")
            for name in ("{clinicPhone}", "{doctorName}"):
                assert (name in words[0]) == (name in words[1]), item["linkId"]
