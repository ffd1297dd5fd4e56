"""The page that asks whether an app may: in a real browser, for a patient and for staff."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import pytest

from fhir_service.workflow import sessions as keeping
from fhir_service.workflow.session import Kind, Session
from tests.browser.judged import must_be_sound
from tests.support.browser import app, asked
from tests.support.chromium import PHONE, Address, new_page, picture

if TYPE_CHECKING:
    from playwright.sync_api import Browser

LOGGED_IN: dict[Kind, dict[str, Any]] = {
    "patient": {"scope": "patient/*.rs patient/QuestionnaireResponse.cruds", "patient": "ada"},
    "staff": {"scope": "user/*.cruds", "user": "Dr Example"},
}


@pytest.mark.parametrize("language", ["en", "es"])
@pytest.mark.parametrize("kind", ["patient", "staff"])
def test_the_page_that_asks_for_an_app_is_sound(
    chromium: Browser, address: Address, kind: Kind, language: str
) -> None:
    client = f"asking-{kind}-{language}"
    app(address.running, client, name="Diary App")
    moment, late = datetime(2026, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)
    who = {"language": language, **LOGGED_IN[kind]}
    draft = Session("", kind, "tests", who.pop("scope"), moment, moment, late, **who)
    begun = keeping.begin(address.running.service.site, draft)
    watched = new_page(chromium, address, PHONE)
    page = watched.page
    cookie = {"name": f"fhir-{kind}", "value": begun.secret, "url": address.base_url}
    page.context.add_cookies([cookie])  # type: ignore[list-item]
    given = asked(client_id=client, aud=f"{address.base_url}/fhir")
    page.goto(f"{address.base_url}/auth/authorize?{urlencode(given)}")
    picture(page, f"consent-{kind}-{language}-390")
    assert "Diary App" in page.locator("main").inner_text()
    must_be_sound(watched)
    page.context.close()
