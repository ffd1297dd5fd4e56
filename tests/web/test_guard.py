"""Nothing is open but what is named; a patient's token reaches its own patient alone."""

from __future__ import annotations

import json
import re

import pytest

from fhir_service.web.guard import CLIENTS, OPEN
from fhir_service.web.page_table import PAGES
from tests.support.service import Running, answers, issues

RESPONSES = "/fhir/QuestionnaireResponse"


def test_every_address_but_the_open_ones_asks_for_a_token(running: Running) -> None:
    asked = 0
    for rule in running.client.application.url_map.iter_rules():
        path = re.sub(r"<[^>]*>", "1", rule.rule)
        for method in (rule.methods or set()) - {"HEAD"}:
            reply = running.client.open(path, method=method)
            if rule.endpoint in PAGES:  # test_sessions.py
                continue
            if rule.endpoint in OPEN and method != "OPTIONS":
                assert reply.status_code in (200, 404, 503), path
                continue
            if rule.endpoint in OPEN | CLIENTS:  # tests/auth for those of clients
                continue
            asked += 1
            assert reply.status_code == 401, (method, path)
            assert reply.headers["WWW-Authenticate"].startswith("Bearer")
    assert asked > 40


@pytest.mark.parametrize("path", ["/", "/fhir/Nothing", "/fhir/Questionnaire/a/b/c", "/statics/x"])
def test_an_unknown_address_tells_nothing_without_a_token(running: Running, path: str) -> None:
    assert running.client.get(path).status_code == 401


@pytest.mark.parametrize(
    "header",
    ["Basic dXNlcjpwYXNz", "Bearer", "Bearer  ", "Bearer nonsense", "Bearer a.b.c", "token x"],
)
def test_what_is_no_good_token_is_refused(running: Running, header: str) -> None:
    reply = running.client.get("/fhir/Questionnaire", headers={"Authorization": header})
    assert reply.status_code == 401
    assert issues(reply)[0]["code"] == "login"
    assert 'error="invalid_token"' in reply.headers["WWW-Authenticate"]


def test_a_token_of_another_server_is_refused(running: Running) -> None:
    token = running.token()
    head, _, signature = token.rpartition(".")
    changed = head + "." + signature[:-6] + ("AAAAAA" if signature[-6:] != "AAAAAA" else "BBBBBB")
    reply = running.send("GET", "/fhir/Questionnaire", token=changed)
    assert reply.status_code == 401


def test_a_token_without_the_scope_is_refused(running: Running) -> None:
    token = running.token("system/Questionnaire.rs")
    assert running.send("GET", "/fhir/Questionnaire", token=token).status_code == 200
    reply = running.send("POST", RESPONSES, answers(), token=token)
    assert reply.status_code == 403
    assert "insufficient_scope" in reply.headers["WWW-Authenticate"]


def test_a_patient_meets_her_own_responses_alone(running: Running) -> None:
    hers = running.token("patient/*.cruds", "grace")
    his = running.token("patient/*.cruds", "alan")
    made = running.send("POST", RESPONSES, answers("grace"), token=hers)
    assert made.status_code == 201, made.text
    place = f"{RESPONSES}/{json.loads(made.data)['id']}"
    assert running.send("GET", place, token=hers).status_code == 200
    never = running.send("GET", f"{RESPONSES}/never-there", token=his)
    for path in (place, f"{place}/_history/1", f"{place}/_history", f"{place}/$summary"):
        assert running.send("GET", path, token=his).status_code == 404, path
    assert (
        running.send("GET", place, token=his).text.replace(place.rpartition("/")[2], "never-there")
        == never.text
    )
    found = running.send("GET", f"{RESPONSES}?patient=grace", token=his)
    assert "entry" not in json.loads(found.data)
    assert running.send("POST", RESPONSES, answers("grace"), token=his).status_code == 403
