"""HL7's own example forms are stored, read back without loss, and their responses hold."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from fhir_service.sdc.compiled import compile_form
from fhir_service.sdc.responses import decode
from fhir_service.sdc.validation import validate
from tests.support.hl7 import PACKAGE, resources
from tests.support.service import BASE_URL, Running, issues, start

pytestmark = pytest.mark.skipif(not PACKAGE.is_dir(), reason="HL7's SDC package is not there")

FAULTY_FORMS: dict[str, set[str]] = {}
"""Examples that R4 itself forbids, and the findings that they are refused with. None is."""

NCI = "QuestionnaireResponse-questionnaireresponse-sdc-profile-example"
FAMILY_HISTORY = (
    "QuestionnaireResponse-questionnaireresponse-sdc-example-ussg-fht-answers",
    "Parameters-populate-response#0",
)
FAULTY_RESPONSES = {
    # The form contains its code system, with the code "At Restaging"; the answer is "AtRestaging".
    NCI: {"value-set-not-member"},
}
"""Examples that break a rule of their form, and how."""

FAULTY_WHEN_COMPLETED = FAULTY_RESPONSES | {key: {"display-wrong"} for key in FAMILY_HISTORY}
"""The form offers "[in_i]" as "inch (international)"; the answers have "[in_i]" for a display.

Both are in progress, where this is a warning.
"""

ADAPTIVE = "QuestionnaireResponse-adaptive-questionnaireresponse-sdc-example-phq9"
"""It contains its form, which has no url and so can not be stored by itself."""


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    service = start(tmp_path_factory.mktemp("hl7"))
    yield service
    service.close()


def store(running: Running, form: dict[str, Any]) -> Any:
    return running.send("POST", "/fhir/Questionnaire", json.dumps(form).encode())


def error_keys(reply: Any) -> set[str]:
    return {
        one["details"]["coding"][0]["code"]
        for one in issues(reply)
        if one["severity"] in ("error", "fatal")
    }


def without_version(resource: dict[str, Any]) -> dict[str, Any]:
    """The resource without what the server itself adds."""
    meta = {
        k: v for k, v in resource.get("meta", {}).items() if k not in ("versionId", "lastUpdated")
    }
    kept = {name: one for name, one in resource.items() if name not in ("id", "meta")}
    return kept | ({"meta": meta} if meta else {})


@pytest.fixture(scope="module")
def stored(running: Running) -> dict[str, Any]:
    """Every form of the package, sent once; the answers by name."""
    return {name: store(running, form) for name, form in resources("Questionnaire").items()}


def test_the_package_has_its_forms_and_responses() -> None:
    assert len(resources("Questionnaire")) >= 40
    assert len(resources("QuestionnaireResponse")) >= 8


def test_every_form_is_stored_but_for_those_that_r4_forbids(stored: dict[str, Any]) -> None:
    refused = {
        name: error_keys(reply) for name, reply in stored.items() if reply.status_code != 201
    }
    assert refused == FAULTY_FORMS


def test_every_form_is_read_back_without_loss(running: Running, stored: dict[str, Any]) -> None:
    forms = resources("Questionnaire")
    for name, reply in stored.items():
        if name not in FAULTY_FORMS:
            read = running.send("GET", reply.headers["Location"].removeprefix(BASE_URL))
            assert read.status_code == 200, name
            assert without_version(json.loads(read.data)) == without_version(forms[name]), name


def errors_of_all(running: Running, **changes: str) -> dict[str, set[str]]:
    """The keys of the errors on each response that has any."""
    found = {}
    for name, response in resources("QuestionnaireResponse").items():
        if name == ADAPTIVE:
            continue
        sent = {**response, **changes}
        reply = running.send("POST", "/fhir/QuestionnaireResponse/$validate", sent)
        assert reply.status_code == 200, name
        if keys := error_keys(reply):
            found[name] = keys
    return found


def test_every_response_is_checked_without_a_false_error(
    running: Running, stored: dict[str, Any]
) -> None:
    assert errors_of_all(running) == FAULTY_RESPONSES


def test_every_response_would_hold_as_a_completed_one(
    running: Running, stored: dict[str, Any]
) -> None:
    assert errors_of_all(running, status="completed") == FAULTY_WHEN_COMPLETED


def test_an_adaptive_response_is_checked_against_the_form_that_it_contains() -> None:
    response = resources("QuestionnaireResponse")[ADAPTIVE]
    found = validate(compile_form(response["contained"][0]), decode(json.dumps(response).encode()))
    assert [one.key for one in found if one.severity == "error"] == []
