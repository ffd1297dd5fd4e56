"""A terminology server elsewhere says yes or no; whatever else it does decides nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing, contextmanager

import pytest

from fhir_service.ehr import terminology as module
from fhir_service.ehr.outbound import Outbound
from fhir_service.ehr.terminology import KEPT_SECONDS, QUIET_SECONDS, TerminologyServer
from tests.support.terminology import FAULTS, HANG, NOS, Answer, Terminology, a_terminology, result

VALUE_SET, SYSTEM = "http://example.org/ValueSet/drugs", "http://example.org/drugs"


class Clock:
    """A clock that is moved by hand."""

    moment = 0.0

    def __call__(self) -> float:
        return self.moment


@contextmanager
def asking(server: Terminology, seconds: float = 2.0) -> Iterator[tuple[TerminologyServer, Clock]]:
    clock = Clock()
    with closing(Outbound([server.base], most_bytes=module.MOST_BYTES)) as outbound:
        yield TerminologyServer(server.base, outbound, seconds, clock), clock


def told(answer: Answer, seconds: float = 2.0) -> bool | None:
    with a_terminology(lambda: answer) as server, asking(server, seconds) as (asks, _):
        return asks.for_one_check()(VALUE_SET, SYSTEM, "x")


def test_a_yes_is_a_yes() -> None:
    assert told(result(True)) is True
    assert told(result(True, "The code is one of 12 in the value set")) is True


@pytest.mark.parametrize("name", NOS)
def test_a_no_is_a_no(name: str) -> None:
    assert told(NOS[name]) is False


@pytest.mark.parametrize("name", FAULTS)
def test_whatever_fails_decides_nothing(name: str) -> None:
    assert told(FAULTS[name], seconds=0.3 if FAULTS[name] == HANG else 2.0) is None


def test_a_redirect_is_not_followed() -> None:
    answer = FAULTS["redirect to a yes"]
    with a_terminology(lambda: answer) as server, asking(server) as (asks, _):
        assert asks.for_one_check()(VALUE_SET, SYSTEM, "x") is None
        assert [path for _, path, _ in server.asked] == ["/fhir/ValueSet/$validate-code"]


def test_a_server_that_is_not_there_decides_nothing() -> None:
    with a_terminology() as server:
        pass
    with asking(server) as (asks, _):
        assert asks.for_one_check()(VALUE_SET, SYSTEM, "x") is None


def test_nothing_but_canonical_system_and_code_leaves() -> None:
    with a_terminology() as server, asking(server) as (asks, _):
        asks.for_one_check()(f"{VALUE_SET}|2.1", SYSTEM, "x")
    ((method, path, body),) = server.asked
    assert (method, path) == ("POST", "/fhir/ValueSet/$validate-code")
    assert json.loads(body) == {
        "resourceType": "Parameters",
        "parameter": [
            {"name": "url", "valueUri": VALUE_SET},
            {"name": "valueSetVersion", "valueString": "2.1"},
            {"name": "system", "valueUri": SYSTEM},
            {"name": "code", "valueCode": "x"},
        ],
    }
    names = {name.lower() for name in server.headers[0]}
    assert not names & {"authorization", "cookie", "referer"}


@pytest.mark.parametrize("answer", [True, False])
def test_an_answer_is_kept_for_its_time_and_no_longer(answer: bool) -> None:
    with a_terminology(lambda: result(answer)) as server, asking(server) as (asks, clock):
        for moment, times in ((0.0, 1), (KEPT_SECONDS - 1, 1), (KEPT_SECONDS + 1, 2)):
            clock.moment = moment
            assert asks.for_one_check()(VALUE_SET, SYSTEM, "x") is answer
            assert len(server.asked) == times


def test_what_was_not_decided_is_asked_again_after_a_while() -> None:
    answers = [result(True), FAULTS["404"]]
    with a_terminology(answers.pop) as server, asking(server) as (asks, clock):
        for moment, expected in ((0.0, None), (QUIET_SECONDS - 1, None), (QUIET_SECONDS, True)):
            clock.moment = moment
            assert asks.for_one_check()(VALUE_SET, SYSTEM, "x") is expected
        assert len(server.asked) == 2


def test_a_server_that_is_down_is_left_alone_for_a_while_whatever_the_code() -> None:
    answers = [result(True), result(True), FAULTS["500"]]
    with a_terminology(answers.pop) as server, asking(server) as (asks, clock):
        assert asks.for_one_check()(VALUE_SET, SYSTEM, "x") is None
        assert asks.for_one_check()(VALUE_SET, SYSTEM, "y") is None
        assert len(server.asked) == 1
        clock.moment = QUIET_SECONDS
        check = asks.for_one_check()
        assert (check(VALUE_SET, SYSTEM, "x"), check(VALUE_SET, SYSTEM, "y")) == (True, True)


def test_within_one_check_the_same_question_has_the_same_answer() -> None:
    answers = [result(True), FAULTS["500"]]
    with a_terminology(answers.pop) as server, asking(server) as (asks, clock):
        check = asks.for_one_check()
        assert check(VALUE_SET, SYSTEM, "x") is None
        clock.moment = QUIET_SECONDS
        assert check(VALUE_SET, SYSTEM, "x") is None
        assert asks.for_one_check()(VALUE_SET, SYSTEM, "x") is True


def test_a_slow_server_is_asked_no_longer_than_one_check_may_take() -> None:
    with a_terminology() as server, asking(server) as (asks, clock):

        def slowly() -> Answer:
            clock.moment += 0.9
            return result(True)

        server.answer = slowly
        check = asks.for_one_check()
        answers = [check(VALUE_SET, SYSTEM, str(number)) for number in range(10)]
        assert answers == [True] * 3 + [None] * 7
        assert clock.moment < 4
        assert asks.for_one_check()(VALUE_SET, SYSTEM, "9") is True


def test_the_oldest_answers_give_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_KEPT", 2)
    with a_terminology() as server, asking(server) as (asks, _):
        for code in ("a", "b", "c", "c", "b", "a"):
            assert asks.for_one_check()(VALUE_SET, SYSTEM, code) is True
        bodies = [json.loads(body)["parameter"][-1]["valueCode"] for _, _, body in server.asked]
    assert bodies == ["a", "b", "c", "a"]
