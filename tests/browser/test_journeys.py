"""Whole journeys in a real browser: on two devices, without script, by keyboard alone."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.browser.judged import must_be_sound
from tests.support import patient
from tests.support.chromium import Address, Watched, new_page, picture
from tests.support.ways import FORM

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page, Route

PAIN = "input[name=pain]"
WORRY = "textarea[name=worry]"
CHEST_PAIN = "New or worse chest pain or pressure"


def stored(address: Address, page: Page) -> dict[str, Any]:
    """The response that this page fills, as it is stored now."""
    id_ = page.url.split("/forms/")[1].split("/")[0]
    reply = address.running.send("GET", f"/fhir/QuestionnaireResponse/{id_}")
    assert reply.status_code == 200, reply.text
    found: dict[str, Any] = json.loads(reply.data)
    return found


def said(response: dict[str, Any]) -> list[Any]:
    """What a response says, without times and ids."""
    aside = ("id", "meta", "authored")
    return [value for name, value in sorted(response.items()) if name not in aside]


def at_step_one(browser: Browser, address: Address, form: str = FORM, **options: Any) -> Watched:
    watched = new_page(browser, address, **options)
    patient.come_in(watched.page, patient.link_to(address, form))
    patient.start(watched.page)
    return watched


@pytest.mark.parametrize("script", [True, False])
def test_advice_is_there_at_once_and_nobody_goes_on_without_it(
    chromium: Browser, address: Address, script: bool
) -> None:
    watched = at_step_one(chromium, address, patient.PREVISIT, java_script_enabled=script)
    page = watched.page
    page.get_by_label("I am the patient").check()
    patient.go(page)
    assert not page.locator(".advice:visible").count()
    page.get_by_label(CHEST_PAIN).check()
    assert "Call 911 now" in page.locator(".advice:visible").inner_text()
    patient.go(page)
    assert page.url.endswith("/2")
    page.locator(".fresh:focus").wait_for()
    assert "Call 911 now" in page.locator(".fresh").inner_text()
    if script:
        picture(page, "advice-at-the-top-en-390")
        must_be_sound(watched)
    patient.go(page)
    assert page.url.endswith("/3")
    page.goto(page.url.replace("/3", "/later"))
    assert "Call 911 now" in page.locator(".advice").first.inner_text()
    page.goto(page.url.replace("/later", "/check"))
    assert "Call 911 now" in page.locator(".advice").first.inner_text()
    page.context.close()


def test_the_response_is_the_same_with_script_without_and_without_has(
    chromium: Browser, address: Address
) -> None:
    sent = []
    for way in ("script", "no script", "no :has"):
        watched = new_page(chromium, address, java_script_enabled=way != "no script")
        page = watched.page
        if way == "no :has":
            page.route(
                "**/conditions.css*", lambda route: route.fulfill(body="", content_type="text/css")
            )
        patient.come_in(page, patient.link_to(address, FORM))
        patient.start(page)
        page.locator(PAIN).fill("7")
        page.get_by_label("No", exact=True).check()
        if way == "no :has":  # all questions are shown; what is not asked is not sent
            page.locator("input[name=highest]").fill("39")
        assert page.locator("input[name=highest]").is_visible() is (way == "no :has")
        page.locator(WORRY).fill("Whether it comes back")
        page.get_by_label("Year", exact=True).fill("2024")
        patient.go(page)
        patient.go(page, "send")
        assert page.url.endswith("/sent"), page.locator("main").inner_text()
        sent.append(said(stored(address, page)))
        page.context.close()
    assert sent[0] == sent[1] == sent[2]


def test_she_leaves_goes_on_elsewhere_corrects_and_sends(
    chromium: Browser, address: Address
) -> None:
    link = patient.link_to(address, FORM)
    phone = new_page(chromium, address)
    patient.come_in(phone.page, link)
    patient.start(phone.page)
    phone.page.locator(PAIN).fill("seven")
    phone.page.locator(WORRY).fill("The wedding in May")
    patient.go(phone.page, "later")
    assert phone.page.url.endswith("/later")
    must_be_sound(phone)
    phone.page.context.close()

    computer = new_page(chromium, address, (1280, 800))
    page = computer.page
    patient.come_in(page, link, who="helper")
    patient.start(page)
    assert page.locator(PAIN).input_value() == "seven"
    page.get_by_role("link", name="Leer en español").click()
    assert page.locator(WORRY).input_value() == "The wedding in May"
    page.get_by_role("link", name="Read in English").click()
    patient.go(page)
    assert "whole number" in page.locator(".problems").inner_text()
    page.locator(PAIN).fill("7")
    patient.go(page)
    page.locator(".change a", has_text="What worries you most?").click()
    page.locator(WORRY).fill("The wedding in June")
    patient.go(page)
    patient.go(page, "send")
    must_be_sound(computer)
    response = stored(address, page)
    assert response["status"] == "completed"
    assert response["contained"][0]["name"] == [{"text": "Bea Example"}]
    assert "June" in json.dumps(response)
    page.get_by_role("button", name="Change my answers").click()
    page.locator(".change a", has_text="How strong is your pain?").click()
    page.locator(PAIN).fill("3")
    patient.go(page)
    patient.go(page, "send")
    assert stored(address, page)["status"] == "amended"
    page.context.close()


def test_a_wrong_date_of_birth_opens_nothing(chromium: Browser, address: Address) -> None:
    watched = new_page(chromium, address)
    page = watched.page
    page.goto(patient.link_to(address, FORM))
    for name, value in (("day", "28"), ("month", "3"), ("year", "1951")):
        page.locator(f"#{name}").fill(value)
    page.locator("button[type=submit]").click()
    page.locator("#problem:focus").wait_for()
    must_be_sound(watched)
    page.goto(f"{address.base_url}/forms/")
    assert "link" in page.locator("h1").inner_text()
    page.context.close()


def test_the_keyboard_alone_is_enough(chromium: Browser, address: Address) -> None:
    watched = at_step_one(chromium, address, size=(1280, 800))
    page, press = watched.page, watched.page.keyboard.press

    def tab_to(selector: str) -> None:
        for _ in range(40):
            if page.locator(f"{selector}:focus").count():
                outline = page.evaluate("getComputedStyle(document.activeElement).outlineWidth")
                assert outline == "4px", selector
                return
            press("Tab")
        raise AssertionError(f"the keyboard never comes to {selector}")

    tab_to("input[name=pain]")
    page.keyboard.type("7")
    tab_to("input[name=fever]")
    press("Space")
    tab_to("input[name=highest]")
    page.keyboard.type("39,5")
    tab_to("button[value=next]:not(.default)")
    press("Enter")
    page.wait_for_url("**/check")
    tab_to("button[value=send]")
    press("Enter")
    page.wait_for_url("**/sent")
    assert "39.5" in json.dumps(stored(address, page))
    page.context.close()


def test_a_draft_is_saved_within_a_second_of_the_last_key(
    chromium: Browser, address: Address
) -> None:
    watched = new_page(chromium, address)
    page = watched.page
    page.clock.install()
    patient.come_in(page, patient.link_to(address, FORM))
    patient.start(page)
    page.locator(WORRY).press_sequentially("Sleep")
    with page.expect_response(lambda reply: reply.request.method == "POST") as saved:
        page.clock.run_for(1000)
    assert saved.value.status == 204
    page.get_by_text("Saved", exact=True).wait_for()
    assert "Sleep" in json.dumps(stored(address, page))
    page.context.close()


def test_a_lost_network_loses_nothing(chromium: Browser, address: Address) -> None:
    watched = at_step_one(chromium, address)
    page = watched.page
    lost: list[str] = []

    def lose(route: Route) -> None:
        if len(lost) < 2 and route.request.method == "POST":
            lost.append(route.request.url)
            route.abort("connectionreset")
        else:
            route.continue_()

    session = page.context.new_cdp_session(page)
    session.send(
        "Network.emulateNetworkConditions",
        {
            "offline": False,
            "latency": 400,
            "downloadThroughput": 50_000,
            "uploadThroughput": 50_000,
        },
    )
    page.route("**/forms/**", lose)
    page.locator(WORRY).press_sequentially("Sleep")
    page.get_by_text("Not saved yet").wait_for()
    page.get_by_text("Saved", exact=True).wait_for(timeout=30_000)
    assert len(lost) == 2
    assert "Sleep" in json.dumps(stored(address, page))
    page.reload()
    assert page.locator(WORRY).input_value() == "Sleep"
    page.context.close()


def test_an_ended_session_says_so_and_her_answers_are_there_when_she_is_back(
    chromium: Browser, address: Address
) -> None:
    link = patient.link_to(address, FORM)
    watched = new_page(chromium, address)
    page = watched.page
    patient.come_in(page, link)
    patient.start(page)
    page.locator(WORRY).fill("Sleep")
    page.get_by_text("Saved", exact=True).wait_for()
    page.context.clear_cookies()
    patient.go(page)
    assert "open your link again" in page.locator("h1").inner_text()
    must_be_sound(watched)
    patient.come_in(page, link)
    patient.start(page)
    assert page.locator(WORRY).input_value() == "Sleep"
    page.context.close()


def test_large_text_and_a_wish_for_less_motion_lose_nothing(
    chromium: Browser, address: Address
) -> None:
    watched = at_step_one(chromium, address, patient.PREVISIT, reduced_motion="reduce")
    page = watched.page
    page.get_by_label("I am the patient").check()
    patient.go(page)
    page.get_by_label(CHEST_PAIN).check()
    page.evaluate("document.documentElement.style.fontSize = '200%'")
    must_be_sound(watched)
    picture(page, "text-200-en-390")
    assert page.evaluate("document.getAnimations().length") == 0
    assert page.evaluate(_MOVING) is False
    page.context.close()


_MOVING = """() => [...document.querySelectorAll("*")].some(
  (e) => getComputedStyle(e).transitionDuration !== "0s")"""

_SHIFT = """() => new Promise((done) => {
  let sum = 0;
  new PerformanceObserver((all) => { for (const one of all.getEntries()) sum += one.value; })
    .observe({type: 'layout-shift', buffered: true});
  setTimeout(() => done(sum), 300);
})"""


def test_nothing_moves_while_a_page_loads(chromium: Browser, address: Address) -> None:
    watched = at_step_one(chromium, address, patient.PREVISIT)
    assert watched.page.evaluate(_SHIFT) == 0
    watched.page.context.close()
