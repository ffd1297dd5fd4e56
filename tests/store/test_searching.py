"""Each declared parameter finds what it should, no more; pages hold all, once, in order."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl

import pytest

from fhir_service.fhir.issues import NotUnderstood
from fhir_service.fhir.search_parameters import PARAMETERS, parameters_of
from fhir_service.fhir.searching import Search, read_search
from fhir_service.store.opening import StoreDesk
from fhir_service.store.reading import DERIVED
from fhir_service.workflow.ports import Stored
from tests.support.cases import cases
from tests.support.records import NOON, keep, response, version

KIND = "QuestionnaireResponse"
BASES = ["https://here.example.org/fhir"]
STORED = sorted(PARAMETERS.keys() - DERIVED)
DOCUMENTS = {
    case.values[0]["type"]: case.values[0]
    for case in cases("searching")
    if "type" in case.values[0]
}


def _read(resource_type: str, query: str) -> Search:
    pairs = parse_qsl(query.replace("+", "%2B"), keep_blank_values=True)
    search, ignored = read_search(resource_type, pairs, default_count=50, bases=BASES)
    assert ignored == ()
    return search


@pytest.mark.parametrize("resource_type", STORED)
def test_a_search_finds_what_it_should(desk: StoreDesk, resource_type: str) -> None:
    document: Any = DOCUMENTS[resource_type]
    for id_, said in document["given"].items():
        members = {"resourceType": resource_type, **said}
        body = json.dumps({k: v for k, v in members.items() if k != "patient"}).encode()
        keep(desk, version(id_, body, 1, said.get("patient"), resource_type))
    wrong = []
    for case in document["cases"]:
        search = _read(resource_type, case["query"])
        page = desk.reading().search(search)
        total = desk.reading().search(_read(resource_type, case["query"] + "&_count=0")).total
        found = sorted(one.id for one in page.found)
        if found != sorted(case["found"]) or total != len(found):
            wrong.append((case["query"], found, total))
    assert wrong == []


@pytest.mark.parametrize("resource_type", STORED)
def test_each_declared_parameter_has_a_case_that_matches_and_one_that_does_not(
    resource_type: str,
) -> None:
    document: Any = DOCUMENTS[resource_type]
    for parameter in parameters_of(resource_type):
        found = [
            bool(case["found"])
            for case in document["cases"]
            if case["query"].split("=")[0].split(":")[0] == parameter.name
        ]
        assert {True, False} <= set(found), parameter.name


@pytest.mark.parametrize(("document", "case"), cases("searching", "refused.json"))
def test_what_can_not_be_searched_for_is_refused(document: Any, case: dict[str, Any]) -> None:
    with pytest.raises(NotUnderstood) as refused:
        _read(KIND, case["query"])
    assert refused.value.says.startswith(case["refused"])


def test_an_unknown_parameter_is_given_back_as_ignored() -> None:
    search, ignored = read_search(
        KIND, [("colour", "red"), ("patient.name", "ada"), ("_format", "json")], default_count=7
    )
    assert ignored == ("colour", "patient.name")
    assert search == Search(KIND, count=7)


def test_a_count_above_the_most_is_cut_and_summary_count_asks_for_the_total() -> None:
    assert read_search(KIND, [("_count", "5000")], default_count=7)[0].count == 200
    counted = read_search(KIND, [("_summary", "count")], default_count=7)[0]
    assert (counted.count, counted.total) == (0, True)


def _many(desk: StoreDesk) -> None:
    for n in range(23):
        day = NOON - timedelta(days=n // 3)
        status = ("completed", "amended")[n % 2]
        body = response(authored=day.isoformat(), status=status) if n else response(authored=None)
        keep(desk, version(f"r{n:02}", body))


@pytest.mark.parametrize(
    "sort",
    ["", "authored", "-authored", "_id", "-_id", "status,-authored", "-status,_lastUpdated"],
)
def test_the_pages_together_hold_everything_once_and_in_order(desk: StoreDesk, sort: str) -> None:
    _many(desk)
    query = f"_sort={sort}" if sort else ""
    whole = [one.id for one in desk.reading().search(_read(KIND, query)).found]
    assert len(set(whole)) == 23
    search = _read(KIND, f"{query}&_count=5&_total=accurate".lstrip("&"))
    paged: list[Stored] = []
    cursor = None
    for turn in range(5):
        page = desk.reading().search(
            Search(KIND, search.criteria, search.sort, 5, cursor, total=True)
        )
        assert page.total == 23 + turn
        paged += page.found
        cursor = page.next
        keep(desk, version(f"new{turn}", response(authored="2027-01-01"), patient="bob"))
    ids = [one.id for one in paged if one.patient == "ada"]
    assert ids == [id_ for id_ in whole if id_ in ids]
    if sort in ("", "-authored", "-_id"):
        assert ids == whole


@pytest.mark.parametrize(
    "cursor",
    ["nonsense", "é", "W10", "WzEsMl0", "WyJ4IiwieSJd", "WzE4NDQ2NzQ0MDczNzA5NTUxNjE2LCJ4Il0"],
)
def test_a_cursor_that_is_not_ours_is_refused(desk: StoreDesk, cursor: str) -> None:
    with pytest.raises(NotUnderstood):
        desk.reading().search(Search(KIND, cursor=cursor))


def test_an_update_replaces_what_a_resource_is_found_by(desk: StoreDesk) -> None:
    keep(desk, version("r", response(identifier={"value": "old"})))
    keep(desk, version("r", response(identifier={"value": "new"}, status="amended"), 2))
    reader = desk.reading()
    assert reader.search(_read(KIND, "identifier=old")).found == ()
    assert [one.version for one in reader.search(_read(KIND, "identifier=new")).found] == [2]
    assert reader.search(_read(KIND, "status=completed")).found == ()


def test_a_long_value_is_found_whole_and_not_by_its_beginning(desk: StoreDesk) -> None:
    long = "v" * 250
    keep(desk, version("r", response(identifier={"value": long + "1"})))
    reader = desk.reading()
    assert len(reader.search(_read(KIND, f"identifier={long}1")).found) == 1
    for other in (long, f"{long}2", long[:200]):
        assert reader.search(_read(KIND, f"identifier={other}")).found == ()
