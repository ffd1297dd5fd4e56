"""What each EHR gets is exactly what its case says, and nothing that does not fit."""

from __future__ import annotations

import json
from base64 import b64decode
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from fhir_service.catalogue.ehr_targets import load_target
from fhir_service.catalogue.shipped import folder
from fhir_service.workflow.parcels import DoesNotFit, Parcel, Visit, body_of, fitting
from fhir_service.workflow.plan import plan
from fhir_service.workflow.targets import Content, Route
from tests.support.cases import CASES
from tests.support.delivering import statement

SHIPPED = folder("mappings") / "ehr-targets"
TABLE = json.loads((CASES / "ehr" / "parcels.json").read_text(encoding="utf-8"))["cases"]
START = datetime(2026, 11, 27, 10, tzinfo=UTC)
ANSWERED = {
    "resourceType": "QuestionnaireResponse",
    "id": "ours",
    "meta": {"versionId": "3"},
    "questionnaire": "https://example.org/q|1",
    "status": "completed",
    "subject": {"reference": "Patient/ours"},
    "encounter": {"reference": "Encounter/of-another-server"},
    "authored": "2026-11-25T10:00:00Z",
    "author": {"reference": "Patient/ours"},
    "source": {"reference": "RelatedPerson/ours"},
    "item": [{"linkId": "pain", "answer": [{"valueInteger": 7}]}],
}
PARCEL = Parcel(
    patient="at-ehr",
    identifier="https://answers.example.org/fhir/QuestionnaireResponse/ours/_history/3",
    made=datetime(2026, 11, 25, 10, tzinfo=UTC),
    visit=Visit(START, START + timedelta(minutes=30), "e1"),
    renderings={
        "text": "Ada’s words: señal 🙂".encode(),
        "html": b"<p>words</p>",
        "pdf": b"%PDF-1.7",
        "document": b'{"resourceType":"Bundle","type":"document"}',
    },
    response=ANSWERED,
    replaces="before",
)


def route_of(target: str, said: str) -> Route:
    chosen = plan(load_target(target, SHIPPED), statement(said)).chosen
    assert chosen is not None
    return chosen.route


@pytest.mark.parametrize("case", [pytest.param(case, id=case["target"]) for case in TABLE])
def test_an_ehr_gets_exactly_this(case: dict[str, Any]) -> None:
    route = route_of(case["target"], case.get("statement", case["target"]))
    made = json.loads(body_of(route, PARCEL))
    assert list(made) == case["elements"]
    assert {name: made[name] for name in case["fixed"]} == case["fixed"]
    assert made["subject"] == {"reference": "Patient/at-ehr"}
    if "types" in case:
        attachments = [one["attachment"] for one in made["content"]]
        assert [one["contentType"] for one in attachments] == case["types"]
        assert made["context"] == case["context"]
        assert "not reviewed" in made["description"]
    if "relatesTo" in made:
        target = {"reference": "DocumentReference/before"}
        assert made["relatesTo"] == [{"code": "replaces", "target": target}]


def test_every_target_that_makes_a_resource_has_its_case() -> None:
    names = {path.stem for path in SHIPPED.glob("*.toml")} - {"folder"}
    assert {case["target"] for case in TABLE} == names


def test_a_target_that_takes_ascii_alone_shows_every_other_sign() -> None:
    made = json.loads(body_of(route_of("epic", "epic"), PARCEL))
    text = b64decode(made["content"][0]["attachment"]["data"]).decode("ascii")
    assert text == "Ada\\u2019s words: se\\u00f1al \\U0001f642"


def test_a_rendering_that_is_too_large_is_left_out_and_none_at_all_is_refused() -> None:
    route = route_of("us-core", "hapi")
    small = tuple(replace(one, most_bytes=20) for one in route.contents)
    made = json.loads(body_of(replace(route, contents=small), PARCEL))
    assert [one["attachment"]["contentType"] for one in made["content"]] == ["application/pdf"]
    none = tuple(replace(one, most_bytes=1) for one in route.contents)
    with pytest.raises(DoesNotFit):
        body_of(replace(route, contents=none), PARCEL)


def test_the_limit_counts_the_bytes_that_are_sent() -> None:
    content = Content("text", "text/plain", 5, ascii_only=True)
    assert fitting(content, b"12345") == b"12345"
    assert fitting(content, "é".encode()) is None
    assert fitting(replace(content, ascii_only=False), "éé".encode()) is not None
