"""Read, vread, history, search, create, update, delete: as FHIR's HTTP page has them.

http://hl7.org/fhir/R4/http.html
"""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.support.service import BASE_URL, FORM_URL, Running, answers, issues, short_form

PATH = "/fhir/QuestionnaireResponse"


def create(running: Running, patient: str = "ada", **changes: Any) -> str:
    reply = running.send("POST", PATH, answers(patient, **changes))
    assert reply.status_code == 201, reply.text
    id_: str = json.loads(reply.data)["id"]
    return id_


def test_a_create_answers_with_place_version_and_what_was_sent(running: Running) -> None:
    sent = json.dumps(answers(id="the-clients-own")).encode()
    reply = running.send("POST", PATH, sent)
    assert reply.status_code == 201
    made = json.loads(reply.data)
    assert made["id"] != "the-clients-own"
    assert made["meta"]["versionId"] == "1"
    assert reply.headers["Location"] == f"{BASE_URL}{PATH}/{made['id']}/_history/1"
    assert reply.headers["ETag"] == 'W/"1"'
    assert reply.headers["Last-Modified"].endswith("GMT")


def test_what_was_sent_comes_back_byte_for_byte(running: Running) -> None:
    sent = (
        '{ "resourceType" : "QuestionnaireResponse",\n "questionnaire":"'
        + FORM_URL
        + '|1.0.0","status":"completed","subject":{"reference":"Patient/ada"},'
        '"authored":"2026-03-15T09:30:00+01:00","item":[{"linkId":"pain","answer":['
        '{"valueInteger":7}]},{"linkId":"fever","answer":[{"valueBoolean":true}]},'
        '{"linkId":"highest","answer":[{"valueDecimal":38.50}]},'
        '{"linkId":"worry","answer":[{"valueString":"¿Volverá? \\u00e9"}]}]}'
    ).encode()
    made = running.send("POST", PATH, sent)
    assert made.status_code == 201, made.text
    place = urlsplit(made.headers["Location"]).path.removesuffix("/_history/1")
    read = running.send("GET", place).data
    start = read.index(b',"id":"')
    end = read.index(b"}", start) + 1
    assert read[:start] + read[end:] == sent


@pytest.mark.parametrize(
    ("wants", "length", "kind"),
    [
        ("return=minimal", 0, None),
        ("return=representation", None, "QuestionnaireResponse"),
        ("return=OperationOutcome", None, "OperationOutcome"),
    ],
)
def test_prefer_says_what_a_write_gives_back(
    running: Running, wants: str, length: int | None, kind: str | None
) -> None:
    reply = running.send("POST", PATH, answers(), headers={"Prefer": wants})
    assert reply.status_code == 201
    assert "Location" in reply.headers
    if length == 0:
        assert reply.data == b""
    else:
        assert json.loads(reply.data)["resourceType"] == kind


def test_a_version_that_the_caller_has_is_not_sent_again(running: Running) -> None:
    place = f"{PATH}/{create(running)}"
    read = running.send("GET", place)
    assert read.headers["Content-Type"].startswith("application/fhir+json")
    again = running.send("GET", place, headers={"If-None-Match": read.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    changed = running.send("GET", place, headers={"If-None-Match": 'W/"9"'})
    assert changed.status_code == 200
    assert running.send("HEAD", place).data == b""


def test_an_update_follows_the_version_that_it_names(running: Running) -> None:
    id_ = create(running, status="in-progress")
    place = f"{PATH}/{id_}"
    done = answers(id=id_, status="completed")
    stale = running.send("PUT", place, done, headers={"If-Match": 'W/"7"'})
    assert stale.status_code == 412
    reply = running.send("PUT", place, done, headers={"If-Match": 'W/"1"'})
    assert reply.status_code == 200, reply.text
    assert reply.headers["ETag"] == 'W/"2"'
    assert json.loads(running.send("GET", f"{place}/_history/1").data)["status"] == "in-progress"
    assert json.loads(running.send("GET", f"{place}/_history/2").data)["status"] == "completed"
    assert running.send("GET", f"{place}/_history/3").status_code == 404


def test_an_update_names_the_id_of_its_address(running: Running) -> None:
    id_ = create(running, status="in-progress")
    assert running.send("PUT", f"{PATH}/{id_}", answers(id="other")).status_code == 400
    assert running.send("PUT", f"{PATH}/{id_}", answers()).status_code == 400
    assert running.send("PUT", f"{PATH}/no_such_id", answers(id="no_such_id")).status_code == 400


def test_a_put_with_the_clients_id_creates(running: Running) -> None:
    reply = running.send("PUT", f"{PATH}/clients-choice", answers(id="clients-choice"))
    assert reply.status_code == 201, reply.text
    assert running.send("GET", f"{PATH}/clients-choice").status_code == 200


def test_a_draft_may_be_deleted_and_what_was_sent_not(running: Running) -> None:
    draft = f"{PATH}/{create(running, status='in-progress')}"
    assert running.send("DELETE", draft).status_code == 204
    assert running.send("DELETE", draft).status_code == 204
    assert running.send("GET", draft).status_code == 410
    sent = f"{PATH}/{create(running)}"
    assert running.send("DELETE", sent).status_code == 409
    assert running.send("GET", sent).status_code == 200
    assert running.send("DELETE", f"{PATH}/never-there").status_code == 404


def test_a_history_is_paged_newest_first(running: Running) -> None:
    id_ = create(running, status="in-progress")
    for pain in (1, 2, 3):
        item = [{"linkId": "pain", "answer": [{"valueInteger": pain}]}]
        body = answers(id=id_, status="in-progress", item=item)
        assert running.send("PUT", f"{PATH}/{id_}", body).status_code == 200
    first = json.loads(running.send("GET", f"{PATH}/{id_}/_history?_count=3").data)
    assert [e["resource"]["meta"]["versionId"] for e in first["entry"]] == ["4", "3", "2"]
    assert first["total"] == 4
    following = next(link["url"] for link in first["link"] if link["relation"] == "next")
    assert following.startswith(f"{BASE_URL}{PATH}/{id_}/_history?")
    rest = json.loads(running.send("GET", following.removeprefix(BASE_URL)).data)
    assert [e["resource"]["meta"]["versionId"] for e in rest["entry"]] == ["1"]
    assert [link["relation"] for link in rest["link"]] == ["self", "first"]


def test_a_search_gives_whole_pages_and_a_way_on(running: Running) -> None:
    made = {create(running, "pages") for _ in range(5)}
    path, seen = f"{PATH}?patient=pages&_count=2", []
    for _ in range(3):
        page = json.loads(running.send("GET", path).data)
        assert page["type"] == "searchset"
        seen += [e["resource"]["id"] for e in page["entry"]]
        assert all(
            e["fullUrl"] == f"{BASE_URL}{PATH}/{e['resource']['id']}" for e in page["entry"]
        )
        links = {link["relation"]: link["url"] for link in page["link"]}
        path = links.get("next", "").removeprefix(BASE_URL)
    assert path == ""
    assert sorted(seen) == sorted(made)


def test_a_search_by_post_says_the_same_as_by_get(running: Running) -> None:
    create(running, "posted")
    by_get = json.loads(running.send("GET", f"{PATH}?patient=posted&status=completed").data)
    by_post = json.loads(
        running.send(
            "POST",
            f"{PATH}/_search?status=completed",
            b"patient=posted",
            headers={"Content-Type": "application/x-www-form-urlencoded"},
        ).data
    )
    assert by_post["entry"] == by_get["entry"]
    wrong = running.send("POST", f"{PATH}/_search", b"{}")
    assert wrong.status_code == 415


def test_an_unknown_parameter_is_left_out_of_self_or_refused_as_prefer_says(
    running: Running,
) -> None:
    path = f"{PATH}?patient=nobody&colour=red&size=7"
    lenient = json.loads(running.send("GET", path).data)
    asked = parse_qs(urlsplit(lenient["link"][0]["url"]).query)
    assert asked == {"patient": ["nobody"]}
    strict = running.send("GET", path, headers={"Prefer": "handling=strict"})
    assert strict.status_code == 400
    assert "colour" in issues(strict)[0]["details"]["text"]


@pytest.mark.parametrize(
    "query", ["authored=yesterday", "_count=x", "_sort=mood", "patient=%ff", "_cursor=nonsense"]
)
def test_a_parameter_that_can_not_be_read_is_refused(running: Running, query: str) -> None:
    assert running.send("GET", f"{PATH}?{query}").status_code == 400


def test_a_count_over_the_limit_is_cut_and_said_so(running: Running) -> None:
    bundle = json.loads(running.send("GET", f"{PATH}?patient=nobody&_count=9999").data)
    assert "_count=200" in bundle["link"][0]["url"]


def test_an_active_form_never_changes(running: Running) -> None:
    form = short_form() | {"id": "short-form"}
    same = running.send("PUT", "/fhir/Questionnaire/short-form", form)
    assert (same.status_code, same.headers["ETag"]) == (200, 'W/"1"')
    again = running.send("POST", "/fhir/Questionnaire", form)
    assert again.status_code == 200
    changed = form | {"title": "Another title"}
    assert running.send("PUT", "/fhir/Questionnaire/short-form", changed).status_code == 409
    assert running.send("POST", "/fhir/Questionnaire", changed).status_code == 409
    create(running)
    assert running.send("DELETE", "/fhir/Questionnaire/short-form").status_code == 409


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("POST", "/fhir", 415),
        ("POST", "/fhir/Bundle", 405),
        ("GET", "/fhir/Binary/1", 501),
        ("POST", "/fhir/AuditEvent", 405),
        ("GET", "/fhir/Medication", 404),
        ("GET", "/fhir/Questionnaire/$assemble", 404),
        ("POST", "/fhir/Questionnaire/$assemble", 405),
        ("PATCH", "/fhir/Questionnaire/short-form", 405),
        ("DELETE", "/fhir/Patient/ada", 405),
        ("PUT", "/fhir/QuestionnaireResponse", 415),
        ("GET", "//fhir/Questionnaire", 404),
        ("GET", "/fhir/QuestionnaireResponse/x/_history/99999999999999999999", 404),
    ],
)
def test_what_is_not_offered_says_so(
    running: Running, method: str, path: str, status: int
) -> None:
    reply = running.send(method, path)
    assert reply.status_code == status, reply.text
    assert issues(reply)
    assert ("Allow" in reply.headers) == (status == 405)


def test_pretty_and_format_are_for_the_reader(running: Running) -> None:
    reply = running.send("GET", f"{PATH}/{create(running)}?_pretty=true&_format=application/json")
    assert reply.headers["Content-Type"] == "application/json;charset=utf-8"
    assert reply.data.startswith(b'{\n  "resourceType": ')


def test_every_answer_is_marked_and_kept_from_caches(running: Running) -> None:
    reply = running.send("GET", PATH, headers={"X-Request-Id": "clinic-42"})
    assert reply.headers["X-Request-Id"] == "clinic-42"
    assert reply.headers["Cache-Control"] == "no-store"
    assert reply.headers["X-Content-Type-Options"] == "nosniff"
    assert reply.headers["Content-Security-Policy"].startswith("default-src 'none'")
    made_up = running.send("GET", PATH, headers={"X-Request-Id": "Mrs Example"})
    assert made_up.headers["X-Request-Id"] not in ("", "Mrs Example")
