"""The example responses beside each form are what their page says of them.

http://hl7.org/fhir/R4/questionnaireresponse.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from fhir_service.sdc.compiled import compile_form
from fhir_service.sdc.pairing import Node, pair
from tests.support.forms import FORMS, ROOT, form, items, named, options, read, response_files
from tests.support.forms import spanish as in_spanish

ACCEPTED = [path for path in response_files() if not path.stem.startswith("refused-")]
REFUSED = [path for path in response_files() if path.stem.startswith("refused-")]
NEVER_TOGETHER = {"respondent-relation"}


def nodes(path: Path) -> Iterator[Node]:
    """Every item of the form beside the answers of an example."""

    def below(found: Sequence[Node]) -> Iterator[Node]:
        for node in found:
            yield node
            yield from below(node.nodes)
            for answer in node.answers:
                yield from below(answer.nodes)

    yield from below(pair(compile_form(form(path.parents[1].name)), read(path)))


@pytest.mark.parametrize("id_", FORMS)
def test_every_form_has_its_examples(id_: str) -> None:
    names = {path.stem for path in (ROOT / id_ / "responses").glob("*.json")}
    assert names >= {"minimal", "typical", "typical-es", "everything", "in-progress"}
    assert len([name for name in names if name.startswith("refused-")]) >= 3


@pytest.mark.parametrize("id_", FORMS)
def test_the_page_of_the_examples_names_each_of_them(id_: str) -> None:
    page = (ROOT / id_ / "responses/README.md").read_text(encoding="utf-8")
    files = {path.name for path in (ROOT / id_ / "responses").glob("*.json")}
    assert set(re.findall(r"^\| `([^`]+)`", page, re.MULTILINE)) == files


@pytest.mark.parametrize("path", response_files(), ids=named)
def test_an_example_names_its_form_a_patient_and_its_status(path: Path) -> None:
    found = read(path)
    id_ = path.parents[1].name
    assert found["questionnaire"] == f"{form(id_)['url']}|{form(id_)['version']}"
    assert re.fullmatch(r"Patient/(ada|eva)-example", found["subject"]["reference"])
    assert found["status"] == ("in-progress" if path.stem == "in-progress" else "completed")
    assert found["authored"].startswith("2026-11-20T")


@pytest.mark.parametrize("path", ACCEPTED, ids=named)
def test_an_example_quotes_the_form_in_its_language(path: Path) -> None:
    found = read(path)
    known = {item["linkId"]: item for item in items(form(path.parents[1].name))}
    every_option = {one["code"]: one for item in known.values() for one in options(item)}
    for item in items(found):
        asked = known[item["linkId"]]
        assert item["text"] == words(asked, "text", found["language"])
        for answer in item.get("answer", ()):
            if "valueCoding" in answer:
                given = answer["valueCoding"]
                offered = {one["code"] for one in options(asked)} or every_option.keys()
                assert given["code"] in offered
                assert given["display"] == words(
                    every_option[given["code"]], "display", found["language"]
                )


def words(element: dict[str, Any], name: str, language: str) -> str | None:
    """The words of an element in a language."""
    return in_spanish(element, name) if language == "es" else str(element[name])


@pytest.mark.parametrize("path", ACCEPTED, ids=named)
def test_an_example_answers_nothing_that_is_not_shown(path: Path) -> None:
    assert [n.item.link_id for n in nodes(path) if n.answers and not n.enabled] == []


@pytest.mark.parametrize("id_", FORMS)
def test_everything_answers_every_question_that_is_shown(id_: str) -> None:
    path = ROOT / id_ / "responses/everything.json"
    questions = [n for n in nodes(path) if n.item.type not in {"group", "display"}]
    assert [n.item.link_id for n in questions if n.enabled and not n.answers] == []
    hidden = {n.item.link_id for n in questions if not n.enabled}
    assert hidden <= NEVER_TOGETHER


def test_the_typical_answers_are_one_story() -> None:
    stories = [read(ROOT / id_ / "responses/typical.json") for id_ in FORMS]
    assert {one["subject"]["reference"] for one in stories} == {"Patient/ada-example"}
    given = {
        item["linkId"]: [value for answer in item["answer"] for value in answer.values()]
        for story in stories
        for item in items(story)
        if "answer" in item
    }
    assert {one["code"] for one in given["safety-now"]} == {
        "fever-or-chills",
        "severe-back-or-neck-pain",
    }
    assert given["top-question-2"] == given["own-question"]
    assert (given["phq2-total"], given["gad2-total"]) == ([3], [5])


@pytest.mark.parametrize("path", [p for p in ACCEPTED if p.parents[1].name.startswith("pre")])
def test_a_score_is_the_sum_of_its_two_answers(path: Path) -> None:
    known = {item["linkId"]: item for item in items(form("previsit-recurrent-breast"))}
    weights = {
        one["code"]: one["extension"][0]["valueDecimal"] for one in options(known["phq2-down"])
    }
    given = {
        n.item.link_id: n.answers[0].value
        for n in nodes(path)
        if n.answers and n.item.link_id.startswith(("phq2", "gad2"))
    }
    for total, parts in (
        ("phq2-total", ("phq2-interest", "phq2-down")),
        ("gad2-total", ("gad2-nervous", "gad2-worry")),
    ):
        scores = [weights[given[part]["code"]] for part in parts if part in given]
        assert given.get(total) == (sum(scores) if len(scores) == len(parts) else None)
