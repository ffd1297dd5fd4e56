"""What is kept, is kept as it came; what fails leaves nothing; who may not see, sees nothing."""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fhir_service.fhir.issues import Conflict, NotValid, Unavailable
from fhir_service.fhir.searching import Search
from fhir_service.store.opening import StoreDesk, open_desk
from fhir_service.store.sqlite import Sqlite
from fhir_service.store.token_keys import TokenKeys
from fhir_service.workflow.ports import Stored
from tests.support.records import (
    FORM,
    NOON,
    deleted,
    form,
    keep,
    response,
    submit,
    version,
)

KIND = "QuestionnaireResponse"
COUNT = iter(range(1_000_000))

answers = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(said=answers, ascii_only=st.booleans(), indent=st.sampled_from([None, 2]))
def test_the_bytes_that_come_out_are_the_bytes_that_went_in(
    desk: StoreDesk, said: Any, ascii_only: bool, indent: int | None
) -> None:
    text = json.dumps({"status": "completed", "x": said}, ensure_ascii=ascii_only, indent=indent)
    body = text.encode("utf-8", "ignore") + b"\n"
    id_ = f"b{next(COUNT)}"
    keep(desk, version(id_, body))
    read = desk.reading().read(KIND, id_)
    assert read == version(id_, body)


def test_the_current_version_is_the_last_and_the_history_has_all_newest_first(
    desk: StoreDesk,
) -> None:
    for number in (1, 2, 3):
        keep(desk, version("r", response(status="amended", n=number), number))
    keep(desk, deleted("r", 4))
    reader = desk.reading()
    current = reader.read(KIND, "r")
    assert current is not None
    assert current.deleted
    assert current.body == b""
    assert [v.version for v in reader.history(KIND, "r")] == [4, 3, 2, 1]
    assert [v.version for v in reader.history(KIND, "r", count=2, before_version=4)] == [3, 2]
    second = reader.vread(KIND, "r", 2)
    assert second is not None
    assert second.body == response(status="amended", n=2)
    assert second.last_updated == NOON + timedelta(minutes=2)
    assert reader.vread(KIND, "r", 5) is None
    assert reader.vread(KIND, "r", 2**80) is None
    assert reader.search(Search(KIND)).found == ()


def test_another_patient_sees_nothing_by_any_way(desk: StoreDesk) -> None:
    keep(desk, version("of-ada", response()))
    reader = desk.reading()
    for patient, seen in (("ada", True), ("bob", False), ("", False)):
        assert (reader.read(KIND, "of-ada", patient) is not None) is seen
        assert (reader.vread(KIND, "of-ada", 1, patient) is not None) is seen
        assert bool(reader.history(KIND, "of-ada", patient)) is seen
        assert bool(reader.search(Search(KIND, total=True), patient).found) is seen
        assert reader.search(Search(KIND, total=True), patient).total == int(seen)


def test_what_is_nobodys_is_hidden_from_a_patient(desk: StoreDesk) -> None:
    keep(desk, version("f", form(), patient=None, resource_type="Questionnaire"))
    assert desk.reading().read("Questionnaire", "f") is not None
    assert desk.reading().read("Questionnaire", "f", "ada") is None


@pytest.mark.parametrize(
    "wrong",
    [
        version("r", response(), 1),
        version("r", response(), 3),
        version("new", response(), 2),
        version("r", response(), 2, patient="bob"),
    ],
    ids=["the first again", "one left out", "a second without a first", "of somebody else"],
)
def test_a_version_that_does_not_come_next_is_refused(desk: StoreDesk, wrong: Stored) -> None:
    keep(desk, version("r", response()))
    with pytest.raises(Conflict):
        keep(desk, wrong)
    assert [v.version for v in desk.reading().history(KIND, "r")] == [1]


def test_what_fails_in_the_middle_leaves_nothing_behind(desk: StoreDesk) -> None:
    def work(record: Any) -> None:
        record.keep(version("half", response()))
        raise LookupError

    with pytest.raises(LookupError):
        desk.write(work)
    assert desk.reading().read(KIND, "half") is None
    keep(desk, version("half", response()))


def _form(id_: str, **members: Any) -> Stored:
    return version(id_, form(**members), patient=None, resource_type="Questionnaire")


@pytest.mark.parametrize("status", ["active", "retired"])
def test_a_published_url_and_version_is_there_once(desk: StoreDesk, status: str) -> None:
    keep(desk, _form("one"))
    with pytest.raises(Conflict):
        keep(desk, _form("two", status=status))
    keep(desk, _form("draft", status="draft"), _form("next", version="1.1.0"))
    with pytest.raises(Conflict):
        keep(desk, version("draft", form(), 2, None, "Questionnaire"))
    keep(desk, version("one", form(status="retired"), 2, None, "Questionnaire"))


def test_two_at_once_can_not_publish_the_same_version(url: str) -> None:
    desks = [open_desk(url), open_desk(url)]
    try:
        for round_ in range(10):
            number = f"2.{round_}.0"
            stored = [_form(f"{side}-{round_}", version=number) for side in "ab"]
            with ThreadPoolExecutor(2) as pool:
                done = list(pool.map(_went_well, [keep, keep], desks, stored))
            assert sorted(done) == [False, True]
    finally:
        for one in desks:
            one.close()


def _went_well(act: Callable[..., None], desk: StoreDesk, stored: Stored) -> bool:
    try:
        act(desk, stored)
    except Conflict:
        return False
    return True


def test_two_at_once_can_not_both_write_the_next_version(desk: StoreDesk) -> None:
    keep(desk, version("r", response()))
    for number in range(2, 12):
        with ThreadPoolExecutor(4) as pool:
            bodies = [version("r", response(by=n), number) for n in range(4)]
            done = list(pool.map(_went_well, [keep] * 4, [desk] * 4, bodies))
        assert sum(done) == 1
    assert len(desk.reading().history(KIND, "r")) == 11


def test_writes_from_many_threads_are_all_there_and_the_failing_ones_are_not(
    desk: StoreDesk,
) -> None:
    def one(n: int) -> bool:
        def work(record: Any) -> int:
            record.keep(version(f"g{n}", response(n=n)))
            if n % 3 == 0:
                raise KeyError(n)
            return n

        try:
            return desk.write(work) == n
        except KeyError as failed:
            return failed.args != (n,)

    with ThreadPoolExecutor(16) as pool:
        done = list(pool.map(one, range(200)))
    assert [n for n, well in enumerate(done) if not well] == list(range(0, 200, 3))
    found = [n for n in range(200) if desk.reading().read(KIND, f"g{n}") is not None]
    assert found == [n for n in range(200) if n % 3]


def test_the_newest_active_version_is_found_by_its_canonical(desk: StoreDesk) -> None:
    keep(
        desk,
        _form("old", version="1.9.0"),
        _form("new", version="1.10.0"),
        _form("draft", version="2.0.0", status="draft"),
        _form("bare", version=None, status="draft"),
    )
    reader = desk.reading()
    found = {v: reader.canonical("Questionnaire", FORM, v) for v in (None, "1.9.0", "2.0.0", "")}
    assert {v: one.id for v, one in found.items() if one} == {
        None: "new",
        "1.9.0": "old",
        "2.0.0": "draft",
        "": "bare",
    }
    assert reader.canonical("Questionnaire", FORM, "3") is None
    assert reader.canonical("ValueSet", FORM, None) is None


def test_a_url_too_long_for_an_index_is_refused(desk: StoreDesk) -> None:
    with pytest.raises(NotValid):
        keep(desk, _form("long", url="https://example.org/" + "x" * 1000))
    keep(desk, _form("long", url="https://example.org/" + "x" * 980))


def test_a_reader_in_a_transaction_sees_what_it_wrote(desk: StoreDesk) -> None:
    def work(record: Any) -> int:
        record.keep(version("seen", response()))
        return len(record.search(Search(KIND)).found)

    assert desk.write(work) == 1


def test_what_is_owed_shows_in_the_figures(desk: StoreDesk) -> None:
    submit(desk, version("r", response()))
    figures = desk.figures()
    assert figures["outbox_waiting"] == 1
    assert figures["outbox_oldest_age_seconds"] >= 0
    assert figures["disk_used_bytes"] > 0
    assert not desk.offers_forms()


def test_the_first_signing_key_stays_whoever_asks(desk: StoreDesk) -> None:
    def ask(n: int) -> Any:
        keys = TokenKeys(desk.database, lambda kind: {"kid": f"k{n}", "kty": kind}, lambda: NOON)
        return keys.all()

    with ThreadPoolExecutor(4) as pool:
        keys = list(pool.map(ask, range(8)))
    assert len({json.dumps(key) for key in keys}) == 1


def test_keys_of_both_kinds_that_are_asked_for_at_the_same_moment_are_both_made(
    desk: StoreDesk,
) -> None:
    def ask(n: int) -> Any:
        keys = TokenKeys(desk.database, lambda kind: {"kid": f"k{n}", "kty": kind}, lambda: NOON)
        return (keys.all() if n % 2 else (keys.identity(),))[0]

    with ThreadPoolExecutor(8) as pool:
        keys = list(pool.map(ask, range(8)))
    assert [key["kty"] for key in keys] == ["RSA", "EC"] * 4
    assert len({key["kid"] for key in keys}) == 2


def test_a_locked_file_is_told_as_unavailable_and_works_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fhir_service.store.sqlite.BUSY_SECONDS", 0.05)
    desk = open_desk(f"sqlite:///{tmp_path}/a.db")
    other = Sqlite(f"sqlite:///{tmp_path}/a.db")._writing()
    other.run("BEGIN IMMEDIATE")
    with pytest.raises(Unavailable):
        keep(desk, version("r", response()))
    other.run("ROLLBACK")
    other.driver.close()
    keep(desk, version("r", response()))
    desk.close()


def test_a_full_disk_is_told_as_unavailable_and_loses_nothing(tmp_path: Path) -> None:
    desk = open_desk(f"sqlite:///{tmp_path}/a.db")
    assert isinstance(desk.database, Sqlite)
    keep(desk, version("r", response()))
    desk.database._writing().run("PRAGMA max_page_count = 1")
    with pytest.raises(Unavailable):
        keep(desk, version("big", response(x="y" * 100_000)))
    assert desk.reading().read(KIND, "big") is None
    desk.database._writing().run("PRAGMA max_page_count = 1000000")
    keep(desk, version("big", response(x="y" * 100_000)))
    assert desk.reading().read(KIND, "r") is not None
    desk.close()
