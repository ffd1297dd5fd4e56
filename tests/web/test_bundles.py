"""Bundles carry the stored bytes, digit for digit."""

from __future__ import annotations

import json
from datetime import UTC, datetime

from fhir_service.fhir.searching import Page
from fhir_service.web.bundles import history, searchset
from fhir_service.workflow.ports import Stored

BASE = "https://answers.example.org/fhir"
AT = datetime(2026, 3, 15, 9, 30, tzinfo=UTC)
BODY = b'{"resourceType":"Questionnaire","status":"draft","effort":1.10}'


def stored(version: int, method: str = "PUT", *, deleted: bool = False) -> Stored:
    return Stored(
        "Questionnaire",
        "q1",
        version,
        AT,
        b"" if deleted else BODY,
        method=method,  # type: ignore[arg-type]
        deleted=deleted,
    )


def test_a_searchset_holds_each_match_as_it_lies_in_the_record() -> None:
    made = searchset(Page((stored(2),), None, 7), BASE, [("self", f"{BASE}/Questionnaire")])
    assert b'"effort":1.10' in made
    bundle = json.loads(made)
    assert bundle["type"] == "searchset"
    assert bundle["total"] == 7
    assert bundle["link"] == [{"relation": "self", "url": f"{BASE}/Questionnaire"}]
    (entry,) = bundle["entry"]
    assert entry["fullUrl"] == f"{BASE}/Questionnaire/q1"
    assert entry["search"] == {"mode": "match"}
    assert entry["resource"]["meta"]["versionId"] == "2"


def test_an_empty_searchset_has_no_entry_and_no_total_that_was_not_counted() -> None:
    bundle = json.loads(searchset(Page(()), BASE, [("self", BASE)]))
    assert "entry" not in bundle
    assert "total" not in bundle


def test_a_history_says_how_each_version_came_and_a_deletion_has_no_resource() -> None:
    versions = (stored(3, "DELETE", deleted=True), stored(2), stored(1, "POST"))
    bundle = json.loads(history(Page(versions, None, 3), BASE, [("self", BASE)]))
    assert [e["request"] for e in bundle["entry"]] == [
        {"method": "DELETE", "url": "Questionnaire/q1"},
        {"method": "PUT", "url": "Questionnaire/q1"},
        {"method": "POST", "url": "Questionnaire"},
    ]
    assert ["resource" in e for e in bundle["entry"]] == [False, True, True]
    assert [e["response"]["status"] for e in bundle["entry"]] == [
        "204 No Content",
        "200 OK",
        "201 Created",
    ]
    assert bundle["entry"][1]["response"]["etag"] == 'W/"2"'
