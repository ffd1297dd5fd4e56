from __future__ import annotations

import re
from pathlib import Path
from string import Formatter
from typing import Any, get_args

import msgspec
import pytest

import fhir_service
from fhir_service.sdc.codes import Ask, FoundCodes
from fhir_service.sdc.compiled import Form, compile_form
from fhir_service.sdc.items import ValueKind
from fhir_service.sdc.keys import KEYS
from fhir_service.sdc.operation_keys import OPERATION_KEYS
from fhir_service.sdc.responses import decode
from fhir_service.sdc.validation import envelope, validate
from fhir_service.sdc.validation.context import Check
from fhir_service.sdc.validation.walk import run
from fhir_service.sdc.validation.wording import KINDS, WORDING
from tests.support.cases import cases
from tests.support.codes import sources

FORM = {"resourceType": "Questionnaire", "url": "http://example.org/form", "version": "1"}
RESPONSE = {
    "resourceType": "QuestionnaireResponse",
    "status": "completed",
    "questionnaire": "http://example.org/form|1",
    "subject": {"reference": "Patient/ada-example"},
    "authored": "2026-11-22",
}
RULES = [*cases("validation"), *cases("expressions")]
encode = msgspec.json.Encoder(decimal_format="number").encode


VALUE_SET = {
    "resourceType": "ValueSet",
    "url": "http://example.org/vs",
    "compose": {"include": [{"system": "http://loinc.org", "concept": [{"code": "x"}]}]},
}


class AServer:
    """A terminology server that says of these codes, whatever the value set, what is given."""

    def __init__(self, says: dict[str, bool | None]) -> None:
        self._says = says

    def for_one_check(self) -> Ask:
        return lambda _value_set, _system, code: self._says[code]


def the_codes(document: dict[str, Any]) -> FoundCodes:
    """One value set with one code, those of the document, and the server that it has."""
    known = sources([VALUE_SET, *document.get("terminology", ())])
    return FoundCodes(known, AServer(document["server"]) if "server" in document else None)


def a_form(document: dict[str, Any]) -> Form:
    return compile_form({"status": "active", **FORM, **document["form"]})


def a_response(case: dict[str, Any]) -> bytes:
    given = {**RESPONSE, **case["response"]}
    return encode({name: value for name, value in given.items() if value not in (None, [])})


@pytest.mark.parametrize(("document", "case"), RULES)
def test_a_response_has_the_findings_that_its_form_makes(
    document: dict[str, Any], case: dict[str, Any]
) -> None:
    found = validate(a_form(document), decode(a_response(case)), codes=the_codes(document))
    expected = [tuple(each[:2]) for each in case["findings"]]
    assert [(issue.key, issue.expression) for issue in found] == expected
    for issue, told in zip(found, case["findings"], strict=True):
        assert [issue.severity] == (told[2:] or [issue.severity])
        assert issue.code == KEYS[issue.key].code


@pytest.mark.parametrize(("document", "case"), RULES)
def test_passing_by_what_is_plainly_right_changes_no_finding(
    document: dict[str, Any], case: dict[str, Any]
) -> None:
    form, codes = a_form(document), the_codes(document)
    check = Check(form, decode(a_response(case)), codes, None)
    for rule in envelope.RULES:
        rule(check)
    run(check, careful=True)
    assert validate(form, decode(a_response(case)), codes=codes) == check.told()


def test_every_key_has_a_case_that_makes_it_and_one_that_just_does_not() -> None:
    made: dict[str, bool] = dict.fromkeys(KEYS, False)
    beside: dict[str, bool] = dict.fromkeys(KEYS, False)
    for document, case in (each.values for each in RULES):
        keys = {finding[0] for finding in case["findings"]}
        for key in KEYS:
            made[key] |= key in keys
            beside[key] |= key not in keys and _belongs(key, document)
    assert [key for key in KEYS if not made[key]] == []
    assert [key for key in KEYS if not beside[key]] == []


_BESIDE = {
    "form-not-active": "A form that is active is not",
}


def _belongs(key: str, document: dict[str, Any]) -> bool:
    """Whether the file is about this key: one of its cases makes it, or it is its other half."""
    if key in _BESIDE:
        return bool(document["says"] == _BESIDE[key])
    made = {finding[0] for case in document["cases"] for finding in case["findings"]}
    return key in made


def test_every_key_has_its_sentence_and_every_sentence_its_key() -> None:
    for templates in WORDING.values():
        assert templates.keys() == KEYS.keys()


def test_a_sentence_has_the_same_fields_in_every_language() -> None:
    def fields(template: str) -> set[str | None]:
        return {name for _, name, _, _ in Formatter().parse(template) if name is not None}

    for key, template in WORDING["en"].items():
        for language, templates in WORDING.items():
            assert fields(templates[key]) == fields(template), (language, key)


def test_every_type_of_value_has_a_plain_name_in_every_language() -> None:
    assert all(names.keys() == set(get_args(ValueKind)) for names in KINDS.values())


SPOKEN = {
    None: "Dolor: the answer must be a whole number; text was sent.",
    "en-GB": "Dolor: the answer must be a whole number; text was sent.",
    "es": "Dolor: la respuesta tiene que ser un número entero; se recibió texto.",
    "es-MX": "Dolor: la respuesta tiene que ser un número entero; se recibió texto.",
    "fi": "Dolor: the answer must be a whole number; text was sent.",
}


@pytest.mark.parametrize("language", SPOKEN)
def test_a_finding_is_told_in_the_language_asked_for_else_in_english(language: str) -> None:
    items = [{"linkId": "a", "type": "integer", "text": "Dolor"}]
    form = compile_form({**FORM, "status": "active", "item": items})
    answers = [{"linkId": "a", "answer": [{"valueString": "x"}]}]
    (issue,) = validate(form, decode(encode({**RESPONSE, "item": answers})), language=language)
    assert issue.says == SPOKEN[language]


def test_where_an_item_belongs_is_told_in_spanish() -> None:
    inner = [{"linkId": "b", "type": "string"}]
    items = [
        {"linkId": "a", "type": "string", "text": "Dolor"},
        {"linkId": "g", "type": "group", "text": "Cuerpo", "item": inner},
    ]
    form = compile_form({**FORM, "status": "active", "item": items})
    answers = [
        {"linkId": "b", "answer": [{"valueString": "x"}]},
        {"linkId": "g", "item": [{"linkId": "a", "answer": [{"valueString": "x"}]}]},
    ]
    found = validate(form, decode(encode({**RESPONSE, "item": answers})), language="es")
    assert [issue.says for issue in found] == [
        "b: este elemento va en «Cuerpo».",
        "Dolor: este elemento va al principio, fuera de todo grupo.",
    ]


def test_no_sentence_repeats_what_a_patient_wrote() -> None:
    form = compile_form(
        {**FORM, "status": "active", "item": [
            {"linkId": "a", "type": "string", "maxLength": 3, "text": "A"},
            {"linkId": "b", "type": "integer", "text": "B"},
        ]}
    )  # fmt: skip
    wrote = "Mrs Example, born 1951"
    items = [{"linkId": name, "answer": [{"valueString": wrote}]} for name in ("a", "b")]
    found = validate(form, decode(encode({**RESPONSE, "item": items})))
    assert [issue.key for issue in found] == ["answer-too-long", "answer-type"]
    assert not any(wrote in issue.says for issue in found)


def test_a_finding_names_the_question_in_the_language_asked_for() -> None:
    document = next(each.values[0] for each in cases("validation", "item_text.json"))
    case: dict[str, Any] = {}
    case["response"] = {"item": [{"linkId": "a", "text": "?", "answer": [{"valueString": "x"}]}]}
    (issue,) = validate(a_form(document), decode(a_response(case)), language="es-MX")
    assert issue.says.startswith("Dolor")
    assert issue.link_id == "a"


def test_every_key_of_populate_and_extract_is_explained_and_used() -> None:
    folder = Path(fhir_service.__file__).parent
    used = {
        key
        for path in folder.rglob("*.py")
        if path.name != "operation_keys.py"
        for key in re.findall(r'"((?:populate|extract)-[a-z-]+)"', path.read_text("utf-8"))
    }
    assert used == set(OPERATION_KEYS)
