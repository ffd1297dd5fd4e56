"""The oncologist's pages: who may open them, that each value leads to its answer, their size."""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from tests.support.browser import begin
from tests.support.forms import FORMS, ROOT
from tests.support.service import BASE_URL, Running, start

READING = "user/*.rs"


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    found = start(tmp_path)
    found.service.publish_shipped()
    yield found
    found.close()


@pytest.fixture
def staff(running: Running) -> FlaskClient:
    browser = running.client.application.test_client()
    begin(running, browser, "staff", scope=READING)
    return browser


def sent(running: Running) -> list[str]:
    """The typical answers of one visit, sent by the patient; their ids."""
    ids = []
    for form in FORMS:
        body = (ROOT / form / "responses" / "typical.json").read_bytes()
        reply = running.send("POST", "/fhir/QuestionnaireResponse", body)
        assert reply.status_code == 201, reply.text
        ids.append(reply.headers["Location"].split("/")[-3])
    return ids


def opened(browser: FlaskClient, path: str) -> str:
    reply = browser.get(path, base_url=BASE_URL)
    assert reply.status_code == 200, reply.text
    return reply.text


def test_every_value_of_the_sheet_leads_to_its_question_on_the_answers_page(
    running: Running, staff: FlaskClient
) -> None:
    id_ = sent(running)[0]
    sheet = opened(staff, f"/summary/{id_}/")
    answers = opened(staff, f"/summary/{id_}/answers")
    links = re.findall(r'href="answers#([^"]+)"', sheet)
    assert len(links) > 60
    assert set(links) <= set(re.findall(r'id="([^"]+)"', answers))
    assert "In general, how are you feeling these days?" in answers
    assert "In general, how are you feeling these days?" not in sheet


def test_the_sheet_is_at_most_4_kb_with_no_script_and_a_style_that_is_kept(
    running: Running, staff: FlaskClient
) -> None:
    sheet = opened(staff, f"/summary/{sent(running)[0]}/")
    assert len(gzip.compress(sheet.encode())) <= 4096
    assert "<script" not in sheet
    assert "<style" not in sheet
    style = re.findall(r'href="(/static/summary.css\?v=\w+)"', sheet)
    assert staff.get(style[0], base_url=BASE_URL).headers["Cache-Control"].endswith("immutable")


def test_the_same_visit_opens_from_each_of_its_responses(
    running: Running, staff: FlaskClient
) -> None:
    pages = {
        re.sub("<header>.*</header>", "", opened(staff, f"/summary/{id_}/"))
        for id_ in sent(running)
    }
    assert len(pages) == 1


def test_pdf_and_text_are_offered_beside_the_sheet(running: Running, staff: FlaskClient) -> None:
    id_ = sent(running)[0]
    sheet = opened(staff, f"/summary/{id_}/")
    assert 'href="pdf"' in sheet
    assert staff.get(f"/summary/{id_}/pdf", base_url=BASE_URL).data.startswith(b"%PDF-")
    assert "NEEDS ATTENTION NOW" in opened(staff, f"/summary/{id_}/text")


def test_what_came_in_is_listed_by_patient(running: Running, staff: FlaskClient) -> None:
    assert "No answers have come in yet." in opened(staff, "/summary/")
    sent(running)
    listed = opened(staff, "/summary/")
    assert listed.count("/summary/") == 1
    assert "id ada-example" in listed
    assert "cancer" not in listed


def test_a_launch_in_a_chart_opens_that_patients_summary_and_no_other(running: Running) -> None:
    id_ = sent(running)[0]
    browser = running.client.application.test_client()
    begin(running, browser, "staff", scope=READING, patient="ada-example")
    reply = browser.get("/summary/", base_url=BASE_URL)
    assert reply.status_code == 303
    assert opened(browser, reply.headers["Location"])
    other = running.client.application.test_client()
    begin(running, other, "staff", scope=READING, patient="grace")
    assert other.get(f"/summary/{id_}/", base_url=BASE_URL).status_code == 404
    assert "No answers have come in yet." in opened(other, "/summary/")


def test_nobody_else_gets_in(running: Running) -> None:
    id_ = sent(running)[0]
    browser = running.client.application.test_client()
    for path in ("", f"{id_}/", f"{id_}/answers", f"{id_}/pdf", f"{id_}/text"):
        reply = browser.get(f"/summary/{path}", base_url=BASE_URL)
        assert reply.status_code == 303
        assert reply.headers["Location"].startswith("/login?next=/summary/")
    begin(running, browser, "patient", patient="ada-example")
    assert browser.get(f"/summary/{id_}/", base_url=BASE_URL).status_code == 303


def test_the_facts_come_as_a_list_with_the_answers_they_were_made_from(running: Running) -> None:
    id_ = sent(running)[-1]
    reply = running.send("GET", f"/fhir/QuestionnaireResponse/{id_}/$summary?_format=facts")
    assert reply.status_code == 200
    told = reply.get_json()
    assert told["facts"][0]["section"] == "attention"
    pain = next(fact for fact in told["facts"] if fact.get("label") == "Worst pain (0-10)")
    assert pain["values"][0]["words"] == "7"
    assert pain["derivedFrom"][0]["linkId"] == "pain-worst"
    assert f"QuestionnaireResponse/{id_}/_history/1" in pain["derivedFrom"][0]["response"]
    places = {one["path"] for fact in told["facts"] for one in fact.get("derivedFrom", [])}
    assert len(places) > 60
