"""Headers are read as HTTP and FHIR have them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from fhir_service.fhir.issues import NotAcceptable, NotThisFormat, NotUnderstood
from fhir_service.web.negotiation import (
    JSON_TYPES,
    choose,
    is_gzip,
    must_be_json,
    read_if_match,
    read_prefer,
    unchanged,
)
from tests.support.cases import cases

SUMMARY = (*JSON_TYPES, "text/html", "text/plain", "application/pdf")
AT = datetime(2026, 3, 15, 9, 30, 0, 250_000, tzinfo=UTC)


@pytest.mark.parametrize(("document", "case"), cases("negotiation"))
def test_an_answer_comes_in_a_type_that_the_caller_accepts(
    document: dict[str, Any], case: dict[str, Any]
) -> None:
    offered = SUMMARY if document["of"] == "summary" else JSON_TYPES
    if case["chosen"] is None:
        with pytest.raises(NotAcceptable):
            choose(case.get("accept"), case.get("_format"), offered)
        return
    assert choose(case.get("accept"), case.get("_format"), offered) == case["chosen"]


@pytest.mark.parametrize(
    "content_type",
    [
        "application/fhir+json",
        "application/json",
        "Application/FHIR+JSON; charset=UTF-8",
        'application/fhir+json;fhirVersion="4.0"',
    ],
)
def test_a_resource_comes_as_json_in_utf_8(content_type: str) -> None:
    must_be_json(content_type)


@pytest.mark.parametrize(
    "content_type",
    [
        None,
        "",
        "text/plain",
        "application/fhir+xml",
        "application/json-patch+json",
        "application/fhir+json; charset=iso-8859-1",
        "application/fhir+json; fhirVersion=3.0",
    ],
)
def test_another_content_type_charset_or_fhir_version_is_refused(content_type: str | None) -> None:
    with pytest.raises(NotThisFormat):
        must_be_json(content_type)


def test_a_compressed_body_is_refused() -> None:
    assert not is_gzip(None)
    assert not is_gzip("identity")
    assert is_gzip(" GZIP ")
    with pytest.raises(NotThisFormat):
        is_gzip("br")


@pytest.mark.parametrize(
    ("header", "wants", "strict"),
    [
        (None, None, False),
        ("return=minimal", "minimal", False),
        ("return=representation; handling=strict", "representation", True),
        ("handling=strict, return=OperationOutcome", "OperationOutcome", True),
        ("handling=lenient", None, False),
        ("return=everything, respond-async", None, False),
    ],
)
def test_prefer_is_read_and_what_is_unknown_in_it_is_passed_over(
    header: str | None, wants: str | None, strict: bool
) -> None:
    assert read_prefer(header) == (wants, strict)


def test_if_match_names_one_version() -> None:
    assert read_if_match(None) is None
    assert read_if_match('W/"3"') == 3
    assert read_if_match('"12"') == 12
    for wrong in ("3", 'W/"0"', 'W/"x"', "*", 'W/"1", W/"2"', ""):
        with pytest.raises(NotUnderstood):
            read_if_match(wrong)


@pytest.mark.parametrize(
    ("headers", "same"),
    [
        ({}, False),
        ({"If-None-Match": 'W/"2"'}, True),
        ({"If-None-Match": 'W/"1", "2"'}, True),
        ({"If-None-Match": "*"}, True),
        ({"If-None-Match": 'W/"1"'}, False),
        ({"If-Modified-Since": "Sun, 15 Mar 2026 09:30:00 GMT"}, True),
        ({"If-Modified-Since": "Sun, 15 Mar 2026 09:29:59 GMT"}, False),
        ({"If-Modified-Since": "yesterday"}, False),
        (
            {"If-None-Match": 'W/"1"', "If-Modified-Since": "Sun, 15 Mar 2026 09:30:00 GMT"},
            False,
        ),
    ],
)
def test_what_the_caller_has_already_is_not_sent_again(
    headers: dict[str, str], same: bool
) -> None:
    assert unchanged(headers, 2, AT) is same
