"""The hints beside the questions: each has its cases, and speaks of what the forms have."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from fhir_service.catalogue.hint_files import load_hints
from fhir_service.catalogue.shipped import folder
from fhir_service.catalogue.summary_mappings import MappingFault
from fhir_service.web.wording import languages
from fhir_service.workflow.hints import Hints
from tests.support.cases import CASES, cases
from tests.support.forms import form, items

HINTS = load_hints(folder("mappings") / "hints")
ALL = [pytest.param(one, id=one.form.rpartition("/")[2]) for one in HINTS.values()]
SENSITIVE = {"H-MASTECTOMY", "H-TRIPLE-NEG", "H-BONE", "H-SPREAD"}


def _response(answers: dict[str, list[Any]]) -> dict[str, Any]:
    def value(given: Any) -> dict[str, Any]:
        return (
            {"valueCoding": {"code": given}} if isinstance(given, str) else {"valueInteger": given}
        )

    made = [
        {"linkId": link_id, "answer": [value(one) for one in given]}
        for link_id, given in answers.items()
    ]
    return {"resourceType": "QuestionnaireResponse", "item": [{"linkId": "a-group", "item": made}]}


def _codes(form_: dict[str, Any]) -> dict[str, set[str]]:
    return {
        item["linkId"]: {one["valueCoding"]["code"] for one in item.get("answerOption", ())}
        for item in items(form_)
    }


@pytest.mark.parametrize(("document", "case"), cases("hints"))
def test_a_hint_is_shown_as_the_answers_say(
    document: dict[str, Any], case: dict[str, Any]
) -> None:
    found = HINTS[document["form"]].that_hold(_response(case["answers"]))
    assert [one.id for one in found] == case["shown"]


def test_every_hint_has_a_case_that_brings_it_up() -> None:
    shown = {one for parameter in cases("hints") for one in parameter.values[1]["shown"]}
    assert shown == {one.id for hints in HINTS.values() for one in hints.hints}
    assert CASES.joinpath("hints").is_dir()


@pytest.mark.parametrize("hints", ALL)
def test_a_hint_asks_and_suggests_only_what_the_forms_have(hints: Hints) -> None:
    source, own = (form(url.rpartition("/")[2]) for url in (hints.source, hints.form))
    known = _codes(source)
    assert hints.at in _codes(own)
    suggested = set().union(*_codes(own).values())
    for one in hints.hints:
        assert set(one.when.names) == {hints.variable}, one.id
        assert set(one.when.link_ids) <= set(known), one.id
        offered = set().union(*(known[link_id] for link_id in one.when.link_ids))
        assert set(re.findall(r"code='([^']+)'", one.when.text)) <= offered, one.id
        assert set(one.suggests) <= suggested, one.id
        assert set(one.text) == set(languages()), one.id


def test_what_speaks_of_spread_asks_what_she_wants_to_know() -> None:
    found = {one.id: one for hints in HINTS.values() for one in hints.hints}
    assert set(found) >= SENSITIVE
    assert all("info-wanted" in found[id_].when.link_ids for id_ in SENSITIVE)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('from = "', 'form_ = "'),
        ("%previsit.descendants()", "%previsit.descendants("),
        ('en = "People', 'fr = "People'),
        ("[[hint]]", "[[hint"),
    ],
)
def test_a_file_with_a_fault_is_refused_with_its_name(
    tmp_path: Path, before: str, after: str
) -> None:
    text = (folder("mappings") / "hints" / "doctor-questions.toml").read_text(encoding="utf-8")
    assert before in text
    (tmp_path / "own.toml").write_text(text.replace(before, after, 1), encoding="utf-8")
    with pytest.raises(MappingFault, match=r"own\.toml"):
        load_hints(tmp_path)
