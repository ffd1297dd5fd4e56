"""Hints before the list of questions: hers alone, in her language, out of her answers."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from html import unescape

import pytest
from flask.testing import FlaskClient

from tests.support.browser import begin
from tests.support.filling import ADA, at_the_page
from tests.support.forms import ROOT
from tests.support.service import BASE_URL, Running, start


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    service = start(tmp_path_factory.mktemp("hints"), CLINIC_PHONE="555 0100")
    service.service.publish_shipped()
    for id_ in ("ada-example", "ben-example"):
        assert service.send("PUT", f"/fhir/Patient/{id_}", ADA | {"id": id_}).status_code == 201
    yield service
    service.close()


def canonical_of(running: Running, name: str) -> str:
    found = json.loads(running.send("GET", f"/fhir/Questionnaire?_id={name}").data)
    form = found["entry"][0]["resource"]
    return f"{form['url']}|{form['version']}"


@pytest.fixture(scope="module", autouse=True)
def sent(running: Running) -> None:
    """What Ada answered before the visit: it has spread, and she wants to know all."""
    path = ROOT / "previsit-recurrent-breast" / "responses" / "typical.json"
    body = json.loads(path.read_bytes())
    body["questionnaire"] = canonical_of(running, "previsit-recurrent-breast")
    reply = running.send("POST", "/fhir/QuestionnaireResponse", body)
    assert reply.status_code == 201, reply.text


@dataclass
class Portal:
    """Somebody who came by her portal, at her list of questions."""

    client: FlaskClient
    address: str

    def get(self, step: int, lang: str = "en") -> str:
        reply = self.client.get(f"{self.address}/{step}?lang={lang}", base_url=BASE_URL)
        assert reply.status_code == 200, reply.text
        return reply.text


def at_her_questions(running: Running, patient: str) -> Portal:
    client = running.client.application.test_client()
    begin(running, client, "patient", patient=patient)
    csrf = re.search(r'name="csrf" value="([^"]+)"', client.get("/forms/", base_url=BASE_URL).text)
    assert csrf is not None
    sent = {"csrf": csrf[1], "form": canonical_of(running, "doctor-questions")}
    begun = client.post("/forms/", data=sent, base_url=BASE_URL)
    assert begun.status_code == 303, begun.text
    address = begun.headers["Location"].removeprefix(BASE_URL).removesuffix("/1")
    return Portal(client, address)


def tips(page: str) -> str:
    found = re.search(r'<section class="tips".*?</section>', page, re.DOTALL)
    return unescape(found[0]) if found else ""


def test_what_she_answered_for_the_visit_brings_up_hints_and_what_she_could_ask(
    running: Running,
) -> None:
    there = at_her_questions(running, "ada-example")
    said = tips(there.get(2))
    assert "You could ask:" in said
    assert "<h2" in said
    offered = there.get(2) + there.get(3)
    asks = re.findall(r"<li>([^<]*)</li>", said)
    assert asks
    assert all(f"<span>{ask}</span>" in unescape(offered) for ask in asks)
    assert not tips(there.get(3)), "they stand once, at the top of the list"
    assert "Podría preguntar:" in tips(there.get(2, "es"))


def test_who_has_answered_nothing_sees_none(running: Running) -> None:
    assert not tips(at_her_questions(running, "ben-example").get(2))


def test_a_link_which_opens_one_form_tells_nothing_of_another(running: Running) -> None:
    there = at_the_page(running, canonical_of(running, "doctor-questions"))
    assert not tips(there.get("2"))
