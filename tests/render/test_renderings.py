"""Text, page and PDF: the same facts, every answer unaltered, hostile words harmless."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path
from typing import cast

import pypdf
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pypdf.generic import DictionaryObject
from typing_extensions import override

from fhir_service.render.html import html
from fhir_service.render.pdf import Printer
from fhir_service.render.text import text
from fhir_service.summary.facts import Summary
from fhir_service.summary.patient_copy import CopyRow, CopySection, PatientCopy, Question
from fhir_service.summary.visible import plain, visible
from tests.support.summaries import (
    PREVISIT,
    example,
    followed,
    response,
    source,
    summary_of,
    typical,
)

SNAPSHOT = Path(__file__).parent / "typical.txt"
FOLLOWED = SNAPSHOT.with_name("followed.txt")
HOSTILE = (
    "<script>alert(1)</script>",
    'x" onmouseover="alert(1)',
    "{{ 7*7 }} {% raw %} #panic() $x$ *bold* @label",
    "\\rtf1 |^~\\& =HYPERLINK(1)",
    "evil \u202egnp.exe\u202c and \u2066isolate\u2069",
    "W" + "abcdefghij" * 40 + "X",
    "first line\nsecond line",
    "日本語 and 🙂 and שלום",
)


class _Words(HTMLParser):
    """The text of a page, and the elements it has."""

    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []
        self.tags: set[str] = set()
        self.ids: list[str] = []
        self.links: list[str] = []

    @override
    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        named = dict(attrs)
        self.ids += [one] if (one := named.get("id")) else []
        self.links += [one] if (one := named.get("href")) else []
        assert not any(name.startswith("on") for name in named)

    @override
    def handle_data(self, data: str) -> None:
        self.words.append(data)


def page_of(summary: Summary) -> _Words:
    parser = _Words()
    parser.feed(html(summary))
    return parser


def close(words: str) -> str:
    """Words without white space: a line may break anywhere."""
    return re.sub(r"\s+", "", words)


def worried(words: str) -> Summary:
    return summary_of(source(PREVISIT, response(PREVISIT, {"main-concern": words})))


def shown(summary: Summary) -> Iterator[str]:
    for one in summary.appendix:
        for asked in one.asked:
            for value in asked.values:
                yield visible(value.words)


@pytest.fixture(scope="module")
def printer() -> Iterator[Printer]:
    with Printer() as one:
        yield one


def pdf_words(pdf: bytes) -> str:
    return "".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(pdf)).pages)


def test_the_typical_text_is_as_it_was_reviewed() -> None:
    assert text(typical()) == SNAPSHOT.read_text("utf-8")


def test_the_text_of_a_patient_who_answered_before_is_as_it_was_reviewed() -> None:
    assert text(followed()) == FOLLOWED.read_text("utf-8")


def test_the_first_minute_of_the_typical_text_has_at_most_45_lines_of_80_columns() -> None:
    lines = text(typical()).splitlines()
    assert all(len(line) <= 80 for line in lines)
    assert lines.index("=" * 80) - 1 <= 45


def test_our_own_words_are_ascii_in_text() -> None:
    summary = summary_of(source("coping-support", example("coping-support")))
    assert text(summary).isascii()


@pytest.mark.parametrize("name", ["minimal", "typical", "everything"])
def test_every_answer_is_in_every_rendering(name: str, printer: Printer) -> None:
    summary = typical(name)
    in_text = close(text(summary))
    in_page = close("".join(page_of(summary).words))
    in_pdf = close(pdf_words(printer.pdf(summary)))
    for words in shown(summary):
        assert close(words) in in_text or close(plain(words)) in in_text
        assert close(words) in in_page
        assert close(words) in in_pdf


@pytest.mark.parametrize("words", HOSTILE)
def test_hostile_words_are_shown_and_do_no_harm(words: str, printer: Printer) -> None:
    summary = worried(words)
    page = page_of(summary)
    assert close(visible(words)) in close("".join(page.words))
    assert "script" not in page.tags
    assert close(visible(words)) in close(text(summary))
    assert not set(text(summary)) & set("\u202e\u202c\u2066\u2069")
    assert all(len(line) <= 80 for line in text(summary).splitlines())
    pdf = close(pdf_words(printer.pdf(summary)))
    assert "U+65E5" in pdf if "日" in words else close(visible(words)) in pdf


@given(st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=200))
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_words_of_a_patient_are_in_text_and_page_unaltered(words: str) -> None:
    if not words.strip():
        return
    summary = worried(f"«{words}»")
    wanted = close(visible(f"«{words}»"))
    assert wanted in close(text(summary))
    assert wanted in close("".join(page_of(summary).words))


def test_each_link_of_the_page_leads_to_an_answer_on_it() -> None:
    page = page_of(typical())
    assert len(page.ids) == len(set(page.ids))
    assert page.links
    assert {link.removeprefix("#") for link in page.links} <= set(page.ids)


def test_the_page_fetches_nothing_and_runs_nothing() -> None:
    made = html(typical())
    assert not re.search(r"<(script|img|link|iframe|object|form)\b", made)
    assert "url(" not in made
    assert '<html lang="en">' in made


def test_the_same_summary_gives_the_same_bytes(printer: Printer) -> None:
    assert text(typical()) == text(typical())
    assert html(typical()) == html(typical())
    with Printer() as another:
        assert printer.pdf(typical()) == another.pdf(typical())


def test_the_pdf_is_tagged_has_its_fonts_and_one_page_before_the_answers(printer: Printer) -> None:
    reader = pypdf.PdfReader(io.BytesIO(printer.pdf(typical())))
    root = cast("DictionaryObject", reader.trailer["/Root"].get_object())
    marks = cast("DictionaryObject", root["/MarkInfo"])
    assert marks["/Marked"]
    assert str(root["/Lang"]) == "en"
    assert reader.metadata is not None
    assert "Pre-visit summary" in str(reader.metadata.title)
    assert "All answers" not in reader.pages[0].extract_text()
    assert reader.pages[1].extract_text().lstrip().startswith("All answers")


def test_a_printer_whose_process_died_prints_again() -> None:
    with Printer() as printer:
        first = printer.pdf(typical())
        assert printer._process is not None
        printer._process.kill()
        printer._process.wait()
        assert printer.pdf(typical("minimal"))[:5] == first[:5] == b"%PDF-"


def test_what_was_printed_is_at_hand_when_the_process_is_gone() -> None:
    with Printer() as printer:
        first = printer.pdf(typical())
        printer.close()
        assert printer.pdf(typical()) == first
        assert printer._process is None


def test_a_copy_loses_no_word_of_a_long_question_or_answer(printer: Printer) -> None:
    question, answer = "Why? " * 3000, "So. " * 3000
    row = CopyRow("How?", (answer,), "not answered")
    copy = PatientCopy(
        language="en",
        made=datetime(2026, 11, 25, tzinfo=UTC),
        title="My summary",
        name="",
        sent="Sent",
        reviewed="Not reviewed",
        watch="Nobody watches",
        asks="What I want to ask",
        questions=(Question(question, 1),),
        room="Room",
        answers="What I answered",
        form="A form",
        sections=(CopySection("A heading", (row,)),),
    )
    pages = pypdf.PdfReader(io.BytesIO(printer.patient_copy(copy))).pages
    for word in ("Why?", "So."):
        on_each = [page.extract_text().count(word) for page in pages]
        assert sum(on_each) == 3000
        assert max(on_each) < 2000, "more than fits on a sheet: it runs off the paper"
