"""A patient at the page in a real browser: she opens her link, answers what she sees, goes on."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from fhir_service.workflow.links import Terms, create_link
from tests.support.chromium import Address
from tests.support.ways import CLINIC

if TYPE_CHECKING:
    from playwright.sync_api import Page

BASE: Final = "https://fhir-service.example.org/fhir/Questionnaire"
PREVISIT: Final = f"{BASE}/previsit-recurrent-breast|1.0.0"
QUESTIONS: Final = f"{BASE}/doctor-questions|1.0.0"
COPING: Final = f"{BASE}/coping-support|1.0.0"

_ANSWER: Final = Path(__file__).with_suffix(".js")


def link_to(address: Address, form: str = PREVISIT, patient: str = "ada", **terms: Any) -> str:
    """A new link to this form."""
    site = address.running.service.site
    made = create_link(site, CLINIC, patient=patient, questionnaire=form, terms=Terms(**terms))
    return made.address


def come_in(page: Page, link: str, language: str = "en", who: str = "patient") -> None:
    """Open the link, say the date of birth; the form's first page, or where she was, comes up."""
    page.goto(f"{link}?lang={language}")
    for name, value in (("day", "27"), ("month", "3"), ("year", "1951")):
        page.locator(f"#{name}").fill(value)
    page.locator(f"input[name=who][value={who}]").check()
    if who == "helper":
        page.locator("#name").fill("Bea Example")
        page.locator("#relation").select_option("child")
    page.locator("button[type=submit]").click()
    page.wait_for_url("**/forms/**")


def start(page: Page) -> None:
    """From the first page to the first step."""
    page.locator("main form button").first.click()
    page.wait_for_url("**/1")


def answer(page: Page) -> None:
    """Answer, as shortly as may be, everything that is seen on this step and not answered."""
    page.locator("form[data-save]").evaluate(
        _ANSWER.read_text(encoding="utf-8").partition("\n")[2]
    )


def go(page: Page, where: str = "next") -> None:
    """Press the button: next, later, update, anyway, send."""
    page.locator(f"button[name=go][value={where}]:not(.default)").click()
    page.wait_for_load_state()


def is_step(page: Page) -> bool:
    """Whether this is a step with questions."""
    return page.locator("form[data-save]").count() > 0


def answer_all(page: Page, most: int = 60) -> None:
    """Answer every step until the page to check everything comes; fails where it never does."""
    for _ in range(most):
        if not is_step(page):
            break
        before = page.url
        answer(page)
        go(page)
        if page.url == before and page.locator(".problems").count():
            answer(page)
            go(page)
    assert page.url.endswith("/check"), (page.url, page.locator("main").inner_text()[:1500])
