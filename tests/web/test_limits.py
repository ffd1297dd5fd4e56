"""Rate limits: a pace for each client, patient and address, and one's limit is not another's.

https://www.rfc-editor.org/rfc/rfc6585#section-4
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from fhir_service.fhir.issues import NotSignedIn, TooMany
from fhir_service.web.limits import MOST_KEYS, Limit
from tests.support.service import Running, keys, start

Start = Callable[..., Running]


@pytest.fixture
def limited(tmp_path: Path) -> Iterator[Start]:
    """A service with these limits."""
    started = []

    def begin(**settings: str) -> Running:
        started.append(start(tmp_path, **settings))
        return started[-1]

    yield begin
    for running in started:
        running.close()


def test_a_minutes_worth_may_come_at_once_and_then_an_even_pace() -> None:
    now = [0.0]
    limit = Limit(6, "slower", lambda: now[0])
    for _ in range(6):
        limit.must_pass("a")
    with pytest.raises(TooMany) as refused:
        limit.must_pass("a")
    assert refused.value.retry_after_seconds == 10
    limit.must_pass("b")
    now[0] = 9.9
    with pytest.raises(TooMany):
        limit.must_pass("a")
    now[0] = 10.0
    limit.must_pass("a")
    with pytest.raises(TooMany):
        limit.must_pass("a")
    now[0] = 500.0
    for _ in range(6):
        limit.must_pass("a")


def test_none_is_no_limit_and_memory_is_bounded() -> None:
    free = Limit(0, "slower")
    for _ in range(100):
        free.must_pass("a")
    limit = Limit(1, "slower")
    for n in range(MOST_KEYS + 50):
        limit.must_pass(str(n))
    assert len(limit._due) == MOST_KEYS


def test_one_client_is_slowed_down_and_another_is_not(limited: Start) -> None:
    running = limited(CLIENT_REQUESTS_PER_MINUTE="3")
    door = running.service.door
    first, second = (door.new_token("system/*.rs", None, 60, client) for client in ("a", "b"))
    found = [running.send("GET", "/fhir/Patient", token=first) for _ in range(4)]
    assert [reply.status_code for reply in found] == [200, 200, 200, 429]
    assert keys(found[-1]) == ["too-many-requests"]
    assert 1 <= int(found[-1].headers["Retry-After"]) <= 20
    assert running.send("GET", "/fhir/Patient", token=second).status_code == 200


def test_all_tokens_of_a_patient_count_together(limited: Start) -> None:
    running = limited(PATIENT_REQUESTS_PER_MINUTE="2")
    tokens = [running.token("patient/*.rs", "ada") for _ in range(3)]
    statuses = [running.send("GET", "/fhir/Patient", token=t).status_code for t in tokens]
    assert statuses == [200, 200, 429]
    other = running.token("patient/*.rs", "alan")
    assert running.send("GET", "/fhir/Patient", token=other).status_code == 200
    assert running.send("GET", "/fhir/Patient").status_code == 200


def test_the_token_endpoint_slows_an_address_down_in_oauths_words(limited: Start) -> None:
    running = limited(AUTH_REQUESTS_PER_MINUTE="2", TRUSTED_PROXIES="1")
    replies = [
        running.client.post(
            "/auth/token", data={"grant_type": "x"}, headers={"X-Forwarded-For": address}
        )
        for address in ("10.1.1.1", "10.1.1.1", "10.1.1.1", "10.1.1.2")
    ]
    assert [reply.status_code for reply in replies] == [400, 400, 429, 400]
    assert json.loads(replies[2].data)["error"] == "temporarily_unavailable"
    assert replies[2].headers["Retry-After"] == "30"
    page = running.client.get("/auth/authorize", headers={"X-Forwarded-For": "10.1.1.1"})
    assert page.status_code == 429


def test_without_a_trusted_proxy_nobody_writes_his_own_address(limited: Start) -> None:
    running = limited(AUTH_REQUESTS_PER_MINUTE="1")
    statuses = [
        running.client.post(
            "/auth/token", data={"grant_type": "x"}, headers={"X-Forwarded-For": f"10.1.1.{n}"}
        ).status_code
        for n in range(2)
    ]
    assert statuses == [400, 429]


def test_what_is_counted_only_where_it_goes_wrong_is_looked_at_until_the_room_is_gone() -> None:
    now = [0.0]
    limit = Limit(2, "slower", lambda: now[0])

    def bad() -> None:
        with pytest.raises(NotSignedIn), limit.only(NotSignedIn, "a"):
            raise NotSignedIn("bad")

    for _ in range(5):
        with limit.only(NotSignedIn, "a"):
            pass
    bad()
    bad()
    with pytest.raises(TooMany) as refused, limit.only(NotSignedIn, "a"):
        raise AssertionError("not looked at")
    assert refused.value.retry_after_seconds == 30
    now[0] = 30.0
    bad()
    with Limit(0, "slower").only(NotSignedIn, "a"):
        pass


def test_many_new_tokens_from_one_address_are_no_flood_while_they_are_good(limited: Start) -> None:
    running = limited(BAD_TOKENS_PER_MINUTE="2")
    asked = [running.send("GET", "/fhir/Patient", token=running.token()) for _ in range(9)]
    assert {reply.status_code for reply in asked} == {200}


def test_a_flood_of_bad_tokens_is_not_looked_at_and_good_ones_known_before_pass(
    limited: Start,
) -> None:
    running = limited(BAD_TOKENS_PER_MINUTE="3")
    good = running.token()
    assert running.send("GET", "/fhir/Patient", token=good).status_code == 200
    bad = [running.send("GET", "/fhir/Patient", token=f"a.b.{n}").status_code for n in range(4)]
    assert bad == [401, 401, 401, 429]
    assert running.send("GET", "/fhir/Patient").status_code == 429
    assert running.send("GET", "/fhir/Patient", token=good).status_code == 200
