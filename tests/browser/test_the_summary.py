"""The oncologist's page in a real browser: one screen, one sheet of paper, each line proven."""

from __future__ import annotations

import io
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from unicodedata import normalize

import pytest

from fhir_service.workflow import sessions as keeping
from fhir_service.workflow.session import Session
from tests.browser.judged import must_be_read_well
from tests.support.chromium import (
    DESKTOP,
    PHONE,
    SCREENSHOTS,
    Address,
    Watched,
    new_page,
    picture,
    served,
)
from tests.support.forms import FORMS, ROOT

if TYPE_CHECKING:
    from playwright.sync_api import Browser

SIZES = (pytest.param(PHONE, id="phone"), pytest.param(DESKTOP, id="desktop"))
PAGES = ("", "answers")
WITHOUT_AN_ANSWER = [
    "No owner named, team flags off: nobody was alerted.",
    "No earlier answers to compare with.",
    "Not answered",
    "Not asked",
]


@pytest.fixture(scope="module")
def visit(
    chromium: Browser, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Address, str, str]]:
    """A service with one visit's typical answers: its address, the page's path, a staff cookie."""
    with served(tmp_path_factory.mktemp("summary")) as address:
        running = address.running
        running.service.publish_shipped()
        ids = []
        for form in FORMS:
            body = (ROOT / form / "responses" / "typical.json").read_bytes()
            reply = running.send("POST", "/fhir/QuestionnaireResponse", body)
            assert reply.status_code == 201, reply.text
            ids.append(reply.headers["Location"].split("/")[-3])
        moment, late = datetime(2026, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)
        draft = Session("", "staff", "tests", "user/*.rs", moment, moment, late, user="Dr Example")
        yield address, f"/summary/{ids[-1]}/", keeping.begin(running.service.site, draft).secret


def _words(text: str) -> str:
    return " ".join(text.split())


def opened(
    chromium: Browser, visit: tuple[Address, str, str], size: tuple[int, int], below: str = ""
) -> Watched:
    """The page, as staff see it who are logged in."""
    address, path, secret = visit
    watched = new_page(chromium, address, size)
    cookie = {"name": "fhir-staff", "value": secret, "url": address.base_url}
    watched.page.context.add_cookies([cookie])  # type: ignore[list-item]
    watched.page.goto(f"{address.base_url}{path}{below}")
    return watched


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("below", PAGES)
def test_the_page_is_sound_at_this_size(
    chromium: Browser, visit: tuple[Address, str, str], size: tuple[int, int], below: str
) -> None:
    watched = opened(chromium, visit, size, below)
    picture(watched.page, f"summary-{below or 'sheet'}-{size[0]}")
    must_be_read_well(watched)
    watched.page.context.close()


def test_the_list_of_visits_leads_to_the_sheet(
    chromium: Browser, visit: tuple[Address, str, str]
) -> None:
    watched = opened(chromium, visit, PHONE)
    watched.page.goto(f"{visit[0].base_url}/summary/")
    picture(watched.page, "summaries-390")
    must_be_read_well(watched)
    watched.page.locator("main a").first.click()
    assert watched.page.url.endswith(visit[1])
    watched.page.context.close()


def test_the_sheet_fits_one_screen_of_1280_by_800(
    chromium: Browser, visit: tuple[Address, str, str]
) -> None:
    page = opened(chromium, visit, DESKTOP).page
    tall = page.evaluate("document.documentElement.scrollHeight")
    assert tall <= 800, f"{tall} pixels"
    page.context.close()


@pytest.mark.parametrize("paper", ["A4", "Letter"])
def test_the_sheet_is_one_page_of_paper(
    chromium: Browser, visit: tuple[Address, str, str], paper: str
) -> None:
    from pypdf import PdfReader  # noqa: PLC0415  with the other needs of the tests

    page = opened(chromium, visit, DESKTOP).page
    printed = page.pdf(format=paper, prefer_css_page_size=False)
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    (SCREENSHOTS / f"summary-{paper}.pdf").write_bytes(printed)
    sheets = PdfReader(io.BytesIO(printed)).pages
    assert len(sheets) == 1
    words = _words(normalize("NFKC", sheets[0].extract_text()))  # ligatures apart
    assert "Patient-reported" in words
    assert "Text for a note" not in words  # nobody presses a link on paper
    for title in page.locator("h2").all_inner_texts():
        assert _words(title) in words
    page.context.close()


def test_every_line_leads_by_keyboard_to_the_question_as_it_was_asked(
    chromium: Browser, visit: tuple[Address, str, str]
) -> None:
    """Tab goes through the links as they stand, and each is seen while it has the focus."""
    page = opened(chromium, visit, DESKTOP).page
    links = page.locator("a[href]")
    wanted = [link.get_attribute("href") for link in links.all()]
    reached = []
    focused = page.locator("a:focus")
    for _ in wanted:
        page.keyboard.press("Tab")
        reached.append(focused.get_attribute("href"))
    assert reached == wanted
    assert focused.evaluate("e => getComputedStyle(e).outlineStyle") != "none"
    answers = [href for href in wanted if href and href.startswith("answers#")]
    assert len(answers) > 60
    page.locator(f"a[href='{answers[0]}']").first.focus()
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/{answers[0]}")
    target = page.locator("li:target")
    assert target.locator(".q").inner_text().strip()
    assert target.locator(".a").first.inner_text().strip()
    page.context.close()


def test_a_line_without_a_link_says_what_there_is_no_answer_for(
    chromium: Browser, visit: tuple[Address, str, str]
) -> None:
    """Nobody owns the flags, nothing to compare with, and what was not answered: no more."""
    page = opened(chromium, visit, DESKTOP).page
    unproven = page.evaluate(
        "[...document.querySelectorAll('.page li, .page tbody th, .page p > span')]"
        ".filter(e => !e.querySelector('a[href^=\"answers#\"]')).map(e => e.innerText.trim())"
    )
    assert [_words(one).partition(" (")[0] for one in unproven] == WITHOUT_AN_ANSWER
    page.context.close()


def test_no_script_is_needed(chromium: Browser, visit: tuple[Address, str, str]) -> None:
    address, path, secret = visit
    watched = new_page(chromium, address, DESKTOP, java_script_enabled=False)
    cookie = {"name": "fhir-staff", "value": secret, "url": address.base_url}
    watched.page.context.add_cookies([cookie])  # type: ignore[list-item]
    watched.page.goto(f"{address.base_url}{path}")
    assert watched.page.locator("script").count() == 0
    assert watched.page.locator("h2").count() > 5
    assert not watched.noticed
    watched.page.context.close()
