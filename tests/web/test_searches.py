"""Pages hold all once; of each resource as much as was asked for, and what belongs to it."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest

from tests.support.service import BASE_URL, FORM_URL, Running, answers, short_form, start

PATH = "/fhir/QuestionnaireResponse"
SUBSETTED = {
    "system": "http://terminology.hl7.org/CodeSystem/v3-ObservationValue",
    "code": "SUBSETTED",
}


@pytest.fixture(scope="module")
def searched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    running = start(tmp_path_factory.mktemp("searches"))
    context = {
        "code": {"system": "urn:use", "code": "focus"},
        "valueCodeableConcept": {"coding": [{"system": "urn:sct", "code": "breast"}]},
    }
    form = short_form() | {"id": "short-form", "useContext": [context]}
    form["item"][0]["code"] = [{"system": "urn:loinc", "code": "pain"}]
    assert running.send("PUT", "/fhir/Questionnaire/short-form", form).status_code == 201
    other = short_form() | {"url": f"{FORM_URL}-other", "id": "other"}
    assert running.send("PUT", "/fhir/Questionnaire/other", other).status_code == 201
    ada = {"resourceType": "Patient", "id": "ada", "active": True}
    assert running.send("PUT", "/fhir/Patient/ada", ada).status_code == 201
    yield running
    running.close()


def bundle(running: Running, path: str, **asked: Any) -> dict[str, Any]:
    reply = running.send("GET", path.removeprefix(BASE_URL), **asked)
    assert reply.status_code == 200, reply.text
    made: dict[str, Any] = json.loads(reply.data)
    return made


def links(page: dict[str, Any]) -> dict[str, str]:
    return {link["relation"]: link["url"] for link in page["link"]}


def ids(page: dict[str, Any], mode: str = "match") -> list[str]:
    return [e["resource"]["id"] for e in page.get("entry", ()) if e["search"]["mode"] == mode]


def submitted(running: Running, patient: str = "ada", **changes: Any) -> str:
    reply = running.send("POST", PATH, answers(patient, **changes))
    assert reply.status_code == 201, reply.text
    return str(json.loads(reply.data)["id"])


@pytest.mark.parametrize(
    "sort", ["", "&_sort=_lastUpdated", "&_sort=-authored", "&_sort=status,_id"]
)
def test_pages_hold_all_once_while_others_write(searched: Running, sort: str) -> None:
    """What was there when the first page was asked for comes once, whatever is added meanwhile."""
    chance = random.Random(sort)
    patient = f"pages-{len(sort)}-{sort[-3:].strip('=')}".replace("_", "")
    there = {
        submitted(searched, patient, authored=f"2026-03-{chance.randint(1, 28):02}")
        for _ in range(11)
    }
    page = bundle(searched, f"{PATH}?patient={patient}&_count=3{sort}")
    seen = ids(page)
    forward = [ids(page)]
    assert "previous" not in links(page)
    while "next" in links(page):
        submitted(searched, patient, authored=f"2026-03-{chance.randint(1, 28):02}")
        page = bundle(searched, links(page)["next"])
        seen += ids(page)
        forward.append(ids(page))
    assert len(seen) == len(set(seen))
    assert there <= set(seen)
    before = bundle(searched, links(page)["previous"])
    assert ids(before)[-1:] == forward[-2][-1:]
    assert ids(bundle(searched, links(before)["next"])) == forward[-1][: len(forward[-1])]
    while "previous" in links(before):
        before = bundle(searched, links(before)["previous"])
    assert ids(before)


def test_a_cursor_is_good_for_its_own_search_alone(searched: Running) -> None:
    for _ in range(3):
        submitted(searched, "cur")
    following = links(bundle(searched, f"{PATH}?patient=cur&_count=1"))["next"]
    path = following.removeprefix(BASE_URL)
    cursor = path.partition("_cursor=")[2]
    for forged in (
        path.replace("patient=cur", "patient=other"),
        path.replace(cursor[:6], "AAAAAA"),
        path[:-4],
        f"{PATH}?patient=cur&_cursor=nonsense",
        f"{path}&_cursor={cursor}",
    ):
        assert searched.send("GET", forged).status_code == 400, forged
    assert searched.send("GET", path.replace("_count=1", "_count=2")).status_code == 200


def test_a_summary_is_as_r4_has_it_and_says_so(searched: Running) -> None:
    text = {"status": "generated", "div": '<div xmlns="http://www.w3.org/1999/xhtml">a</div>'}
    id_ = submitted(searched, "sum", text=text)
    always = {"resourceType", "id", "meta", "status"}
    for query, there, gone in (
        ("_summary=true", {"questionnaire", "subject", "authored"}, {"item", "text"}),
        ("_summary=text", {"text"}, {"item", "subject"}),
        ("_summary=data", {"item", "subject"}, {"text"}),
        ("_elements=authored,item", {"authored", "item"}, {"subject", "text"}),
        ("_elements=authored&_elements=subject", {"authored", "subject"}, {"item", "text"}),
    ):
        for found in (
            bundle(searched, f"{PATH}?_id={id_}&{query}")["entry"][0]["resource"],
            bundle(searched, f"{PATH}/{id_}?{query}"),
        ):
            assert (there | always) <= set(found), query
            assert not gone & set(found), query
            assert found["meta"]["tag"] == [SUBSETTED], query
    whole = bundle(searched, f"{PATH}?_id={id_}&_summary=false")["entry"][0]["resource"]
    assert "tag" not in whole["meta"]
    counted = bundle(searched, f"{PATH}?_id={id_}&_summary=count")
    assert counted["total"] == 1
    assert "entry" not in counted


def test_what_is_kept_of_a_subset_keeps_its_digits_and_tags(searched: Running) -> None:
    made = answers("dig", meta={"tag": [{"code": "mine"}]})
    made["item"].insert(1, {"linkId": "fever", "answer": [{"valueBoolean": True}]})
    made["item"].insert(2, {"linkId": "highest", "answer": [{"valueDecimal": 0}]})
    raw = json.dumps(made).replace('"valueDecimal": 0}', '"valueDecimal": 38.10}').encode()
    id_ = json.loads(searched.send("POST", PATH, raw).data)["id"]
    text = searched.send("GET", f"{PATH}/{id_}?_elements=item").text
    assert "38.10" in text
    assert json.loads(text)["meta"]["tag"] == [{"code": "mine"}, SUBSETTED]


def test_includes_bring_what_is_referred_to(searched: Running) -> None:
    id_ = submitted(searched, "ada", author={"reference": f"{BASE_URL}/fhir/Patient/ada"})
    page = bundle(
        searched,
        f"{PATH}?_id={id_}&_include=QuestionnaireResponse:questionnaire"
        "&_include=QuestionnaireResponse:subject&_include=QuestionnaireResponse:author"
        "&_revinclude=Provenance:target",
    )
    assert ids(page) == [id_]
    added = [e["resource"] for e in page["entry"] if e["search"]["mode"] == "include"]
    assert sorted(r["resourceType"] for r in added) == ["Patient", "Provenance", "Questionnaire"]
    target = next(r for r in added if r["resourceType"] == "Provenance")["target"]
    assert target == [{"reference": f"QuestionnaireResponse/{id_}/_history/1"}]
    assert "total" not in page


@pytest.mark.parametrize(
    ("query", "types"),
    [
        ("_include=*", ["Patient", "Questionnaire"]),
        (
            "_include=QuestionnaireResponse:*&_revinclude=*",
            ["Patient", "Provenance", "Questionnaire"],
        ),
        ("_include=QuestionnaireResponse:subject:Patient", ["Patient"]),
        ("_include=QuestionnaireResponse:subject:Group", []),
        ("_include=QuestionnaireResponse:questionnaire:Questionnaire", ["Questionnaire"]),
        (
            "_include=QuestionnaireResponse:subject:Group&_include=QuestionnaireResponse:subject",
            ["Patient"],
        ),
    ],
)
def test_an_include_follows_all_or_leads_to_the_one_type_that_is_named(
    searched: Running, query: str, types: list[str]
) -> None:
    page = bundle(searched, f"{PATH}?_id={submitted(searched, 'ada')}&{query}")
    added = [
        e["resource"]["resourceType"] for e in page["entry"] if e["search"]["mode"] == "include"
    ]
    assert sorted(added) == types


def test_an_include_gives_nobody_what_she_may_not_read(searched: Running) -> None:
    id_ = submitted(searched, "ada")
    narrow = searched.token("patient/QuestionnaireResponse.rs", "ada")
    page = bundle(
        searched,
        f"{PATH}?_id={id_}&_include=QuestionnaireResponse:subject"
        "&_include=QuestionnaireResponse:questionnaire&_revinclude=Provenance:target",
        token=narrow,
    )
    assert ids(page) == [id_]
    assert ids(page, "include") == []


@pytest.mark.parametrize(
    "query",
    [
        "_include=Patient:link",
        "_include=Patient:*",
        "_include=QuestionnaireResponse:nothing",
        "_revinclude=Provenance:agent",
        "_revinclude=Task:focus",
        "_summary=some",
        "_elements=a-b",
        "questionnaire.url=x",
        "questionnaire.nothing=x",
        "questionnaire:Patient.code=x",
    ],
)
def test_a_shape_or_chain_that_leads_nowhere_is_refused(searched: Running, query: str) -> None:
    assert searched.send("GET", f"{PATH}?{query}").status_code == 400


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("questionnaire.code=urn:loinc|pain", True),
        ("questionnaire.code=pain", True),
        ("questionnaire:Questionnaire.code=pain", True),
        ("questionnaire.code=urn:other|pain", False),
        ("questionnaire.context-type-value=focus$urn:sct|breast", True),
        ("questionnaire.context-type-value=focus$lung", False),
        ("questionnaire.title:contains=short", True),
        ("questionnaire.code:not=pain", False),
    ],
)
def test_responses_are_found_by_what_their_form_is_about(
    searched: Running, query: str, found: bool
) -> None:
    id_ = submitted(searched, "cha")
    other = submitted(searched, "cha", questionnaire=f"{FORM_URL}-other|1.0.0")
    there = ids(bundle(searched, f"{PATH}?patient=cha&{quote(query, safe='=:&')}&_count=200"))
    assert (id_ in there) == found
    if "code=" in query or "context" in query:
        assert other not in there


def test_history_of_a_type_and_of_all_is_the_newest_first(searched: Running) -> None:
    id_ = submitted(searched, "his", status="in-progress")
    changed = answers("his", status="in-progress", language="en") | {"id": id_}
    assert searched.send("PUT", f"{PATH}/{id_}", changed).status_code == 200
    assert searched.send("DELETE", f"{PATH}/{id_}").status_code == 204
    for path in (f"{PATH}/_history", "/fhir/_history"):
        page = bundle(searched, f"{path}?_count=3")
        assert page["type"] == "history"
        assert [e["request"]["method"] for e in page["entry"]] == ["DELETE", "PUT", "POST"]
        assert [e["response"]["status"][:3] for e in page["entry"]] == ["204", "200", "201"]
        seen = [e["fullUrl"] + e["response"]["etag"] for e in page["entry"]]
        while "next" in links(page):
            page = bundle(searched, links(page)["next"])
            seen += [e["fullUrl"] + e["response"]["etag"] for e in page["entry"]]
        assert len(seen) == len(set(seen))
        assert len(seen) > 3
        none = bundle(searched, f"{path}?_since=2999-01-01")
        assert "entry" not in none
        assert searched.send("GET", f"{path}?_since=yesterday").status_code == 400
    hers = searched.token("patient/*.rs", "his")
    mine = bundle(searched, "/fhir/_history?_count=200", token=hers)
    owned = [e for e in mine["entry"] if "/QuestionnaireResponse/" in e["fullUrl"]]
    assert {e["fullUrl"].rpartition("/")[2] for e in owned} == {id_}


US_CORE = (
    "patient=ada",
    "patient=Patient/ada",
    "patient=ada&questionnaire={form}",
    "patient=ada&authored=ge2026-03-01&authored=le2026-03-31",
    "patient=ada&authored=gt2026-03-01&authored=lt2026-03-31",
    "patient=ada&status=completed,amended",
    "_id={id}",
)


@pytest.mark.parametrize("query", US_CORE)
def test_the_searches_of_us_core_find_and_agree_by_get_and_post(
    searched: Running, query: str
) -> None:
    id_ = submitted(searched, "ada")
    asked = query.format(form=quote(f"{FORM_URL}|1.0.0"), id=id_)
    got = bundle(searched, f"{PATH}?{asked}&_revinclude=Provenance:target&_count=200")
    assert id_ in ids(got)
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    posted = searched.send("POST", f"{PATH}/_search", f"{asked}&_count=200".encode(), headers=form)
    assert ids(json.loads(posted.data)) == ids(got)
    for one in got["entry"]:
        if one["search"]["mode"] == "match" and "patient" in query:
            assert one["resource"]["subject"]["reference"] == "Patient/ada"
    targets = {
        e["resource"]["target"][0]["reference"].split("/")[1]
        for e in got["entry"]
        if e["search"]["mode"] == "include"
    }
    assert set(ids(got)) <= targets
