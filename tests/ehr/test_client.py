"""The EHR client reads, searches and writes politely, and says exactly how a write ended."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from fhir_service.ehr.client import EhrClient
from fhir_service.ehr.outbound import Outbound
from fhir_service.ehr.pace import Pace, retry_after_seconds
from fhir_service.workflow.ehr import EhrTrouble
from tests.support.ehr import FAULTS, Ehr, an_ehr, hidden

NOTE = {"resourceType": "DocumentReference", "status": "current"}


@pytest.fixture
def ehr() -> Iterator[Ehr]:
    with an_ehr(hang_seconds=0.6) as made:
        yield made


def client(ehr: Ehr, **how: Any) -> EhrClient:
    return EhrClient(Outbound([ehr.base], timeout_seconds=0.3), ehr.base, **how)


def trouble(ehr: Ehr, **how: Any) -> EhrTrouble:
    with pytest.raises(EhrTrouble) as told:
        client(ehr, **how).create(NOTE)
    assert hidden(str(told.value))
    assert hidden(repr(told.value.codes))
    return told.value


def test_a_resource_is_read_by_type_and_id_and_nothing_is_none(ehr: Ehr) -> None:
    ehr.put({"resourceType": "Patient", "id": "ada"})
    assert client(ehr).read("Patient", "ada") is not None
    assert client(ehr).read("Patient", "nobody") is None
    assert client(ehr).read("Patient", "../../secret") is None
    assert len(ehr.asked) == 2


def test_an_answer_that_is_another_resource_is_not_taken_for_it(ehr: Ehr) -> None:
    ehr.answers.append((200, {}, b'{"resourceType":"Patient","id":"bob"}'))
    with pytest.raises(EhrTrouble, match="not-understood"):
        client(ehr).read("Patient", "ada")


def test_a_search_goes_through_all_pages_up_to_its_limit(ehr: Ehr) -> None:
    ehr.page = 3
    for number in range(10):
        ehr.put(
            {
                "resourceType": "Condition",
                "id": f"c{number}",
                "subject": {"reference": "Patient/ada"},
            }
        )
    found = [one["id"] for one in client(ehr).search("Condition", {"patient": "ada"})]
    assert found == [f"c{number}" for number in range(10)]
    assert len(list(client(ehr).search("Condition", "patient=ada", most=4))) == 4


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:1/fhir/Condition?page=2",
        "http://elsewhere.example.org/fhir/Condition?page=2",
        "{base}x/Condition?page=2",
        "{base}/../admin?page=2",
        "file:///etc/passwd",
    ],
)
def test_a_next_page_outside_the_ehrs_own_base_is_not_followed(ehr: Ehr, url: str) -> None:
    link = [{"relation": "next", "url": url.replace("{base}", ehr.base)}]
    page = {"resourceType": "Bundle", "entry": [], "link": link}
    ehr.answers.append((200, {}, json.dumps(page).encode()))
    assert list(client(ehr).search("Condition", "patient=ada")) == []
    assert len(ehr.asked) == 1


def test_a_page_that_names_itself_as_the_next_ends(ehr: Ehr) -> None:
    url = f"{ehr.base}/Condition?patient=ada"
    page = {"resourceType": "Bundle", "link": [{"relation": "next", "url": url}]}
    ehr.answers += [(200, {}, json.dumps(page).encode())] * 3
    assert list(client(ehr).search("Condition", "patient=ada")) == []
    assert len(ehr.asked) == 1


def test_a_write_tells_where_it_lies_by_a_relative_location_and_an_empty_body(ehr: Ehr) -> None:
    written = client(ehr).create(NOTE)
    assert (written.status, written.version, written.resource) == (201, "1", None)
    assert ("DocumentReference", written.id) in ehr.kept


def test_a_conditional_create_that_matches_tells_what_was_there(ehr: Ehr) -> None:
    note = {**NOTE, "identifier": [{"system": "urn:x", "value": "1"}]}
    first = client(ehr).create(note, if_none_exist="identifier=urn:x|1")
    again = client(ehr).create(note, if_none_exist="identifier=urn:x|1")
    assert (first.status, again.status) == (201, 200)
    assert first.id == again.id
    assert len(ehr.kept) == 1


def test_an_update_names_the_version_that_it_replaces(ehr: Ehr) -> None:
    made = client(ehr).create(NOTE)
    client(ehr).update({**NOTE, "id": made.id}, if_match="1")
    assert ehr.asked[-1][2]["If-Match"] == 'W/"1"'


ENDS = {
    "time-out before": ("lost", False),
    "time-out after": ("lost", False),
    "reset before": ("lost", False),
    "reset after": ("lost", False),
    "500 before": ("fault", False),
    "500 after": ("fault", False),
    "503 and retry": ("busy", True),
    "429": ("busy", True),
    "cut body": ("lost", False),
    "slow drip": ("lost", False),
    "422": ("refused", True),
}


@pytest.mark.parametrize("fault", [fault for fault in FAULTS if fault != "none"])
def test_a_write_is_sent_once_and_its_end_is_told(ehr: Ehr, fault: str) -> None:
    ehr.plan = lambda: fault
    told = trouble(ehr)
    assert (told.kind, told.surely_not_done) == ENDS[fault]
    assert len(ehr.asked) == 1


def test_an_ehr_that_is_not_there_is_unreachable_and_nothing_was_done() -> None:
    with an_ehr() as gone:
        pass
    told = trouble(gone)
    assert (told.kind, told.surely_not_done, told.passes) == ("unreachable", True, True)


def test_503_without_retry_after_may_have_been_done(ehr: Ehr) -> None:
    ehr.answers.append((503, {}, b""))
    told = trouble(ehr)
    assert (told.kind, told.surely_not_done) == ("fault", False)


def test_the_codes_of_a_refusal_are_told_and_its_words_are_not(ehr: Ehr) -> None:
    outcome = {
        "resourceType": "OperationOutcome",
        "issue": [
            {
                "severity": "error",
                "code": "required",
                "diagnostics": "Mrs Example",
                "details": {"coding": [{"code": "59108"}], "text": "Mrs Example"},
            }
        ],
    }
    ehr.answers.append((400, {}, json.dumps(outcome).encode()))
    told = trouble(ehr)
    assert (told.status, told.codes) == (400, ("required", "59108"))


def test_a_read_that_meets_429_is_asked_again_after_the_pause_and_a_write_is_not(ehr: Ehr) -> None:
    clock = Clock()
    ehr.put({"resourceType": "Patient", "id": "ada"})
    ehr.answers.append((429, {"Retry-After": "7"}, b""))
    assert client(ehr, pace=Pace(now=clock.now, sleep=clock.sleep)).read("Patient", "ada")
    assert clock.time == pytest.approx(7.0)
    ehr.plan = lambda: "429"
    trouble(ehr)
    assert len(ehr.asked) == 3


def test_an_ehr_that_is_busy_for_long_is_left_alone(ehr: Ehr) -> None:
    ehr.answers.append((429, {"Retry-After": "3600"}, b""))
    with pytest.raises(EhrTrouble) as told:
        client(ehr).read("Patient", "ada")
    assert told.value.retry_after_seconds == 3600
    assert len(ehr.asked) == 1


class Clock:
    def __init__(self) -> None:
        self.time = 0.0

    def now(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.time += seconds


def test_requests_are_spread_out_to_the_polite_rate() -> None:
    clock = Clock()
    pace = Pace(4.0, now=clock.now, sleep=clock.sleep)
    for _ in range(9):
        pace.wait()
    assert clock.time == pytest.approx(2.0)


NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        ("120", 120.0),
        ("0", 0.0),
        ("Wed, 25 Nov 2026 12:01:30 GMT", 90.0),
        ("Wed, 25 Nov 2026 11:00:00 GMT", 0.0),
        ("99999999999", 86400.0),
        ("soon", None),
        ("-1", None),
        ("", None),
    ],
)
def test_retry_after_is_read_as_seconds_or_a_date(said: str, seconds: float | None) -> None:
    assert retry_after_seconds({"retry-after": said}, NOON) == seconds


def test_metadata_and_smart_configuration_are_read_without_a_token(ehr: Ehr) -> None:
    ehr.needs_token = "some"  # noqa: S105  no secret
    ehr.statement = {"resourceType": "CapabilityStatement"}
    assert client(ehr).capabilities() == ehr.statement
    assert client(ehr).smart_configuration() is None
    ehr.smart = {"token_endpoint": "https://x.example.org/token"}
    assert client(ehr).smart_configuration() == ehr.smart
