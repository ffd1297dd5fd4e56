"""Dates at their own precision."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhir_service.fhir.dates import DAY, microseconds, moment, searched, span
from tests.support.cases import cases


@pytest.mark.parametrize(("document", "case"), cases("dates"))
def test_a_date_covers_its_own_precision(document: Any, case: dict[str, Any]) -> None:
    if case.get("wrong"):
        with pytest.raises(ValueError, match=r"."):
            span(case["when"])
        return
    found = span(case["when"])
    assert moment(found.low) == datetime.fromisoformat(case["low"])
    assert moment(found.high) == datetime.fromisoformat(case["high"])


@given(st.datetimes(timezones=st.just(UTC)))
def test_a_moment_is_read_back_as_it_was(at: datetime) -> None:
    assert moment(microseconds(at)) == at
    found = span(f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond:06}Z".rjust(27, "0"))
    assert moment(found.low) == at


def test_the_last_year_has_an_end() -> None:
    assert span("9999").high - span("9999-12-31").low == DAY


def test_a_time_without_a_zone_has_no_place_on_the_line() -> None:
    with pytest.raises(ValueError, match="zone"):
        microseconds(datetime(2026, 1, 1))  # noqa: DTZ001  that is the point


def test_about_is_as_wide_again_on_both_sides() -> None:
    prefix, found = searched("ap2026-11-22")
    assert prefix == "ap"
    assert found.low == span("2026-11-21").low
    assert found.high == span("2026-11-23").high
