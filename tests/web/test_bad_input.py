"""Bad input: its status, an outcome that says what and where, and nothing stored."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from werkzeug.test import TestResponse

from tests.support.service import FORM_URL, Running, answers, issues

PATH = "/fhir/QuestionnaireResponse"


def raw(response: dict[str, Any], old: str, new: str) -> bytes:
    text = json.dumps(response)
    assert old in text
    return text.replace(old, new, 1).encode()


def nested(levels: int) -> dict[str, Any]:
    item: dict[str, Any] = {"linkId": "x"}
    for _ in range(levels):
        item = {"linkId": "x", "item": [item]}
    return answers(item=[item])


BAD: list[Any] = [
    pytest.param(b'{"resourceType":', 400, "", id="cut off in the middle"),
    pytest.param(b"", 400, "", id="empty"),
    pytest.param(b"[]", 400, "", id="a list"),
    pytest.param(b'"text"', 400, "", id="a string"),
    pytest.param(b"\xff\xfe{}", 400, "", id="not UTF-8"),
    pytest.param(
        raw(answers(), '"status": "completed"', '"status": "completed", "status": "amended"'),
        400,
        "status",
        id="a key twice",
    ),
    pytest.param(
        raw(answers(), '"linkId": "pain"', '"linkId": "pain", "linkId": "fever"'),
        400,
        "item[0]",
        id="a key twice far down",
    ),
    pytest.param({"resourceType": "Patient"}, 400, "resourceType", id="another resource type"),
    pytest.param({"status": "completed"}, 400, "resourceType", id="no resource type"),
    pytest.param(answers(mood="low"), 400, "mood", id="an unknown element"),
    pytest.param(
        answers(item=[{"linkId": "pain", "answr": []}]), 400, "item[0]", id="unknown far down"
    ),
    pytest.param(nested(40), 400, "", id="nested too deep"),
    pytest.param(
        b'{"resourceType":"QuestionnaireResponse","item":' + b"[" * 9000 + b"]" * 9000 + b"}",
        400,
        "",
        id="nested absurdly deep",
    ),
    pytest.param(
        answers(questionnaire="https://clinic.example.org/fhir/Questionnaire/none|1.0.0"),
        422,
        "QuestionnaireResponse.questionnaire",
        id="an unknown form",
    ),
    pytest.param(
        answers(questionnaire=f"{FORM_URL}|9.9.9"),
        422,
        "QuestionnaireResponse.questionnaire",
        id="a wrong version",
    ),
    pytest.param(
        {k: v for k, v in answers().items() if k != "questionnaire"},
        422,
        "QuestionnaireResponse.questionnaire",
        id="no form named",
    ),
    pytest.param(
        {k: v for k, v in answers().items() if k != "subject"},
        422,
        "QuestionnaireResponse.subject",
        id="no patient",
    ),
    pytest.param(
        answers(subject={"reference": "Group/1"}),
        422,
        "QuestionnaireResponse.subject",
        id="a subject that is no patient",
    ),
    pytest.param(answers(item=[]), 400, "item", id="an empty list"),
    pytest.param(
        {k: v for k, v in answers().items() if k != "item"},
        422,
        "",
        id="a required answer missing",
    ),
    pytest.param(
        answers(item=[{"linkId": "pain", "answer": [{"valueString": "seven"}]}]),
        422,
        "QuestionnaireResponse.item[0].answer[0]",
        id="a value of another type",
    ),
]


@pytest.mark.parametrize(("body", "status", "where"), BAD)
def test_bad_input_is_refused_with_what_and_where_and_nothing_is_stored(
    running: Running, body: object, status: int, where: str
) -> None:
    before = running.kept()
    reply = running.send("POST", PATH, body)
    assert reply.status_code == status, reply.text
    found = issues(reply)
    assert all(i["severity"] in ("error", "fatal") and i["details"]["text"] for i in found)
    told = " ".join([*found[0].get("expression", []), found[0]["details"]["text"]])
    assert where in told, found
    assert "Traceback" not in reply.text
    assert running.kept() == before


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Content-Type": "text/plain"}, 415),
        ({"Content-Type": "application/fhir+xml"}, 415),
        ({"Content-Type": "application/fhir+json; charset=latin-1"}, 415),
        ({"Content-Encoding": "br"}, 415),
        ({"Accept": "application/fhir+xml"}, 406),
        ({"If-None-Exist": "colour=x"}, 400),
    ],
)
def test_headers_that_can_not_be_met_are_refused_and_nothing_is_stored(
    running: Running, headers: dict[str, str], status: int
) -> None:
    before = running.kept()
    reply = running.send("POST", PATH, answers(), headers=headers)
    assert reply.status_code == status, reply.text
    assert issues(reply)
    assert running.kept() == before


def test_a_body_over_the_limit_is_refused_before_it_is_read(running: Running) -> None:
    before = running.kept()
    reply = running.send("POST", PATH, b" " * 200_001)
    assert reply.status_code == 413
    assert "200000 bytes" in issues(reply)[0]["details"]["text"]
    body = json.dumps(answers()).encode()
    assert running.send("POST", PATH, body + b" " * (200_000 - len(body))).status_code == 201
    assert running.kept() == before + 1


def in_pieces(running: Running, body: bytes, length: str) -> TestResponse:
    """A request as the server hands it on: the stream ends by itself; length "" is none."""
    headers = {
        "Authorization": f"Bearer {running.token()}",
        "Content-Type": "application/fhir+json",
    }
    overrides: dict[str, Any] = {"wsgi.input_terminated": True}
    overrides |= {"CONTENT_LENGTH": length} if length else {"HTTP_TRANSFER_ENCODING": "chunked"}
    return running.client.post(
        PATH, input_stream=io.BytesIO(body), headers=headers, environ_overrides=overrides
    )


def test_a_body_in_pieces_without_length_has_the_same_limit(running: Running) -> None:
    before = running.kept()
    body = json.dumps(answers()).encode()
    filled = body + b" " * (200_000 - len(body))
    for more in (1, 2, 100_000):
        reply = in_pieces(running, filled + b" " * more, "")
        assert reply.status_code == 413, reply.text
    assert running.kept() == before
    assert in_pieces(running, filled, "").status_code == 201


def test_a_body_that_ends_too_early_is_refused(running: Running) -> None:
    before = running.kept()
    body = json.dumps(answers()).encode()
    reply = in_pieces(running, body, str(len(body) + 10))
    assert reply.status_code == 400, reply.text
    assert running.kept() == before


def test_every_finding_is_told_not_the_first_alone(running: Running) -> None:
    wrong = answers(
        item=[
            {"linkId": "pain", "answer": [{"valueString": "seven"}]},
            {"linkId": "fever", "answer": [{"valueInteger": 1}]},
        ]
    )
    reply = running.send("POST", PATH, wrong)
    assert reply.status_code == 422
    places = [i["expression"][0] for i in issues(reply)]
    assert any("item[0]" in place for place in places)
    assert any("item[1]" in place for place in places)
