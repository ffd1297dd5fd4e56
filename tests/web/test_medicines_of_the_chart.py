"""The chart's medicines beside the patient's: from the EHR, for who may read them, in seconds."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest

from fhir_service.smart.access import Access
from fhir_service.smart.scopes import read_scopes
from fhir_service.workflow.caller import Caller
from fhir_service.workflow.charting import medicines
from tests.support.ehr import Ehr, an_ehr
from tests.support.forms import ROOT
from tests.support.service import Running, start
from tests.support.summaries import PREVISIT

ADA = {"resourceType": "Patient", "id": "ada-example", "birthDate": "1964-05-02"}
NOT_ANSWERED = "Not compared with the chart: the EHR did not answer."


def prescribed(id_: str, words: str, patient: str = "ada-example", **more: Any) -> dict[str, Any]:
    return {
        "resourceType": "MedicationRequest",
        "id": id_,
        "status": "active",
        "intent": "order",
        "subject": {"reference": f"Patient/{patient}"},
        "medicationCodeableConcept": {"text": words},
    } | more


@contextmanager
def a_service(folder: Path, ehr: Ehr) -> Iterator[tuple[Running, str]]:
    """A service that reads this EHR, with the typical answers of Ada, and their id."""
    ehr.put(ADA)
    running = start(folder, EHR_BASE=ehr.base, EHR_TIMEOUT="1", EHR_REQUESTS_PER_SECOND="0")
    try:
        running.service.publish_shipped()
        assert running.send("PUT", "/fhir/Patient/ada-example", ADA).status_code == 201
        body = (ROOT / PREVISIT / "responses" / "typical.json").read_bytes()
        reply = running.send("POST", "/fhir/QuestionnaireResponse", body)
        yield running, reply.headers["Location"].split("/")[-3]
    finally:
        running.close()


def told(running: Running, id_: str, scope: str = "user/*.rs") -> str:
    path = f"/fhir/QuestionnaireResponse/{id_}/$summary"
    reply = running.send("GET", path, token=running.token(scope), headers={"Accept": "text/plain"})
    assert reply.status_code == 200, reply.text
    return " ".join(reply.text.split())


def test_what_differs_is_told_in_both_directions_and_stopped_medicines_are_not(
    tmp_path: Path,
) -> None:
    with an_ehr() as ehr, a_service(tmp_path, ehr) as (running, id_):
        ehr.put(prescribed("1", "Capecitabine 500 mg tablet"))
        ehr.put(prescribed("2", "Tamoxifen 20 mg"))
        ehr.put(prescribed("4", "Anastrozole", status="stopped"))
        ehr.put(prescribed("3", "Warfarin 5 mg", patient="another"))
        made = told(running, id_)
        assert "In the chart, not named by the patient: Tamoxifen 20 mg" in made
        assert 'Not in the chart: "Lisinopril"; "Turmeric capsules"' in made
        assert "Warfarin" not in made
        assert "Anastrozole" not in made


@pytest.mark.parametrize(
    "scope",
    ["system/QuestionnaireResponse.rs", "user/MedicationRequest.s user/QuestionnaireResponse.rs"],
)
def test_who_may_not_read_them_is_told_nothing_of_them(tmp_path: Path, scope: str) -> None:
    with an_ehr() as ehr, a_service(tmp_path, ehr) as (running, id_):
        ehr.put(prescribed("2", "Tamoxifen 20 mg"))
        made = told(running, id_, scope)
        assert "Tamoxifen" not in made
        assert "the chart" not in made
        assert not [one for one in ehr.asked if "Medication" in str(one)]


def test_a_chart_without_medicines_says_so(tmp_path: Path) -> None:
    with an_ehr() as ehr, a_service(tmp_path, ehr) as (running, id_):
        assert "The chart lists no active medicines." in told(running, id_)


def test_an_ehr_that_does_not_answer_is_waited_for_in_seconds_and_that_is_said(
    tmp_path: Path,
) -> None:
    with an_ehr() as ehr, a_service(tmp_path, ehr) as (running, id_):
        first = told(running, id_)
        assert NOT_ANSWERED not in first
        ehr.answers = [(503, {}, b"")] * 20
        began = time.monotonic()
        assert NOT_ANSWERED in told(running, id_)
        assert time.monotonic() - began < 10


class _Hanging:
    """An EHR that takes what it is asked and says nothing until the test ends."""

    base = "https://ehr.example.org/fhir"

    def __init__(self) -> None:
        self.over = threading.Event()

    def read(self, *_: object) -> None:
        self.over.wait(30)


def test_an_ehr_that_hangs_does_not_hold_up_the_summary(tmp_path: Path) -> None:
    with an_ehr() as ehr, a_service(tmp_path, ehr) as (running, _):
        hanging = _Hanging()
        site = replace(running.service.site, ehr=cast("Any", hanging))
        access = Access(read_scopes("user/*.rs"), None)
        began = time.monotonic()
        chart = medicines(site, Caller("clinic", None, access), "ada-example", 0.2)
        hanging.over.set()
        assert chart.says == NOT_ANSWERED
        assert time.monotonic() - began < 5
