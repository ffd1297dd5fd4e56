"""The patient's page through its doors: filled, left, found again, checked, sent, changed."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from typing import Any

import pytest

from fhir_service.web.filling.views import minutes
from fhir_service.web.static_files import contents
from fhir_service.web.wording import languages, words
from tests.support.filling import ADA, AtThePage, Form, a_link, at_the_page
from tests.support.service import FORM_URL, Running, short_form, start

SHORT = f"{FORM_URL}|1.0.0"
SHIPPED = ("previsit-recurrent-breast", "doctor-questions", "coping-support")


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    service = start(tmp_path_factory.mktemp("filling"), CLINIC_PHONE="555 0100")
    service.service.publish_shipped()
    form = short_form() | {"id": "short-form"}
    assert service.send("PUT", "/fhir/Questionnaire/short-form", form).status_code == 201
    assert service.send("PUT", "/fhir/Patient/ada-example", ADA).status_code == 201
    yield service
    service.close()


def canonical_of(running: Running, name: str) -> str:
    found = json.loads(running.send("GET", f"/fhir/Questionnaire?_id={name}").data)
    form = found["entry"][0]["resource"]
    return f"{form['url']}|{form['version']}"


def answered(response: dict[str, Any]) -> dict[str, Any]:
    """linkId to the first value of its answers, groups opened."""
    found: dict[str, Any] = {}
    for item in response.get("item", []):
        found |= answered(item)
        for answer in item.get("answer", [])[:1]:
            values = [value for key, value in answer.items() if key.startswith("value")]
            found[item["linkId"]] = values[0]
    return found


@pytest.mark.parametrize(
    ("questions", "told"), [(1, 2), (24, 3), (40, 5), (44, 10), (80, 10), (84, 10), (85, 15)]
)
def test_the_time_it_takes_is_told_in_round_minutes(questions: int, told: int) -> None:
    assert minutes(questions) == told


def test_a_form_is_filled_checked_and_sent(running: Running) -> None:
    ada = at_the_page(running, SHORT)
    reply = ada.send("1", {"pain": "7", "fever": "true", "highest": "38,5", "worry": "A\r\nB"})
    assert reply.headers["Location"].endswith("/check")
    assert ada.stored()["status"] == "in-progress"
    assert "38.5" in ada.get("check")
    assert ada.send("check", {}, go="send").headers["Location"].endswith("/sent")
    sent = ada.stored()
    assert sent["status"] == "completed"
    assert answered(sent) == {"pain": 7, "fever": True, "highest": 38.5, "worry": "A\nB"}
    assert sent["author"] == sent["source"] == {"reference": "Patient/ada-example"}
    assert "extension" not in sent
    assert "555 0100" in ada.get("sent")
    assert "A\nB" in ada.get("copy")


@pytest.mark.parametrize("name", SHIPPED)
@pytest.mark.parametrize("lang", ["en", "es"])
def test_every_form_that_ships_can_be_gone_through(running: Running, name: str, lang: str) -> None:
    ada = at_the_page(running, canonical_of(running, name))
    ada.get("1", lang=lang)
    for number in range(1, 40):
        values: dict[str, Any] = {}
        form = ada.form(str(number))
        for field, tokens in form.choices.items():
            if not field.endswith(("~confirm", "~declined")) and "/" in field:
                values[field] = next((token for token in tokens if token), None)
        values |= {field: "Aspirin" for field, _ in form.fields if field.endswith("-name")}
        to = ada.send(str(number), values).headers.get("Location", "")
        if not to:
            to = ada.send(str(number), {}, go="anyway").headers["Location"]
        if to.endswith("/check"):
            break
    page = ada.get("check")
    assert f'lang="{lang}"' in page
    assert words(lang)["check-title"] in page
    ada.send("check", {}, go="send")
    assert ada.last is not None
    assert ada.last.headers.get("Location", "").endswith("/sent"), ada.errors()
    assert ada.stored()["status"] == "completed"


def test_what_must_be_answered_is_told_at_the_question_and_can_be_left_for_now(
    running: Running,
) -> None:
    ada = at_the_page(running, SHORT)
    reply = ada.send("1", {"worry": "Whether it comes back"})
    assert reply.status_code == 200
    assert ada.errors() == ["How strong is your pain?: Please answer this question."]
    assert "<title>Error:" in reply.text
    assert answered(ada.stored()) == {"worry": "Whether it comes back"}
    assert ada.send("1", {}, go="anyway").headers["Location"].endswith("/check")
    ada.send("check", {}, go="send")
    assert ada.errors() == ["How strong is your pain?: Please answer this question."]
    assert ada.stored()["status"] == "in-progress"


def test_what_can_be_no_answer_is_kept_as_typed_and_never_sent(running: Running) -> None:
    ada = at_the_page(running, SHORT)
    reply = ada.send("1", {"pain": "seven", "more/since~day": "31", "more/since~month": "2"})
    assert reply.status_code == 200
    assert len(ada.errors()) == 2
    again = dict(ada.form("1").fields)
    assert (again["pain"], again["more/since~day"]) == ("seven", "31")
    assert answered(ada.stored()) == {}
    ada.send(
        "1", {"pain": "7", "more/since~day": "", "more/since~month": "", "more/since~year": "2019"}
    )
    ada.send("check", {}, go="send")
    assert answered(ada.stored()) == {"pain": 7, "since": "2019"}
    assert "extension" not in ada.stored()


def test_two_devices_meet_and_what_both_changed_is_asked(running: Running) -> None:
    address = a_link(running, SHORT)
    phone = AtThePage(running, running.client.application.test_client())
    laptop = AtThePage(running, running.client.application.test_client())
    phone.open(address)
    laptop.open(address)
    phone.begin()
    on_phone, on_laptop = phone.form("1"), laptop.form("1")
    phone.send("1", {"pain": "3"}, form=on_phone, go="update")
    laptop.send("1", {"worry": "My work"}, form=on_laptop, go="update")
    assert answered(phone.stored()) == {"pain": 3, "worry": "My work"}
    old = phone.form("1")
    laptop.send("1", {"pain": "5"}, go="update")
    reply = phone.send("1", {"pain": "8"}, form=old)
    assert reply.status_code == 200
    assert "There it says: 5" in phone.errors()[0]
    assert dict(phone.form("1").fields)["pain"] == "8"


def test_a_page_of_a_version_that_never_was_overwrites_nothing_unasked(running: Running) -> None:
    ada = at_the_page(running, SHORT)
    ada.send("1", {"pain": "3"}, go="update")
    reply = ada.send("1", {"pain": "8", "v": "9999"})
    assert reply.status_code == 200
    assert "There it says: 3" in ada.errors()[0]


def test_a_helper_is_named_while_she_is_there_and_not_after(running: Running) -> None:
    address = a_link(running, SHORT)
    helper = AtThePage(running, running.client.application.test_client())
    helper.open(address, who="helper", name="Grace Example", relation="child")
    helper.begin()
    helper.send("1", {"pain": "3"}, go="update")
    kept = helper.stored()
    assert kept["contained"][0]["name"] == [{"text": "Grace Example"}]
    assert kept["source"] == {"reference": "#helper"}
    ada = AtThePage(running, running.client.application.test_client())
    ada.open(address)
    ada.send("1", {"pain": "4"})
    ada.send("check", {}, go="send")
    assert ada.stored()["source"] == {"reference": "Patient/ada-example"}
    assert "contained" not in ada.stored()


def test_an_autosave_saves_and_says_the_new_version(running: Running) -> None:
    ada = at_the_page(running, SHORT)
    reply = ada.send("1", {"worry": "half a sen"}, go="autosave")
    assert (reply.status_code, reply.data) == (204, b"")
    assert reply.headers["X-Version"] == ada.stored()["meta"]["versionId"]
    assert answered(ada.stored()) == {"worry": "half a sen"}


def test_what_was_sent_can_be_changed_and_then_replaces_it(running: Running) -> None:
    ada = at_the_page(running, SHORT)
    ada.send("1", {"pain": "7"})
    ada.send("check", {}, go="send")
    assert ada.client.get(f"{ada.base}/1").headers["Location"].endswith("/sent")
    ada.send("sent", {})
    ada.send("1", {"pain": "2"})
    assert answered(ada.stored()) == {"pain": 7}
    ada.send("check", {}, go="send")
    assert (ada.stored()["status"], answered(ada.stored())) == ("amended", {"pain": 2})
    ada.send("sent", {})
    ada.send("1", {"pain": "9"})
    ada.send("check", {}, go="keep")
    assert answered(ada.stored()) == {"pain": 2}


def test_answers_of_questions_that_are_not_asked_any_more_are_not_sent(running: Running) -> None:
    ada = at_the_page(running, SHORT)
    ada.send("1", {"pain": "7", "fever": "true", "highest": "39"}, go="update")
    ada.send("1", {"fever": "false", "highest": "39"})
    assert answered(ada.stored())["highest"] == 39
    ada.send("check", {}, go="send")
    assert answered(ada.stored()) == {"pain": 7, "fever": False}


def test_nobody_else_finds_the_response(running: Running) -> None:
    ada = at_the_page(running, SHORT)
    other = at_the_page(running, SHORT)
    for below in ("", "/1", "/check", "/sent", "/copy", "/later", "/conditions.css"):
        assert other.client.get(f"{ada.base}{below}").status_code == 404
    stranger = running.client.application.test_client()
    assert stranger.get(f"{ada.base}/1").status_code == 401


def test_the_languages_have_the_same_words() -> None:
    assert languages() == ("en", "es")
    for language in languages():
        assert set(words(language)) == set(words("en")), language
        blank = {key for key, text in words(language).items() if not text.strip()}
        assert blank == set()


def test_pages_are_light(running: Running) -> None:
    ada = at_the_page(running, canonical_of(running, SHIPPED[0]))
    css, script = (len(gzip.compress(contents()[name])) for name in ("patient.css", "patient.js"))
    sizes = [len(gzip.compress(ada.get(str(number)).encode())) for number in range(1, 13)]
    style = len(gzip.compress(ada.client.get(f"{ada.base}/conditions.css").data))
    assert script <= 2_000
    assert sizes[0] + css + script + style <= 12_000
    assert max(sizes) <= 4_000, sizes


def test_the_parser_of_these_tests_reads_a_form() -> None:
    form = Form()
    form.feed('<textarea name="a">\nx &amp; y</textarea><input name="b" type="radio" value="1">')
    assert form.fields == [("a", "x & y")]
    assert form.choices == {"b": ["1"]}
