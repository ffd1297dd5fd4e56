"""The oncologist's sheet in a real browser: one screen, and no wider than a phone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from fhir_service.render.html import TEMPLATES
from tests.support.chromium import DESKTOP, PHONE, picture
from tests.support.sheets import NAMES, STYLE, sheet_page

if TYPE_CHECKING:
    from playwright.sync_api import Browser


@pytest.mark.parametrize("name", NAMES)
def test_the_sheet_is_one_screen_and_as_wide_as_a_phone(chromium: Browser, name: str) -> None:
    made = sheet_page(name)
    link = f'<link rel="stylesheet" href="{STYLE}">'
    assert link in made
    style = (TEMPLATES / "summary.css").read_text("utf-8")
    page = chromium.new_page(viewport={"width": DESKTOP[0], "height": DESKTOP[1]})
    page.set_content(made.replace(link, f"<style>{style}</style>"))
    picture(page, f"sheet-{name}-{DESKTOP[0]}")
    assert page.evaluate("document.documentElement.scrollHeight") <= DESKTOP[1]
    assert page.evaluate("document.body.getBoundingClientRect().height") > DESKTOP[1] / 2
    page.set_viewport_size({"width": PHONE[0], "height": PHONE[1]})
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE[0]
    page.close()
