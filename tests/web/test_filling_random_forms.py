"""Any form, any path of clicks: the page never fails, and sends only what is valid."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import count
from random import Random
from typing import Any, Final

import pytest

from fhir_service.fhir.issues import NotValid
from fhir_service.workflow.offering import must_offer
from tests.support.filling import ADA, AtThePage, Form, at_the_page
from tests.support.random_answers import as_bytes
from tests.support.random_forms import a_form
from tests.support.random_forms import walk as every
from tests.support.service import Running, start

NUMBERS: Final = count(1)
TYPED: Final = (
    "", " ", "7", "0", "-3", "2,5", "1.50", "abc", "31", "2", "2024", "2024-02-30", "9:30",
    "25:00", "https://example.org/a", "x" * 600, "Áé <b>&\"'</b>", "\u202ehidden", "1e5",
    "Words\r\nof mine",
)  # fmt: skip
MOST_CLICKS: Final = 25
ONE_ONLY: Final = frozenset({"boolean", "date", "dateTime", "time", "quantity", "text"})


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    service = start(tmp_path_factory.mktemp("random"), PATIENT_REQUESTS_PER_MINUTE="0")
    assert service.send("PUT", "/fhir/Patient/ada-example", ADA).status_code == 201
    yield service
    service.close()


def showable(form: dict[str, Any]) -> dict[str, Any]:
    """The same form, in which no question asks for several of what the page takes one of."""
    for item in every(form["item"]):
        one_only = item["type"] in ONE_ONLY and not item.get("answerOption")
        if item["type"] != "group" and (one_only or item.get("item")):
            item.pop("repeats", None)
            kept = [one for one in item.get("extension", []) if not one["url"].endswith("Occurs")]
            item["extension"] = kept
            if not kept:
                del item["extension"]
    return form


def published(running: Running, form: dict[str, Any]) -> str | None:
    """The canonical of this form under a version of its own; None where it may not be offered."""
    version = f"1.0.{next(NUMBERS)}"
    made = form | {"version": version, "status": "active", "subjectType": ["Patient"]}
    made.pop("id", None)
    reply = running.send("POST", "/fhir/Questionnaire", as_bytes(made))
    assert reply.status_code == 201, reply.text
    canonical = f"{made['url']}|{version}"
    try:
        must_offer(running.service.site, canonical, "here")
    except NotValid:
        return None
    return canonical


def clicks(random: Random, form: Form) -> dict[str, Any]:
    """Something for some of the fields of a page: chosen, typed, left, taken away."""
    values: dict[str, Any] = {}
    for name, tokens in form.choices.items():
        if random.random() < 0.7:
            several = random.random() < 0.3
            values[name] = (
                random.sample(tokens, min(len(tokens), 2)) if several else random.choice(tokens)
            )
    for name, _ in form.fields:
        hidden = name in ("csrf", "v", "told") or name.endswith("~count")
        if not hidden and name not in form.choices and random.random() < 0.6:
            values[name] = random.choice(TYPED)
    return values


def walk(random: Random, ada: AtThePage) -> str:
    """Clicks at random; where she is at the end."""
    at = "1"
    for _ in range(MOST_CLICKS):
        form = ada.form(at)
        values = clicks(random, form)
        rows = [name for name, _ in form.buttons if name.endswith(("~add", "~remove"))]
        if rows and random.random() < 0.4:
            values[random.choice(rows)] = "1"
        go = random.choice(["next", "next", "anyway", "anyway", "update", "autosave", "later"])
        reply = ada.send(at, values, go=go, form=form)
        assert reply.status_code in (200, 204, 303), reply.text
        to = reply.headers.get("Location", "").partition("?")[0].rpartition("/")[2]
        if to == "check":
            return "check"
        if to.isdigit():
            at = to
    return at


def must_send_only_what_is_valid(running: Running, seed: int) -> None:
    random = Random(seed)
    canonical = None
    while canonical is None:  # a few random forms have what bars an offer
        canonical = published(running, showable(a_form(random, 10)))
    ada = at_the_page(running, canonical)
    walk(random, ada)
    before = ada.stored()
    assert before["status"] == "in-progress"
    reply = ada.send("check", {}, go="send")
    after = ada.stored()
    if reply.status_code == 303:
        assert after["status"] == "completed"
        checked = running.send("POST", "/fhir/QuestionnaireResponse/$validate", after)
        found = json.loads(checked.data)["issue"]
        assert [one for one in found if one["severity"] in ("error", "fatal")] == []
    else:
        assert reply.status_code == 200
        assert ada.errors(), "what is not sent says what to mend"
        assert after == before


@pytest.mark.parametrize("seed", range(12))
def test_whatever_is_clicked_only_what_is_valid_is_sent(running: Running, seed: int) -> None:
    must_send_only_what_is_valid(running, seed)


@pytest.mark.long
def test_a_thousand_random_walks_send_only_what_is_valid(running: Running) -> None:
    for seed in range(1000, 2000):
        must_send_only_what_is_valid(running, seed)
