"""Conditional create and update: by what is there, never by a guess."""

from __future__ import annotations

import json
from typing import Any

from werkzeug.test import TestResponse

from tests.support.service import Running, answers, issues

PATH = "/fhir/QuestionnaireResponse"


def one(value: str, **changes: Any) -> dict[str, Any]:
    return answers(identifier={"system": "urn:k", "value": value}, **changes)


def posted(running: Running, body: object, condition: str) -> TestResponse:
    return running.send("POST", PATH, body, headers={"If-None-Exist": condition})


def test_create_only_where_nothing_matches(running: Running) -> None:
    first = posted(running, one("c1"), "identifier=urn:k|c1")
    assert first.status_code == 201
    again = posted(running, one("c1"), f"{PATH}?identifier=urn:k|c1")
    assert again.status_code == 200
    assert again.headers["ETag"] == 'W/"1"'
    assert json.loads(again.data)["id"] == json.loads(first.data)["id"]
    assert running.send("POST", PATH, one("c1")).status_code == 201
    many = posted(running, one("c1"), "identifier=urn:k|c1")
    assert many.status_code == 412
    assert issues(many)[0]["code"] == "conflict"


def test_a_condition_is_never_guessed(running: Running) -> None:
    for condition in ("colour=red", "", "identifier=urn:k|c2&_count=1", "identifier=urn:k|c2&x=1"):
        assert posted(running, one("c2"), condition).status_code == 400, condition


def test_what_another_patient_has_does_not_count_and_is_not_told(running: Running) -> None:
    assert running.send("POST", PATH, one("c3")).status_code == 201
    bea = running.token("patient/*.cruds", "bea")
    hers = one("c3", subject={"reference": "Patient/bea"})
    headers = {"If-None-Exist": "identifier=urn:k|c3"}
    assert running.send("POST", PATH, hers, token=bea, headers=headers).status_code == 201
    assert running.send("POST", PATH, hers, token=bea, headers=headers).status_code == 200


def test_update_by_what_matches(running: Running) -> None:
    query = f"{PATH}?identifier=urn:k|u1"
    made = running.send("PUT", query, one("u1", status="in-progress"))
    assert made.status_code == 201, made.text
    id_ = json.loads(made.data)["id"]
    changed = running.send("PUT", query, one("u1", status="in-progress", language="en"))
    assert changed.status_code == 200, changed.text
    assert json.loads(changed.data)["id"] == id_
    assert changed.headers["ETag"] == 'W/"2"'
    other = one("u1", status="in-progress") | {"id": "another"}
    assert running.send("PUT", query, other).status_code == 400
    stale = running.send("PUT", query, one("u1"), headers={"If-Match": 'W/"1"'})
    assert stale.status_code == 412
    running.send("POST", PATH, one("u1"))
    assert running.send("PUT", query, one("u1")).status_code == 412


def test_update_under_the_clients_own_id_where_nothing_matches(running: Running) -> None:
    body = one("u2") | {"id": "chosen-by-client"}
    made = running.send("PUT", f"{PATH}?identifier=urn:k|u2", body)
    assert made.status_code == 201, made.text
    assert json.loads(made.data)["id"] == "chosen-by-client"


def test_nothing_is_deleted_by_a_condition(running: Running) -> None:
    assert running.send("DELETE", f"{PATH}?identifier=urn:k|c1").status_code == 405
