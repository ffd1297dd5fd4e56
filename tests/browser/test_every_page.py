"""Every page of the shipped forms, empty, wrong and filled, in a real browser: nothing is amiss.

A sample here; the matrix of languages and widths in `make test-long`. Pictures of every state lie
in .cache/screenshots/.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

from tests.browser.judged import must_be_sound
from tests.support import patient
from tests.support.chromium import Address, Watched, new_page, picture

if TYPE_CHECKING:
    from playwright.sync_api import Browser

FORMS: Final = {
    "previsit": patient.PREVISIT,
    "questions": patient.QUESTIONS,
    "coping": patient.COPING,
}
SAMPLE: Final = (("previsit", "en", 390), ("questions", "es", 1280), ("coping", "es", 320))
MATRIX: Final = tuple(
    (form, language, width)
    for form in FORMS
    for language in ("en", "es")
    for width in (320, 360, 390, 768, 1280)
)
MOST_STEPS: Final = 40


class Visit:
    """One patient who looks at every page; each state is judged and kept as a picture."""

    def __init__(self, browser: Browser, address: Address, form: str, width: int) -> None:
        size = (width, 844 if width < 700 else 800)
        self.watched: Watched = new_page(browser, address, size)
        self.page = self.watched.page
        self.form = form
        self.width = width
        self.language = ""

    def judge(self, state: str) -> None:
        picture(self.page, f"{self.form}-{state}-{self.language}-{self.width}")
        must_be_sound(self.watched)

    def comes_in(self, link: str, language: str) -> None:
        self.language = language
        patient.come_in(self.page, link, language)
        assert self.page.locator("html").get_attribute("lang") == language
        self.judge("start")
        patient.start(self.page)

    def answers_a_step(self) -> None:
        """Nothing said, then all of it; what stands on the step is judged each time."""
        page, name = self.page, self.page.url.rpartition("/")[2]
        self.judge(f"{name}-empty")
        before = page.url
        patient.go(page)
        if page.locator(".problems").count():
            assert page.title().startswith("Error:")
            page.locator(".problems:focus").wait_for()
            self.judge(f"{name}-error")
        else:
            page.goto(before)
        patient.answer(page)
        self.judge(f"{name}-filled")
        patient.go(page)
        if page.url == before:  # what has come up by the answers is answered too
            patient.answer(page)
            patient.go(page)
        assert page.url != before, page.locator(".problems").inner_text()

    def checks_and_sends(self) -> None:
        self.judge("check")
        patient.go(self.page, "send")
        assert self.page.url.endswith("/sent"), self.page.locator("main").inner_text()[:900]
        self.judge("sent")
        self.page.goto(self.page.url.replace("/sent", "/copy"))
        self.judge("copy")


def look_at_everything(
    chromium: Browser, address: Address, form: str, language: str, width: int
) -> None:
    visit = Visit(chromium, address, form, width)
    visit.comes_in(patient.link_to(address, FORMS[form]), language)
    for _ in range(MOST_STEPS):
        if not patient.is_step(visit.page):
            break
        visit.answers_a_step()
    assert visit.page.url.endswith("/check")
    visit.checks_and_sends()
    visit.page.context.close()


@pytest.mark.parametrize(("form", "language", "width"), SAMPLE)
def test_every_page_is_sound_in_every_state(
    chromium: Browser, address: Address, form: str, language: str, width: int
) -> None:
    look_at_everything(chromium, address, form, language, width)


@pytest.mark.long
@pytest.mark.parametrize(
    ("form", "language", "width"), [one for one in MATRIX if one not in SAMPLE]
)
def test_the_whole_matrix_is_sound(
    chromium: Browser, address: Address, form: str, language: str, width: int
) -> None:
    look_at_everything(chromium, address, form, language, width)
