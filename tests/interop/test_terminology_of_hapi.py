"""A HAPI server as the clinic's terminology server: its words are understood as it means them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from fhir_service.ehr.terminology import open_terminology
from tests.support.hapi import Hapi
from tests.support.service import Running, answers, short_form, start

DRUGS = "http://clinic.example.org/ValueSet/drugs"
CODES = "http://clinic.example.org/CodeSystem/drugs"
ELSEWHERE = "http://clinic.example.org/CodeSystem/elsewhere"
PRICED = "http://clinic.example.org/ValueSet/of-a-system-that-is-nowhere"


@pytest.fixture(scope="module")
def known(hapi: Hapi) -> Hapi:
    """HAPI with a code system of two drugs, its value set, and one of a system that is nowhere."""
    concepts = [{"code": code, "display": code.title()} for code in ("letrozole", "tamoxifen")]
    head = {"version": "1", "status": "active"}
    system = {"resourceType": "CodeSystem", "id": "drugs", "url": CODES, "name": "Drugs", **head}
    hapi.put({**system, "content": "complete", "caseSensitive": True, "concept": concepts})
    for id_, url, of in (("drugs", DRUGS, CODES), ("nowhere", PRICED, ELSEWHERE)):
        value_set = {"resourceType": "ValueSet", "id": id_, "url": url, "name": "Some", **head}
        hapi.put({**value_set, "compose": {"include": [{"system": of}]}})
    return hapi


@pytest.mark.parametrize(
    ("value_set", "system", "code", "told"),
    [
        (DRUGS, CODES, "letrozole", True),
        (f"{DRUGS}|1", CODES, "tamoxifen", True),
        (DRUGS, CODES, "aspirin", False),
        (f"{DRUGS}|2", CODES, "letrozole", None),
        ("http://clinic.example.org/ValueSet/unknown", CODES, "letrozole", None),
        (PRICED, ELSEWHERE, "letrozole", None),
    ],
)
def test_hapi_says_yes_or_no_and_where_it_does_not_know_nothing_is_decided(
    known: Hapi, value_set: str, system: str, code: str, told: bool | None
) -> None:
    server = open_terminology(known.base, 20.0, ())
    assert server.for_one_check()(value_set, system, code) is told


@pytest.fixture
def running(tmp_path: Path, known: Hapi) -> Iterator[Running]:
    service = start(tmp_path, TERMINOLOGY_BASE=known.base, TERMINOLOGY_TIMEOUT="20")
    item = {"linkId": "drug", "text": "Drug?", "type": "choice", "answerValueSet": DRUGS}
    form = short_form() | {"item": [item]}
    assert service.send("POST", "/fhir/Questionnaire", form).status_code == 201
    yield service
    service.close()


def told(service: Running, code: str) -> tuple[int, list[str]]:
    """The status of a response with this code, and the keys of what is found on it."""
    coding: dict[str, Any] = {"system": CODES, "code": code, "display": "Her own words"}
    sent = answers(item=[{"linkId": "drug", "answer": [{"valueCoding": coding}]}])
    headers = {"Prefer": "return=OperationOutcome"}
    reply = service.send("POST", "/fhir/QuestionnaireResponse", sent, headers=headers)
    found = [one.get("details", {}).get("coding", []) for one in json.loads(reply.data)["issue"]]
    return reply.status_code, [coding[0]["code"] for coding in found if coding]


def test_a_response_is_stored_or_refused_as_hapi_says(running: Running) -> None:
    assert told(running, "letrozole") == (201, [])
    assert told(running, "aspirin") == (422, ["value-set-not-member"])
    assert running.kept() == 1


def test_hapi_takes_what_we_send_as_it_stands(known: Hapi) -> None:
    """The same question as a GET by hand: so the answer is HAPI's, not our reading of it."""
    asked = {"url": DRUGS, "system": CODES}
    for code, expected in (("letrozole", True), ("aspirin", False)):
        url = f"{known.base}/ValueSet/$validate-code"
        said = requests.get(url, params=asked | {"code": code}, timeout=60).json()
        results = [one for one in said["parameter"] if one["name"] == "result"]
        assert results[0]["valueBoolean"] is expected
