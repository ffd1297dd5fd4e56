"""The patient's own copy, as page and PDF: all of hers, in her language, and nobody else's."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator
from html import unescape
from typing import Any, cast

import pypdf
import pytest
from flask.testing import FlaskClient
from pypdf.generic import DictionaryObject

from fhir_service.summary.visible import visible
from fhir_service.web.wording import words
from tests.support.browser import begin
from tests.support.filling import ADA, at_the_page
from tests.support.forms import FORMS, ROOT
from tests.support.service import BASE_URL, FORM_URL, Running, short_form, start

QUESTIONS = "doctor-questions"
NAME = "Ada Example"
SHORT = f"{FORM_URL}|1.0.0"
HOSTILE = (
    "<script>alert(1)</script>",
    '#panic("x") $x$ *bold* @label #read("/etc/passwd") \\ ] }',
    "evil \u202egnp.exe\u202c",
    "W" + "abcdefghij" * 40 + "X",
    "first line\nsecond line",
)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    service = start(tmp_path_factory.mktemp("copy"), CLINIC_PHONE="555 0100")
    service.service.publish_shipped()
    form = short_form() | {"id": "short-form"}
    assert service.send("PUT", "/fhir/Questionnaire/short-form", form).status_code == 201
    assert service.send("PUT", "/fhir/Patient/ada-example", ADA).status_code == 201
    yield service
    service.close()


@pytest.fixture(scope="module")
def visit(running: Running) -> dict[str, str]:
    """The ids of what Ada sent for one visit, by form."""
    return {form: _sent(running, form) for form in FORMS}


@pytest.fixture
def ada(running: Running) -> FlaskClient:
    return logged_in(running, "ada-example")


def logged_in(running: Running, patient: str) -> FlaskClient:
    browser = running.client.application.test_client()
    begin(running, browser, "patient", patient=patient)
    return browser


def canonical_of(running: Running, name: str) -> str:
    found = json.loads(running.send("GET", f"/fhir/Questionnaire?_id={name}").data)
    form = found["entry"][0]["resource"]
    return f"{form['url']}|{form['version']}"


def _sent(running: Running, form: str) -> str:
    body = json.loads((ROOT / form / "responses" / "typical.json").read_bytes())
    body["questionnaire"] = canonical_of(running, form)
    reply = running.send("POST", "/fhir/QuestionnaireResponse", body)
    assert reply.status_code == 201, reply.text
    return reply.headers["Location"].split("/")[-3]


def page(browser: FlaskClient, id_: str, lang: str = "en") -> str:
    reply = browser.get(f"/forms/{id_}/copy?lang={lang}", base_url=BASE_URL)
    assert reply.status_code == 200, reply.text
    return reply.text


def printed(browser: FlaskClient, id_: str, lang: str = "en") -> bytes:
    reply = browser.get(f"/forms/{id_}/copy.pdf?lang={lang}", base_url=BASE_URL)
    assert reply.status_code == 200, reply.text
    assert reply.content_type == "application/pdf"
    assert reply.headers["Cache-Control"] == "no-store"
    assert "default-src 'none'" in reply.headers["Content-Security-Policy"]
    made: bytes = reply.data
    return made


def in_pdf(pdf: bytes) -> str:
    return close("".join(one.extract_text() for one in pypdf.PdfReader(io.BytesIO(pdf)).pages))


def close(text: str) -> str:
    """Without the white space and the line ends, which a PDF puts where it likes."""
    return re.sub(r"[\s\u200b]+", "", text)


def asked(text: str) -> list[tuple[str, bool]]:
    """Each question under "What I want to ask", and whether it is one of the ranked."""
    found = re.findall(
        r'<li( class="more")?>([^<]*)(?:<span class="rule"></span>)+</li>',
        text.partition('class="asks"')[2],
    )
    return [(unescape(said), not more) for more, said in found]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("lang", ["en", "es"])
def test_every_answer_is_on_the_page_and_in_the_pdf(
    ada: FlaskClient, visit: dict[str, str], form: str, lang: str
) -> None:
    text = page(ada, visit[form], lang)
    pdf = in_pdf(printed(ada, visit[form], lang))
    answers = [unescape(one) for one in re.findall(r"<dd>(.*?)</dd>", text, re.DOTALL)]
    answers = [one for each in answers for one in re.findall(r"<p[^>]*>([^<]*)</p>", each)]
    labels = [unescape(one) for one in re.findall(r"<dt>([^<]*)</dt>", text)]
    assert len(labels) > 5
    assert [one for one in (*labels, *answers) if close(one) not in pdf] == []
    stored = (ROOT / form / "responses" / "typical.json").read_text("utf-8")
    own = re.findall(r'"valueString": (".*")', stored)
    assert [one for one in map(json.loads, own) if close(one) not in pdf] == []
    for key in ("copy-questions", "copy-answers", "copy-reviewed", "copy-sheet"):
        assert close(words(lang)[key]) in pdf
    assert close("555 0100") in pdf
    assert close(NAME) in pdf


@pytest.mark.parametrize("form", FORMS)
def test_her_questions_stand_in_her_order_on_every_copy_of_the_visit(
    ada: FlaskClient, visit: dict[str, str], form: str
) -> None:
    found = asked(page(ada, visit[form]))
    assert found[:3] == [
        ("Has my cancer come back?", True),
        ("Can I wait with treatment until after the wedding in May?", True),
        ("What can ease my symptoms now? Could a comfort care (palliative) team help?", True),
    ]
    assert len(found) > 3
    assert not any(ranked for _, ranked in found[3:])
    assert len({said for said, _ in found}) == len(found)
    pdf = in_pdf(printed(ada, visit[form]))
    places = [pdf.index(close(said)) for said, _ in found]
    assert places == sorted(places)


def test_her_questions_are_in_spanish_where_she_reads_spanish(
    ada: FlaskClient, visit: dict[str, str]
) -> None:
    in_english = dict(asked(page(ada, visit[QUESTIONS])))
    in_spanish = dict(asked(page(ada, visit[QUESTIONS], "es")))
    both = set(in_english) & set(in_spanish)
    assert both == {"Can I wait with treatment until after the wedding in May?"}  # her own words
    reader = pypdf.PdfReader(io.BytesIO(printed(ada, visit[QUESTIONS], "es")))
    assert str(cast("DictionaryObject", reader.trailer["/Root"].get_object())["/Lang"]) == "es"


def test_the_pdf_is_tagged_the_same_bytes_again_and_her_questions_fill_one_sheet(
    ada: FlaskClient, visit: dict[str, str]
) -> None:
    pdf = printed(ada, visit[QUESTIONS])
    assert printed(ada, visit[QUESTIONS]) == pdf
    reader = pypdf.PdfReader(io.BytesIO(pdf))
    root = cast("DictionaryObject", reader.trailer["/Root"].get_object())
    assert cast("DictionaryObject", root["/MarkInfo"])["/Marked"]
    first = close(reader.pages[0].extract_text())
    assert all(close(said) in first for said, _ in asked(page(ada, visit[QUESTIONS])))
    assert close(words("en")["copy-answers"]) not in first
    assert close(words("en")["copy-answers"]) in close(reader.pages[1].extract_text())


def test_another_patient_finds_no_copy(running: Running, visit: dict[str, str]) -> None:
    grace = logged_in(running, "grace-example")
    for below in ("copy", "copy.pdf"):
        reply = grace.get(f"/forms/{visit[QUESTIONS]}/{below}", base_url=BASE_URL)
        assert reply.status_code == 404
        never = grace.get(f"/forms/never-there/{below}", base_url=BASE_URL)
        assert never.status_code == 404
    stranger = running.client.application.test_client()
    reply = stranger.get(f"/forms/{visit[QUESTIONS]}/copy.pdf", base_url=BASE_URL)
    assert reply.status_code == 401


def test_a_link_sees_its_own_response_and_no_question_of_another(
    running: Running, visit: dict[str, str]
) -> None:
    by_link = at_the_page(running, SHORT)
    by_link.send("1", {"pain": "7", "worry": "Whether it comes back"})
    assert by_link.client.get(f"{by_link.base}/copy.pdf").status_code == 303  # not sent yet
    by_link.send("check", {}, go="send")
    sent = by_link.get("sent")
    assert f'href="{by_link.base}/copy.pdf"' in sent
    text = by_link.get("copy")
    assert f'href="{by_link.base}/copy.pdf"' in text
    assert asked(text) == []
    pdf = in_pdf(by_link.client.get(f"{by_link.base}/copy.pdf").data)
    assert close("Whether it comes back") in pdf
    assert close("Has my cancer come back?") not in pdf
    id_ = by_link.base.rpartition("/")[2]
    whole = logged_in(running, "ada-example")
    assert asked(page(whole, id_))[0] == ("Has my cancer come back?", True)
    for other in visit.values():
        for below in ("copy", "copy.pdf"):
            assert by_link.client.get(f"/forms/{other}/{below}").status_code == 404


@pytest.mark.parametrize("said", HOSTILE)
def test_hostile_words_do_no_harm(running: Running, said: str) -> None:
    there = at_the_page(running, SHORT)
    there.send("1", {"pain": "7", "worry": said})
    there.send("check", {}, go="send")
    reply = there.client.get(f"{there.base}/copy.pdf")
    assert reply.status_code == 200, reply.text
    assert close(visible(said)) in in_pdf(reply.data)
    text = there.get("copy")
    assert "<script>alert" not in text
    assert unescape(text).count(said) == 1


def test_the_audit_tells_that_a_copy_was_made_and_of_whom(
    running: Running, ada: FlaskClient, visit: dict[str, str]
) -> None:
    before = _events(running)
    printed(ada, visit["coping-support"])
    (new,) = (body for id_, body in _events(running).items() if id_ not in before)
    told = json.dumps(new)
    assert "forms-copy-pdf" in told
    assert '"Patient/ada-example"' in told
    assert "Has my cancer" not in told


def _events(running: Running) -> dict[str, Any]:
    reply = running.send("GET", "/fhir/AuditEvent?_count=200&_sort=-date")
    found = json.loads(reply.data)["entry"]
    resources = [one["resource"] for one in found]
    return {one["id"]: one for one in resources if "forms-copy" in json.dumps(one)}
