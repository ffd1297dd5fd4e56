"""Sessions, links and what is good once, on both databases; also when many come at once."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any, TypeVar

from fhir_service.store.opening import StoreDesk
from fhir_service.store.sessions import StoredSessions
from fhir_service.workflow.session import Answering, Session
from fhir_service.workflow.ways import KeptLink
from tests.support.records import NOON

T = TypeVar("T")
HOUR = timedelta(hours=1)
MARK = b"\x01" * 32
LINK = KeptLink(
    id="link-1",
    patient="ada",
    questionnaire="https://clinic.example.org/form|1",
    response="response-1",
    made_by="clinic",
    created=NOON,
    expires=NOON + HOUR,
    uses_left=2,
    tries_left=5,
    language="es",
    task="task-1",
)
SESSION = Session(
    reference="session-1",
    kind="patient",
    client="link",
    scope="patient/*.rs",
    created=NOON,
    idle_until=NOON + HOUR,
    expires=NOON + 2 * HOUR,
    patient="ada",
    questionnaire=LINK.questionnaire,
    response="response-1",
    link="link-1",
    answering=Answering("Grace Example", "child"),
    language="es",
)


def at_once(desk: StoreDesk, work: Callable[[Any], T], times: int = 20) -> list[T]:
    """The same transaction, from so many threads at the same time."""
    with ThreadPoolExecutor(times) as threads:
        return [one.result() for one in [threads.submit(desk.write, work) for _ in range(times)]]


def test_a_session_comes_back_as_it_was_until_it_ends(desk: StoreDesk) -> None:
    sessions = StoredSessions(desk.database)
    sessions.begin(MARK, SESSION)
    assert sessions.find(MARK, NOON) == SESSION
    assert sessions.find(b"\x02" * 32, NOON) is None
    assert sessions.find(MARK, NOON + HOUR) is None
    sessions.touch(MARK, NOON + 2 * HOUR)
    assert sessions.find(MARK, NOON + HOUR) == replace(SESSION, idle_until=NOON + 2 * HOUR)
    sessions.end(MARK)
    assert sessions.find(MARK, NOON) is None


def test_a_session_is_bound_to_the_response_that_was_first(desk: StoreDesk) -> None:
    sessions = StoredSessions(desk.database)
    sessions.begin(MARK, replace(SESSION, response=None, link=None))
    with ThreadPoolExecutor(10) as threads:
        bound = set(threads.map(lambda n: sessions.bind(MARK, f"response-{n}"), range(10)))
    assert len(bound) == 1


def test_what_is_kept_sealed_goes_with_its_session(desk: StoreDesk) -> None:
    sessions = StoredSessions(desk.database)
    sessions.begin(MARK, SESSION)
    assert sessions.secret_of(MARK) is None
    sessions.keep_secret(MARK, b"sealed")
    assert sessions.secret_of(MARK) == b"sealed"
    sessions.keep_secret(MARK, None)
    assert sessions.secret_of(MARK) is None


def test_a_link_comes_back_as_it_was_kept(desk: StoreDesk) -> None:
    desk.write(lambda record: record.links.keep(MARK, LINK))
    links = desk.reading().links
    assert links.find("link-1") == LINK
    assert list(links.of_patient("ada")) == list(links.newest(5)) == [LINK]
    assert list(links.of_patient("alan")) == []
    assert links.task_of("ada", "response-1") == "task-1"
    assert links.task_of("alan", "response-1") is None


def test_parallel_tries_are_counted_one_by_one(desk: StoreDesk) -> None:
    desk.write(lambda record: record.links.keep(MARK, LINK))
    tried = at_once(desk, lambda record: record.links.attempt(MARK, NOON))
    counted = [link.tries_left for link in tried if link is not None]
    assert sorted(counted) == [0, 1, 2, 3, 4]
    kept = desk.reading().links.find("link-1")
    assert kept is not None
    assert kept.state(NOON) == "locked"


def test_parallel_uses_never_go_beyond_what_a_link_has(desk: StoreDesk) -> None:
    desk.write(lambda record: record.links.keep(MARK, replace(LINK, tries_left=50)))

    def opens(record: Any) -> bool:
        link = record.links.attempt(MARK, NOON)
        if link is not None:
            record.links.opened(link.id, 50)
        return link is not None

    assert sum(at_once(desk, opens)) == 2


def test_a_link_that_is_not_open_takes_no_try(desk: StoreDesk) -> None:
    desk.write(lambda record: record.links.keep(MARK, LINK))
    assert desk.write(lambda record: record.links.attempt(MARK, NOON + HOUR)) is None
    assert desk.write(lambda record: record.links.attempt(b"other", NOON)) is None
    assert desk.write(lambda record: record.links.revoke("link-1", NOON))
    assert not desk.write(lambda record: record.links.revoke("link-1", NOON))
    assert desk.write(lambda record: record.links.attempt(MARK, NOON)) is None
    kept = desk.reading().links.find("link-1")
    assert kept is not None
    assert (kept.state(NOON), kept.tries_left) == ("revoked", 5)


def test_revoking_ends_the_sessions_of_this_link_alone(desk: StoreDesk) -> None:
    sessions = StoredSessions(desk.database)
    desk.write(lambda record: record.links.keep(MARK, LINK))
    sessions.begin(MARK, SESSION)
    sessions.begin(b"other", replace(SESSION, response="another"))
    desk.write(lambda record: record.links.revoke("link-1", NOON))
    assert sessions.find(MARK, NOON) is None
    assert sessions.find(b"other", NOON) is not None


def test_what_is_good_once_is_taken_by_one_alone(desk: StoreDesk) -> None:
    desk.write(lambda record: record.one_times.keep(MARK, "launch", b"details", 1, NOON + HOUR))
    assert desk.write(lambda record: record.one_times.take(MARK, "login-code", NOON)) is None
    taken = at_once(desk, lambda record: record.one_times.take(MARK, "launch", NOON))
    assert [one for one in taken if one is not None] == [b"details"]


def test_what_is_good_once_has_its_tries_and_its_time(desk: StoreDesk) -> None:
    desk.write(lambda record: record.one_times.keep(MARK, "code", b"x", 3, NOON + HOUR))
    tried = at_once(desk, lambda record: record.one_times.attempt(MARK, "code", NOON), 10)
    assert sum(one is not None for one in tried) == 3
    desk.write(lambda record: record.one_times.keep(b"late", "code", b"x", 3, NOON + HOUR))
    late = NOON + HOUR
    assert desk.write(lambda record: record.one_times.take(b"late", "code", late)) is None
    desk.write(lambda record: record.one_times.clear(late))
    assert desk.database.rows("SELECT count(*) FROM one_time")[0][0] == 0
