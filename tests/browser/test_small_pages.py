"""The pages around the form, in a real browser: the one behind a link, and what is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.browser.judged import must_be_sound
from tests.support.chromium import DESKTOP, PHONE, Address, new_page, picture
from tests.support.ways import a_link

if TYPE_CHECKING:
    from playwright.sync_api import Browser

SIZES = (pytest.param(PHONE, id="phone"), pytest.param(DESKTOP, id="desktop"))


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("language", ["en", "es"])
def test_the_page_behind_a_link_is_sound_empty_and_wrong(
    chromium: Browser, address: Address, size: tuple[int, int], language: str
) -> None:
    watched = new_page(chromium, address, size)
    page = watched.page
    page.goto(f"{a_link(address.running).address}?lang={language}")
    picture(page, f"link-{language}-{size[0]}")
    must_be_sound(watched)
    page.locator("#year").fill("1951")
    page.locator("button[type=submit]").click()
    assert page.title().startswith("Error:")
    page.locator("#problem:focus").wait_for()
    picture(page, f"link-wrong-{language}-{size[0]}")
    must_be_sound(watched)
    page.context.close()


def test_a_page_without_a_session_says_what_to_do(chromium: Browser, address: Address) -> None:
    watched = new_page(chromium, address)
    page = watched.page
    page.goto(f"{address.base_url}/forms/nothing-here")
    assert page.locator("h1").inner_text()
    picture(page, "refused-en-390")
    must_be_sound(watched)
    page.context.close()


def test_the_pages_to_log_in_and_to_launch_are_sound(chromium: Browser, address: Address) -> None:
    watched = new_page(chromium, address)
    page = watched.page
    page.goto(f"{address.base_url}/login?lang=es")
    must_be_sound(watched)
    page.locator("#code").fill("0000 0000 0000")
    page.locator("button[type=submit]").click()
    page.locator("#problem:focus").wait_for()
    picture(page, "login-wrong-es-390")
    must_be_sound(watched)
    for path in ("/launch", "/launch?iss=https://elsewhere.example.org/fhir", "/link/a/b"):
        page.goto(f"{address.base_url}{path}")
        must_be_sound(watched)
    page.context.close()
