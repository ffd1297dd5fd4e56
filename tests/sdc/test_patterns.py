from __future__ import annotations

import time

import pytest

from fhir_service.sdc.patterns import LONGEST_PATTERN, matcher


def test_a_pattern_holds_for_the_whole_text() -> None:
    matches = matcher("[0-9]{2}")
    assert matches is not None
    assert [matches(text) for text in ("12", "123", "1", "12\n")] == [True, False, False, False]


def test_anchors_are_allowed_and_change_nothing() -> None:
    matches = matcher("^[0-9]{2}$")
    assert matches is not None
    assert [matches(text) for text in ("12", "123", "12\n")] == [True, False, False]


@pytest.mark.parametrize("pattern", ["(?=a)", "(?<!a)b", r"(a)\1", "[", "(((a{50}){50}){50})"])
def test_a_pattern_without_a_linear_answer_is_not_decided(pattern: str) -> None:
    assert matcher(pattern) is None


def test_a_pattern_that_is_too_long_is_not_decided() -> None:
    assert matcher("a" * LONGEST_PATTERN) is not None
    assert matcher("a" * (LONGEST_PATTERN + 1)) is None


@pytest.mark.parametrize(
    "pattern", ["(a+)+b", "(a|a)*b", "(.*a){300}", "[a-z]*(a?){999}b", ".*a.{900}b", r"(\w+\s?)*!"]
)
def test_no_pattern_of_an_author_stalls_the_check(pattern: str) -> None:
    matches = matcher(pattern)
    assert matches is not None
    start = time.process_time()
    for length in (1_000, 100_000, 1_000_000):
        assert matches("a" * length) in (False, None, True)
    assert time.process_time() - start < 1
