"""Portals may show our forms with a renderer of their own: two of them, in a real browser.

Each loads the three forms, keeps the answers of a response, shows a question when its condition is
met, and gives a response that our checker takes. What they get wrong stands in EMBEDDING.md.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from copy import deepcopy
from typing import TYPE_CHECKING, Any, Final

import pytest

from fhir_service.sdc.extensions import VARIABLE
from tests.support.chromium import launched, why_not
from tests.support.forms import FORMS, ROOT, read
from tests.support.renderers import BUILT, current, opened, portal, show
from tests.support.service import Running, start

if TYPE_CHECKING:
    from playwright.sync_api import Browser

Json = dict[str, Any]

RENDERERS: Final = ("lforms", "smart")
KNOWN_LOSS: Final = {("lforms", "doctor-questions"): {"top-question-2"}}
"""Own words in an open-choice whose options an expression gives: LHC-Forms makes them {}."""


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    service = start(tmp_path_factory.mktemp("portal"))
    service.service.publish_shipped()
    yield service
    service.close()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    missing = why_not() or (None if BUILT.exists() else "the renderers are not built")
    if missing is not None:
        pytest.fail(f"{missing}: run .ci/interop-needs")
    with launched() as found:
        yield found


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with portal() as found:
        yield found


def fetched(running: Running, form: str) -> Json:
    """The form as a portal gets it, without the queries that only $populate needs."""
    reply = running.send("GET", f"/fhir/Questionnaire/{form}")
    assert reply.status_code == 200, reply.text
    found: Json = json.loads(reply.data)
    found["extension"] = [one for one in found["extension"] if one["url"] != VARIABLE]
    return found


def answers(container: Json) -> list[tuple[str, str]]:
    """(linkId, value) of every answer, words that only explain a code left out."""
    found = []
    for item in container.get("item", ()):
        found += answers(item)
        for answer in item.get("answer", ()):
            value = {key: _bare(one) for key, one in answer.items() if key.startswith("value")}
            found += [(item["linkId"], json.dumps(value, sort_keys=True)), *answers(answer)]
    return sorted(found)


def _bare(value: Any) -> Any:
    aside = ("display", "extension", "userSelected")
    if not isinstance(value, dict):
        return value
    return {key: one for key, one in value.items() if key not in aside}


def _whole_dates(answer: tuple[str, str]) -> tuple[str, str]:
    """The same answer as LHC-Forms gives it back: a year becomes its first of January."""
    value = json.loads(answer[1])
    if "valueDate" in value:
        value["valueDate"] = (value["valueDate"] + "-01-01")[: len("2026-01-01")]
    return answer[0], json.dumps(value, sort_keys=True)


def errors(running: Running, response: Json) -> list[str]:
    """What our checker has against a response, sent for Ada as completed."""
    sent = deepcopy(response) | {"status": "completed", "subject": {"reference": "Patient/ada"}}
    reply = running.send("POST", "/fhir/QuestionnaireResponse/$validate", sent)
    return [
        f"{one['details']['coding'][0]['code']}: {one['details']['text']}"
        for one in json.loads(reply.data)["issue"]
        if one["severity"] in ("error", "fatal")
    ]


@pytest.mark.parametrize("renderer", RENDERERS)
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("example", ["typical", "everything"])
def test_a_renderer_keeps_every_answer_and_gives_what_we_take(
    running: Running, browser: Browser, address: str, renderer: str, form: str, example: str
) -> None:
    sent = read(ROOT / form / "responses" / f"{example}.json")
    with opened(browser, address, renderer) as (page, faults):
        show(page, fetched(running, form), sent)
        page.wait_for_timeout(2500)
        given = current(page)
        assert faults == []
    lost = KNOWN_LOSS.get((renderer, form), set())
    expected = [_whole_dates(one) if renderer == "lforms" else one for one in answers(sent)]
    kept = [one for one in answers(given) if one[0] not in lost]
    assert kept == [one for one in expected if one[0] not in lost]
    if not lost:
        assert errors(running, given) == []


@pytest.mark.parametrize("renderer", RENDERERS)
def test_a_question_appears_when_its_condition_is_met(
    running: Running, browser: Browser, address: str, renderer: str
) -> None:
    with opened(browser, address, renderer) as (page, faults):
        show(page, fetched(running, "previsit-recurrent-breast"), None)
        asked = page.get_by_text("Who are you to the patient?")
        page.get_by_text("Someone else, for the patient").first.wait_for()
        assert not any(one.is_visible() for one in asked.all())
        page.get_by_text("Someone else, for the patient").first.click()
        asked.first.wait_for(state="visible")
        page.wait_for_timeout(500)
        assert ("respondent", "respondent-helper") in [
            (link_id, json.loads(value).get("valueCoding", {}).get("code"))
            for link_id, value in answers(current(page))
        ]
        assert faults == []
