"""Random answers to random forms by random mappings: every rendering says all, and no more.

What must be there is worked out from plain JSON, and read back from each rendering's bytes by
parsers that are not ours.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from random import Random

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fhir_service.render.fonts import shows
from fhir_service.render.html import html
from fhir_service.render.pdf import Printer
from fhir_service.render.text import text
from fhir_service.summary.document import document
from fhir_service.summary.listing import listing
from fhir_service.summary.model import Fact
from fhir_service.summary.visible import plain, visible
from tests.support.random_summaries import Case, a_case, expected
from tests.support.readings import Page, close, follow, of_document, of_page, of_pdf

BASE = "https://summary.example.org/fhir"
CASES = st.builds(a_case, st.randoms(use_true_random=False))
LINE = "=" * 80
needs_poppler = pytest.mark.skipif(shutil.which("pdftotext") is None, reason="no pdftotext")

OURS = set(
    """
    about alerted all also another answer answered answers appendix are ask asked before
    better changed check compare compares cst declined diagnosis each earlier flags further
    given gives has here item known leads more name named new nobody none not now off order
    other out own owner quoted ranked rather real received reference report reported
    reviewed rules ruled safety same scored sent service someone staff stated sure team that
    the this ticked time underlined version visit wants was watched what with words worse
    would yes
    """.split()  # noqa: SIM905
)


def wanted(case: Case, *, ascii_codes: bool = False) -> list[str]:
    """What must be read behind the head of all answers, as it is shown."""
    return [
        visible(words) if own or not ascii_codes else plain(visible(words))
        for words, own in expected(case)
    ]


def encoded(case: Case) -> bytes:
    made = document(case.again(), base_url=BASE)
    return msgspec.json.Encoder(decimal_format="number").encode(made)


def behind(words: str, head: str) -> str:
    return close(words).rpartition(close(head))[2]


def hold_text(case: Case) -> None:
    made = text(case.summary)
    assert made == text(case.again())
    lines = made.splitlines()
    assert all(len(line) <= 80 for line in lines)
    assert lines.index(LINE) - 1 <= 45
    head = "APPENDIX: ALL ANSWERS, in the order of each form"
    assert follow(behind(made, head), wanted(case, ascii_codes=True)) is None


def hold_page(case: Case) -> None:
    made = html(case.summary)
    assert made == html(case.again())
    page = Page(made)
    assert not page.handlers
    assert not page.tags & {"script", "img", "iframe", "object", "form", "input"}
    assert len(page.ids) == len(set(page.ids))
    assert {link.removeprefix("#") for link in page.links} <= set(page.ids)
    head = "All answers, in the order of each form"
    assert follow(behind(of_page(made), head), wanted(case)) is None


def hold_document(case: Case) -> None:
    made = json.loads(encoded(case))
    assert encoded(case) == encoded(case)
    assert follow(behind(of_document(made), "All answers"), wanted(case)) is None


def hold_facts(case: Case) -> None:
    """Each value stands where it says that it comes from; the patient's words are unaltered."""
    for told in values(listing(case.summary)):
        assert "from" in told or told["kind"] == "derived", told
    answered = [
        one
        for form in listing(case.summary)["answers"][:1]
        for one in form["items"]
        if one["values"]
    ]
    shown = [value["words"] for one in answered for value in one["values"]]
    for words, own in expected(case):
        assert not own or words in shown


def values(told: object) -> Iterator[dict[str, object]]:
    if isinstance(told, dict):
        if "words" in told and "kind" in told:
            yield told
        for one in told.values():
            yield from values(one)
    elif isinstance(told, list):
        for one in told:
            yield from values(one)


def hold_same(case: Case) -> None:
    """Every fact is told in each rendering, in the order of the page where all are in one row."""
    in_document = close(of_document(document(case.summary, base_url=BASE)))
    in_text, in_page = close(text(case.summary)), close(of_page(html(case.summary)))
    for section in case.summary.sections:
        facts = [needle for fact in section.facts for needle in parts(fact)]
        assert follow(in_document, facts) is None
        for needle in facts:
            assert close(plain(needle)) in in_text or close(needle) in in_text
            assert close(needle) in in_page


def parts(fact: Fact) -> Iterator[str]:
    """The words of a fact, in the order in which every rendering has them; lists are cut short."""
    if fact.label:
        yield visible(fact.label)
    if fact.change is not None:
        yield fact.change.direction
        yield fact.change.on
    else:
        for value in fact.values[:1]:
            yield visible(value.words)[:200]
        if fact.says:
            yield visible(fact.says)


def hold_sources(case: Case) -> None:
    """No word is read that neither answers, form and mapping have, nor our own short list."""
    given = [case.form, case.response, case.earlier, msgspec.to_builtins(case.mapping)]
    known = close(visible("\n".join(leaves(given)))).casefold()
    renderings = (
        text(case.summary),
        of_page(html(case.summary)),
        of_document(document(case.summary, base_url=BASE)),
    )
    for made in renderings:
        read = re.sub(r"\d+\s+bytes", "", made.casefold())  # how large an attachment is
        words = set(re.findall(r"[^\W_]{3,}", read)) - OURS
        strange = {word for word in words if close(word) not in known}
        assert not strange


def leaves(told: object) -> Iterator[str]:
    """Everything that is said in JSON, the names of its properties left out."""
    if isinstance(told, dict):
        for one in told.values():
            yield from leaves(one)
    elif isinstance(told, list | tuple):
        for one in told:
            yield from leaves(one)
    elif told is not None:
        yield str(told)


HOLDS = (hold_text, hold_page, hold_document, hold_facts, hold_same, hold_sources)


def hold(case: Case) -> None:
    for one in HOLDS:
        one(case)


@given(CASES)
@settings(max_examples=25)
def test_every_rendering_says_all_and_no_more(case: Case) -> None:
    hold(case)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(8))
def test_every_rendering_of_many_says_all_and_no_more(seed: int) -> None:
    random = Random(seed)
    for _ in range(250):
        hold(a_case(random, random.choice([8, 20, 60])))


def hold_pdf(case: Case, printer: Printer) -> None:
    pages = of_pdf(printer.pdf(case.summary))
    head = "All answers, in the order of each form"
    assert close(head) not in close(pages[0])
    appendix = behind(" ".join(pages), head)
    needles = [visible(words, shows).replace("\t", "    ") for words, _ in expected(case)]
    assert follow(appendix, needles) is None
    heads = ("Further, for reference", "Earlier answers that this summary compares with", head)
    assert close(pages[1]).startswith(tuple(close(one) for one in heads))


@needs_poppler
def test_the_pdf_says_all_on_one_sheet_and_what_follows() -> None:
    random = Random(7)
    with Printer() as printer, Printer() as another:
        cases = [a_case(random) for _ in range(8)]
        for case in cases:
            hold_pdf(case, printer)
        assert printer.pdf(cases[0].summary) == another.pdf(cases[0].again())


@needs_poppler
@pytest.mark.long
@pytest.mark.parametrize("seed", range(4))
def test_the_pdf_of_many_says_all_on_one_sheet_and_what_follows(seed: int) -> None:
    random = Random(100 + seed)
    with Printer() as printer:
        for _ in range(60):
            hold_pdf(a_case(random, random.choice([8, 20, 60])), printer)
