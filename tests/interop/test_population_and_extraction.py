"""HAPI as the EHR: the pre-visit form is filled from it, and what is extracted is sent to it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.support.answers import walk_answers
from tests.support.hapi import Hapi
from tests.support.previsit_record import FORM, RECORD
from tests.support.service import Running, start

RESPONSES = (
    Path(__file__).resolve().parents[2]
    / "questionnaires"
    / "previsit-recurrent-breast"
    / "responses"
)
PATH = "/fhir/QuestionnaireResponse"
WHO = "populated-ada"
OTHER = "populated-eve"

LATER = ("SymptomTemporary", "us-core", "condition-category", "patient-reported", "previsit")
"""Code systems that HAPI has not got: HL7's Symptoms guide, US Core, and our own."""


def _about(who: str, value: Any) -> Any:
    """The same resource, about somebody else and with ids of her own."""
    text = json.dumps(value).replace("Patient/ada", f"Patient/{who}")
    made = json.loads(text)
    made["id"] = who if made["resourceType"] == "Patient" else f"{who}-{made['id']}"
    return made


@pytest.fixture(scope="module")
def running(hapi: Hapi, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """Our service, with HAPI as its EHR, which holds the records of two patients."""
    for who in (WHO, OTHER):
        hapi.put({"resourceType": "Patient", "id": who, "name": [{"family": "Example"}]})
        for name in ("Medications", "Statements", "Procedures", "Conditions"):
            for entry in RECORD[name]["entry"]:
                hapi.put(_about(who, entry["resource"]))
    service = start(tmp_path_factory.mktemp("with-hapi"), EHR_BASE=hapi.base)
    service.service.publish_shipped()
    yield service
    service.close()


def _populated(running: Running, token: str | None = None) -> dict[str, Any]:
    given = {
        "resourceType": "Parameters",
        "parameter": [
            {"name": "questionnaire", "valueCanonical": FORM},
            {"name": "subject", "valueReference": {"reference": f"Patient/{WHO}"}},
            {"name": "local", "valueBoolean": True},
        ],
    }
    reply = running.send("POST", "/fhir/Questionnaire/$populate", given, token=token)
    assert reply.status_code == 200, reply.text
    return {one["name"]: one["resource"] for one in json.loads(reply.data)["parameter"]}


def _values(response: Mapping[str, Any]) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {}
    for link_id, answer in walk_answers(response):
        (value,) = [one for name, one in answer.items() if name.startswith("value")]
        found.setdefault(link_id, []).append(value["code"] if isinstance(value, dict) else value)
    return found


def test_the_form_is_filled_from_the_ehr_and_says_what_it_could_not_have(
    running: Running, hapi: Hapi
) -> None:
    made = _populated(running)
    values = _values(made["response"])
    assert sorted(values["medicine-name"]) == ["Letrozole", "Metformin", "Vitamin D"]
    assert values["first-found"] == ["2019-03-12"]
    assert set(values["treatments-had"]) == {"tx-lumpectomy", "tx-radiation", "tx-hormone"}
    assert values["other-conditions"] == ["condition-high-blood-pressure"]
    says = [one["details"]["text"] for one in made["issues"]["issue"]]
    assert [one for one in says if one.startswith("ImagingStudy")]  # this HAPI has no such type
    text = json.dumps(made["response"])
    assert f"{hapi.base}/MedicationRequest/{WHO}-m1" in text
    assert OTHER not in text


def test_who_may_not_read_medicines_gets_none(running: Running) -> None:
    scopes = "patient/Questionnaire.r patient/QuestionnaireResponse.cr patient/Condition.rs"
    made = _populated(running, running.token(scopes, WHO))
    values = _values(made["response"])
    assert "medicine-name" not in values
    assert values["first-found"] == ["2019-03-12"]


def test_what_hapi_finds_wrong_is_found_in_what_we_extract_too(hapi: Hapi) -> None:
    """The judge can fail on these very resources."""
    wrong = {"resourceType": "Procedure", "status": "excellent", "subject": {"display": "x"}}
    assert hapi.validate(wrong)


@pytest.mark.parametrize("name", ["everything", "typical", "minimal"])
def test_what_is_extracted_is_valid_and_kept_once(running: Running, hapi: Hapi, name: str) -> None:
    body = json.loads((RESPONSES / f"{name}.json").read_text("utf-8"))
    body = json.loads(json.dumps(body).replace("Patient/ada-example", f"Patient/{WHO}"))
    stored = running.send("POST", PATH, body)
    assert stored.status_code == 201, stored.text
    id_ = json.loads(stored.data)["id"]
    reply = running.send("GET", f"{PATH}/{id_}/$extract?conditional=true")
    bundle = json.loads(reply.data)["parameter"][0]["resource"]
    for entry in bundle.get("entry", ()):
        found = hapi.validate(entry["resource"])
        assert not [one for one in found if not any(word in str(one) for word in LATER)]
    if "entry" not in bundle:
        assert name == "minimal"
        return
    first = hapi.transaction(bundle)
    assert len(first["entry"]) == len(bundle["entry"])
    kept = hapi.search("Observation", f"patient={WHO}")
    hapi.transaction(bundle)
    assert len(hapi.search("Observation", f"patient={WHO}")) == len(kept)
