"""What the clinic's terminology server says decides over value sets that are not stored here."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from werkzeug.test import TestResponse

from tests.support.service import Running, answers, issues, short_form, start
from tests.support.terminology import FAULTS, HANG, Answer, Terminology, a_terminology, result

DRUGS, UNITS = "http://example.org/ValueSet/drugs", "http://example.org/ValueSet/doses"
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
CANARY = "Canary-Words"
UNIT_SET = "http://hl7.org/fhir/StructureDefinition/questionnaire-unitValueSet"
CALCULATED = "http://hl7.org/fhir/StructureDefinition/cqf-calculatedValue"


def the_form() -> dict[str, Any]:
    item: list[dict[str, Any]] = [
        {"linkId": "drug", "text": "Drug?", "type": "choice", "answerValueSet": DRUGS},
        {
            "linkId": "dose",
            "text": "Dose?",
            "type": "quantity",
            "extension": [{"url": UNIT_SET, "valueCanonical": UNITS}],
        },
        {"linkId": "word", "text": "Word?", "type": "open-choice", "answerValueSet": DRUGS},
    ]
    return short_form() | {"item": item}


def drug(code: str = "282388", **changes: Any) -> dict[str, Any]:
    coding = {"system": RXNORM, "code": code, "display": CANARY, **changes}
    return {"linkId": "drug", "answer": [{"valueCoding": coding}]}


def dose() -> dict[str, Any]:
    quantity = {"value": 5, "unit": CANARY, "system": "http://unitsofmeasure.org", "code": "mg"}
    return {"linkId": "dose", "answer": [{"valueQuantity": quantity}]}


@contextmanager
def running(folder: Path, server: Terminology, form: dict[str, Any]) -> Iterator[Running]:
    service = start(folder, TERMINOLOGY_BASE=server.base, TERMINOLOGY_TIMEOUT="1")
    try:
        assert service.send("POST", "/fhir/Questionnaire", form).status_code == 201
        yield service
    finally:
        service.close()


def post(service: Running, *items: dict[str, Any]) -> TestResponse:
    sent = answers(item=list(items))
    headers = {"Prefer": "return=OperationOutcome"}
    return service.send("POST", "/fhir/QuestionnaireResponse", sent, headers=headers)


def keys(reply: TestResponse) -> list[str]:
    """The keys of the findings; what is only said that it was stored has none."""
    codings = [one.get("details", {}).get("coding") for one in issues(reply)]
    return [coding[0]["code"] for coding in codings if coding]


@pytest.mark.parametrize(
    ("answer", "status", "key"),
    [
        (result(True), 201, None),
        (result(False), 422, "value-set-not-member"),
        (FAULTS["500"], 201, "terminology-server-silent"),
        (FAULTS["404"], 201, "terminology-server-silent"),
        (FAULTS["malformed JSON"], 201, "terminology-server-silent"),
        (FAULTS["redirect to a yes"], 201, "terminology-server-silent"),
        (FAULTS["no result"], 201, "terminology-server-silent"),
        (HANG, 201, "terminology-server-silent"),
    ],
)
def test_a_response_is_taken_unless_the_server_says_no(
    tmp_path: Path, answer: Answer, status: int, key: str | None
) -> None:
    with a_terminology(lambda: answer) as server, running(tmp_path, server, the_form()) as service:
        began = time.monotonic()
        reply = post(service, drug())
        assert time.monotonic() - began < 8
        assert (reply.status_code, len(server.asked)) == (status, 1)
        found = [one for one in keys(reply) if "set" in one or "server" in one]
        assert found == ([key] if key else [])
        if key == "terminology-server-silent":
            (issue,) = (one for one in issues(reply) if key in str(one))
            assert issue["severity"] == "warning"
            assert [one["code"] for one in issue["details"]["coding"]] == [key, "not-verified"]
        assert service.kept() == (1 if status == 201 else 0)


@pytest.mark.parametrize(
    ("answer", "status", "key"),
    [
        (result(True), 201, None),
        (result(False), 422, "unit-not-in-value-set"),
        (FAULTS["500"], 201, "unit-terminology-server-silent"),
    ],
)
def test_the_unit_of_a_quantity_is_asked_for_too(
    tmp_path: Path, answer: Answer, status: int, key: str | None
) -> None:
    with a_terminology(lambda: answer) as server, running(tmp_path, server, the_form()) as service:
        reply = post(service, dose())
        assert reply.status_code == status
        assert [one for one in keys(reply) if one.startswith("unit")] == ([key] if key else [])


def test_no_word_and_no_id_of_the_patient_leaves(tmp_path: Path) -> None:
    with a_terminology() as server, running(tmp_path, server, the_form()) as service:
        words = {"linkId": "word", "answer": [{"valueString": CANARY}]}
        assert post(service, drug(), dose(), words).status_code == 201
        sent = b"".join(body for _, _, body in server.asked) + json.dumps(server.headers).encode()
    assert len(server.asked) == 2
    assert CANARY.encode() not in sent
    assert b"ada" not in sent
    assert {path for _, path, _ in server.asked} == {"/fhir/ValueSet/$validate-code"}


@pytest.mark.parametrize(
    "coding",
    [
        {"code": "I am Ada Example and afraid"},
        {"code": "x" * 65},
        {"system": "Ada Example"},
        {"system": "http://example.org/s?patient=ada"},
    ],
)
def test_what_looks_like_no_published_code_does_not_leave(
    tmp_path: Path, coding: dict[str, str]
) -> None:
    with a_terminology() as server, running(tmp_path, server, the_form()) as service:
        post(service, drug(**coding))
        assert server.asked == []


def test_what_needs_no_server_does_not_ask_it(tmp_path: Path) -> None:
    form = the_form()
    contained = {
        "resourceType": "ValueSet",
        "id": "own",
        "status": "active",
        "compose": {"include": [{"system": RXNORM, "concept": [{"code": "282388"}]}]},
    }
    form = form | {"contained": [contained]}
    form["item"][0]["answerValueSet"] = "#own"
    with a_terminology() as server, running(tmp_path, server, form) as service:
        assert post(service, drug()).status_code == 201
        assert post(service, drug("1")).status_code == 422
        assert server.asked == []
        site = service.service.site
        assert site.terminology is not None


def test_a_value_set_that_an_expression_names_is_not_asked_for(tmp_path: Path) -> None:
    form = the_form()
    calculated = {
        "url": CALCULATED,
        "valueExpression": {"language": "text/fhirpath", "expression": f"'{DRUGS}'"},
    }
    form["item"][0] |= {"_answerValueSet": {"extension": [calculated]}}
    with a_terminology() as server, running(tmp_path, server, form) as service:
        reply = post(service, drug())
        assert (reply.status_code, "value-set-unknown" in keys(reply)) == (201, True)
        assert server.asked == []


def test_an_expression_does_not_ask(tmp_path: Path) -> None:
    form = the_form()
    expression = f"%resource.item.where(linkId = 'drug').answer.value.memberOf('{UNITS}')"
    constraint = {
        "url": "http://hl7.org/fhir/StructureDefinition/targetConstraint",
        "extension": [
            {"url": "key", "valueId": "c-1"},
            {"url": "severity", "valueCode": "error"},
            {"url": "human", "valueString": "One of these."},
            {
                "url": "expression",
                "valueExpression": {"language": "text/fhirpath", "expression": expression},
            },
        ],
    }
    form |= {"extension": [constraint]}
    with a_terminology(lambda: result(False)) as server:
        with running(tmp_path, server, form) as service:
            post(service, drug())
        asked = [json.loads(body)["parameter"][0]["valueUri"] for _, _, body in server.asked]
    assert asked == [DRUGS]


def test_nobody_is_waited_for_within_a_transaction(tmp_path: Path) -> None:
    with a_terminology(lambda: HANG) as server, running(tmp_path, server, the_form()) as service:
        entry = {
            "resource": answers(item=[drug()]),
            "request": {"method": "POST", "url": "QuestionnaireResponse"},
        }
        bundle = {"resourceType": "Bundle", "type": "transaction", "entry": [entry]}
        assert service.send("POST", "/fhir", bundle).status_code == 200
        assert service.kept() == 1
        assert server.asked == []


def test_without_the_setting_nobody_is_asked(tmp_path: Path) -> None:
    service = start(tmp_path)
    try:
        assert service.service.site.terminology is None
        service.send("POST", "/fhir/Questionnaire", the_form())
        assert "value-set-unknown" in keys(post(service, drug()))
    finally:
        service.close()
