"""What she answered last time: shown as such, confirmed or changed by her, never sent unseen."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from fhir_service.fhir.answer_sources import ANSWER_SOURCE
from fhir_service.workflow import sessions as keeping
from fhir_service.workflow.session import Session
from tests.browser.judged import must_be_sound
from tests.support import patient
from tests.support.chromium import Address, Watched, new_page, picture, served
from tests.support.forms import ROOT
from tests.support.ways import a_patient

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

FROM_RECORD = "This is from your record or from last time. Please check it."
SCOPE = "patient/*.rs patient/QuestionnaireResponse.cruds"


@pytest.fixture(scope="module")
def clinic(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Address]:
    """The shipped forms, and what Ada sent to the first of them before."""
    with served(tmp_path_factory.mktemp("last-time")) as address:
        running = address.running
        running.service.publish_shipped()
        a_patient(running)
        path = ROOT / "previsit-recurrent-breast" / "responses" / "everything.json"
        body = json.loads(path.read_bytes())
        body["subject"] = {"reference": "Patient/ada"}
        body["questionnaire"] = patient.PREVISIT
        body.pop("source", None)
        reply = running.send("POST", "/fhir/QuestionnaireResponse", body)
        assert reply.status_code == 201, reply.text
        yield address


def at_her_forms(chromium: Browser, address: Address, **options: Any) -> Watched:
    """Ada, who came by her portal, at the list of her forms."""
    moment, late = datetime(2026, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)
    draft = Session("", "patient", "tests", SCOPE, moment, moment, late, patient="ada")
    secret = keeping.begin(address.running.service.site, draft).secret
    watched = new_page(chromium, address, **options)
    cookie = {"name": "fhir-patient", "value": secret, "url": address.base_url}
    watched.page.context.add_cookies([cookie])  # type: ignore[list-item]
    watched.page.goto(f"{address.base_url}/forms/")
    return watched


def begin_anew(page: Page, form: str = patient.PREVISIT) -> None:
    """Begin this form, once more where it was sent, as for the next visit."""
    page.evaluate(
        """form => {
          const made = [...document.querySelectorAll('main form')].pop();
          const name = document.createElement('input');
          name.name = 'form'; name.value = form;
          made.append(name); made.action = '/forms/'; made.submit();
        }""",
        form,
    )
    page.wait_for_url(re.compile(r"/forms/[^/]+$"))
    patient.start(page)


def sources(response: dict[str, Any]) -> dict[str, list[tuple[str, bool]]]:
    """By linkId: where each answer that was filled came from, and whether it was confirmed."""
    found: dict[str, list[tuple[str, bool]]] = {}

    def walk(items: list[dict[str, Any]]) -> None:
        for item in items:
            for answer in item.get("answer", ()):
                for one in answer.get("extension", ()):
                    if one["url"] == ANSWER_SOURCE:
                        parts = {part["url"]: part for part in one["extension"]}
                        kind = parts["kind"]["valueCode"]
                        said = (kind, "confirmed" in parts)
                        found.setdefault(item["linkId"], []).append(said)
                walk(answer.get("item", []))
            walk(item.get("item", []))

    walk(response.get("item", []))
    return found


def stored(address: Address, page: Page) -> dict[str, Any]:
    id_ = page.url.split("/forms/")[1].split("/")[0]
    reply = address.running.send("GET", f"/fhir/QuestionnaireResponse/{id_}")
    assert reply.status_code == 200, reply.text
    found: dict[str, Any] = json.loads(reply.data)
    return found


def test_what_last_time_gave_is_confirmed_or_changed_and_never_sent_unseen(
    chromium: Browser, clinic: Address
) -> None:
    watched = at_her_forms(chromium, clinic)
    page = watched.page
    begin_anew(page)
    carried = sources(stored(clinic, page))
    assert carried, "nothing was carried forward"
    assert not any(sure for one in carried.values() for _, sure in one)
    page.goto(page.url.rpartition("/")[0] + "/check")
    page.locator("main form button[value=send], main form button").first.click()
    page.wait_for_load_state()
    assert page.locator(".problems").count()
    assert stored(clinic, page)["status"] == "in-progress", "sent unseen"
    page.goto(page.url.partition("/check")[0] + "/1")
    seen = False
    for _ in range(40):
        if page.url.endswith("/check"):
            break
        patient.answer(page)
        if page.locator(".record").count():
            assert FROM_RECORD in page.locator(".record").first.inner_text()
            boxes = page.locator("input[name$='~confirm']:visible")
            for box in boxes.all() if not seen else ():
                box.uncheck()
            if not seen:
                picture(page, "last-time-asked-390")
                before = page.url
                patient.go(page)
                assert page.url == before
                assert page.locator(".problems").count()
                picture(page, "last-time-unconfirmed-390")
                must_be_sound(watched)
                seen = True
            for box in boxes.all():
                box.check()
        patient.go(page)
    assert seen, "the page never asked to confirm"
    assert page.url.endswith("/check")
    assert all(sure for one in sources(stored(clinic, page)).values() for _, sure in one)
    page.context.close()


@pytest.mark.parametrize("size", [(320, 640), (1280, 800)])
def test_hints_stand_before_her_questions_and_the_page_turns_round_for_other_scripts(
    chromium: Browser, clinic: Address, size: tuple[int, int]
) -> None:
    watched = at_her_forms(chromium, clinic, size=size)
    page = watched.page
    begin_anew(page, patient.QUESTIONS)
    page.goto(page.url.rpartition("/")[0] + "/2")
    assert "Good to know" in page.locator(".tips").inner_text()
    picture(page, f"hints-{size[0]}")
    must_be_sound(watched)
    page.evaluate("document.documentElement.dir = 'rtl'")
    box, words = (page.locator(f".opt {part}").first.bounding_box() for part in ("input", "span"))
    assert box is not None
    assert words is not None
    assert box["x"] > words["x"], "what is ticked does not stand where a line begins"
    picture(page, f"hints-right-to-left-{size[0]}")
    must_be_sound(watched)
    page.context.close()
