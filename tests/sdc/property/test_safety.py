"""What is made to be costly is answered soon, with an issue: within a second of the processor.

http://hl7.org/fhir/R4/security.html
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fhir_service.sdc import extensions as ext
from tests.support.cpu import within
from tests.support.random_forms import URL
from tests.support.random_questions import extension
from tests.support.service import Running, issues, start

SECONDS = 1.0
DEEP = 5_000
MANY = 50_000
FORM = "/fhir/Questionnaire"
RESPONSE = "/fhir/QuestionnaireResponse"
Json = dict[str, Any]


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    service = start(tmp_path, MAX_BODY_BYTES=str(20 * 1024 * 1024))
    service.send("GET", f"{RESPONSE}?_count=1")  # what the first request alone costs is not meant
    yield service
    service.close()


def soon(running: Running, path: str, body: Any) -> list[str]:
    """The keys of what is told; the second counts from the bytes in to the bytes out."""
    sent = body if isinstance(body, bytes) else json.dumps(body).encode()
    token = running.token()
    reply = within(SECONDS, lambda: running.send("POST", path, sent, token=token))
    assert reply.status_code < 500
    coded = [one["details"]["coding"][0] for one in issues(reply) if "coding" in one["details"]]
    return [one["code"] for one in coded]


def form(*items: Json, **more: Any) -> Json:
    return {
        "resourceType": "Questionnaire",
        "url": URL,
        "version": "1.0.0",
        "name": "Costly",
        "title": "A costly form",
        "status": "active",
        "subjectType": ["Patient"],
        "item": list(items),
        **more,
    }


def response(*items: Json) -> Json:
    return {
        "resourceType": "QuestionnaireResponse",
        "questionnaire": f"{URL}|1.0.0",
        "status": "completed",
        "subject": {"reference": "Patient/ada-example"},
        "authored": "2026-11-20T09:30:00+01:00",
        "item": list(items),
    }


def publish(running: Running, made: Json) -> None:
    reply = running.send("POST", FORM, made)
    assert reply.status_code == 201, reply.text


def question(link_id: str, type_: str = "string", **more: Any) -> Json:
    return {"linkId": link_id, "type": type_, "text": f"Question {link_id}", **more}


def deep(resource: Json, inner: bytes) -> bytes:
    """The resource with items in items, 5,000 deep: no encoder goes there by itself."""
    body = json.dumps({**resource, "item": []}).encode()
    nested = (
        b'{"linkId":"g","type":"group","item":[' if inner == b"form" else b'{"linkId":"g","item":['
    ) * DEEP
    return body.replace(
        b'"item": []', b'"item": [' + nested + b'{"linkId":"g"}' + b"]}" * DEEP + b"]"
    )


@pytest.mark.parametrize("path", [FORM, f"{FORM}/$validate"])
def test_a_form_of_items_five_thousand_deep(running: Running, path: str) -> None:
    assert soon(running, path, deep(form(), b"form")) == ["json-too-deep"]


@pytest.mark.parametrize("path", [RESPONSE, f"{RESPONSE}/$validate"])
def test_a_response_of_items_five_thousand_deep(running: Running, path: str) -> None:
    publish(running, form({**question("g", "group"), "item": [question("a")]}))
    assert "json-too-deep" in soon(running, path, deep(response(), b"response"))


def test_a_response_of_fifty_thousand_items_that_holds(running: Running) -> None:
    publish(
        running, form({**question("g", "group", repeats=True), "item": [question("a", "integer")]})
    )
    answered = {"linkId": "g", "item": [{"linkId": "a", "answer": [{"valueInteger": 1}]}]}
    told = soon(running, f"{RESPONSE}/$validate", response(*[answered] * (MANY // 2)))
    assert told == []


def test_a_response_of_fifty_thousand_items_that_are_all_wrong(running: Running) -> None:
    publish(running, form(question("a", "integer")))
    wrong = {"linkId": "a", "answer": [{"valueString": "x"}]}
    told = soon(running, f"{RESPONSE}/$validate", response(*[wrong] * MANY))
    assert {"answer-type", "question-twice"} <= set(told)


def test_a_response_of_fifty_thousand_items_that_the_form_has_not(running: Running) -> None:
    publish(running, form(question("a", "integer")))
    told = soon(running, f"{RESPONSE}/$validate", response(*[{"linkId": "no"}] * MANY))
    assert "item-unknown" in told


def test_fifty_thousand_answers_to_one_question(running: Running) -> None:
    publish(running, form(question("a", "string", repeats=True)))
    same = {"linkId": "a", "answer": [{"valueString": "x"}] * MANY}
    assert "same-answer-twice" in soon(running, f"{RESPONSE}/$validate", response(same))


def test_conditions_in_a_circle(running: Running) -> None:
    names = [f"q{number}" for number in range(200)]
    items = [
        question(
            name, enableWhen=[{"question": other, "operator": "exists", "answerBoolean": True}]
        )
        for name, other in zip(names, [*names[1:], names[0]], strict=True)
    ]
    assert "form-circle-conditions" in soon(running, f"{FORM}/$validate", form(*items))
    publish(running, form(*items))
    answered = [{"linkId": name, "answer": [{"valueString": "x"}]} for name in names]
    soon(running, f"{RESPONSE}/$validate", response(*answered))


def test_conditions_that_all_depend_on_all(running: Running) -> None:
    """Each of sixty items asks all others: whoever follows every way does not come to an end."""
    names = [f"q{number}" for number in range(60)]
    items = [
        question(
            name,
            enableBehavior="all",
            enableWhen=[
                {"question": other, "operator": "exists", "answerBoolean": True}
                for other in names
                if other != name
            ],
        )
        for name in names
    ]
    assert "form-circle-conditions" in soon(running, f"{FORM}/$validate", form(*items))
    publish(running, form(*items))
    answered = [{"linkId": name, "answer": [{"valueString": "x"}]} for name in names]
    soon(running, f"{RESPONSE}/$validate", response(*answered))


def test_a_chain_of_conditions_as_long_as_the_form(running: Running) -> None:
    first = question("q0", "boolean")
    chain = [
        question(
            f"q{number}",
            "boolean",
            enableWhen=[{"question": f"q{number - 1}", "operator": "=", "answerBoolean": True}],
        )
        for number in range(1, 2_000)
    ]
    publish(running, form(first, *chain))
    answered = [{"linkId": f"q{n}", "answer": [{"valueBoolean": n != 5}]} for n in range(2_000)]
    assert "answer-while-disabled" in soon(running, f"{RESPONSE}/$validate", response(*answered))


CATASTROPHIC = ["(a+)+$", "(a|a)*b", "(.*a){20}", "(?=(a+)+b)a+", "(a+)\\1+b", "a{1000}{1000}"]


@pytest.mark.parametrize("regex", CATASTROPHIC)
def test_a_regex_that_would_take_for_ever(running: Running, regex: str) -> None:
    item = question("a", extension=[extension(ext.REGEX, "String", regex)])
    assert soon(running, f"{FORM}/$validate", form(item))
    publish(running, form(item))
    answer = {"linkId": "a", "answer": [{"valueString": "a" * 5_000 + "!"}]}
    told = soon(running, f"{RESPONSE}/$validate", response(answer))
    assert {"answer-malformed", "pattern-unknown"} & set(told)


def variable(name: str, expression: str) -> Json:
    value = {"name": name, "language": "text/fhirpath", "expression": expression}
    return extension(ext.VARIABLE, "Expression", value)


def calculated(expression: str) -> Json:
    value = {"language": "text/fhirpath", "expression": expression}
    return question(
        "sum", "integer", extension=[extension(ext.CALCULATED_EXPRESSION, "Expression", value)]
    )


EXPLODING = [
    "(1|2|3|4|5|6|7|8|9).repeat(($this + 1) | ($this * 2))",
    "%resource.descendants().select(%resource.descendants().select(%resource.descendants())).count()",
    "'x'" + " & 'x'" * 3_000,
    "(" * 3_000 + "1" + ")" * 3_000,
    "'xxxxxxxxxxxxxxxx'.replace('x', 'xxxxxxxxxxxxxxxx')"
    + ".replace('x', 'xxxxxxxxxxxxxxxx')" * 12,
]


@pytest.mark.parametrize("expression", EXPLODING, ids=lambda text: text[:20])
def test_an_expression_that_explodes(running: Running, expression: str) -> None:
    others = [question(f"q{number}") for number in range(300)]
    made = form(*others, calculated(expression))
    assert soon(running, f"{FORM}/$validate", made)
    publish(running, made)
    answered = [
        {"linkId": f"q{number}", "answer": [{"valueString": "x"}]} for number in range(300)
    ]
    answered.append({"linkId": "sum", "answer": [{"valueInteger": 1}]})
    told = soon(running, f"{RESPONSE}/$validate", response(*answered))
    assert {"expression-too-costly", "calculated-value-differs"} & set(told)


def test_variables_in_a_circle(running: Running) -> None:
    names = [f"v{number}" for number in range(100)]
    circle = [
        variable(name, f"%{other} + %{other}")
        for name, other in zip(names, [*names[1:], names[0]], strict=True)
    ]
    made = form(calculated("%v0"), extension=circle)
    assert soon(running, f"{FORM}/$validate", made)
    publish(running, made)
    answered = {"linkId": "sum", "answer": [{"valueInteger": 1}]}
    assert "expression-not-decided" in soon(running, f"{RESPONSE}/$validate", response(answered))
