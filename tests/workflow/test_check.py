"""What $validate checks a response against: a form that came with it, else the stored one."""

from __future__ import annotations

import json
from typing import Any

from fhir_service.wiring import Service
from fhir_service.workflow import check
from tests.support.answers import SYSTEM
from tests.support.forms import form

FORM = {
    "resourceType": "Questionnaire",
    "id": "f",
    "url": "http://example.org/given",
    "version": "1.0.0",
    "status": "active",
    "item": [{"linkId": "a", "type": "string", "text": "A", "required": True}],
}
RESPONSE = {
    "resourceType": "QuestionnaireResponse",
    "status": "completed",
    "questionnaire": "http://example.org/given|1.0.0",
    "subject": {"reference": "Patient/ada-example"},
    "authored": "2026-11-22",
}
ANSWERED = [{"linkId": "a", "answer": [{"valueString": "x"}]}]


def found(service: Service, resource: dict[str, Any], given: Any = None) -> list[str]:
    body = resource
    if given is not None:
        parts = (("resource", resource), ("questionnaire", given))
        parameters = [{"name": name, "resource": one} for name, one in parts]
        body = {"resourceType": "Parameters", "parameter": parameters}
    return [issue.key for issue in check.response(service.site, SYSTEM, json.dumps(body).encode())]


def test_a_form_that_is_not_stored_is_unknown(service: Service) -> None:
    assert found(service, RESPONSE) == ["questionnaire-unknown"]


def test_a_form_given_beside_the_response_is_the_one_it_is_checked_against(
    service: Service,
) -> None:
    assert found(service, RESPONSE, FORM) == ["required-missing"]
    assert found(service, {**RESPONSE, "item": ANSWERED}, FORM) == []


def test_a_response_that_names_another_form_than_the_one_given_is_told_so(
    service: Service,
) -> None:
    other = {**RESPONSE, "questionnaire": "http://example.org/other|1.0.0", "item": ANSWERED}
    assert found(service, other, FORM) == ["questionnaire-mismatch"]


def test_the_form_that_a_response_contains_is_the_one_it_is_checked_against(
    service: Service,
) -> None:
    inside = {key: value for key, value in FORM.items() if key not in ("url", "version")}
    contained = {**RESPONSE, "questionnaire": "#f", "contained": [inside]}
    assert found(service, contained) == ["required-missing"]
    assert found(service, {**contained, "item": ANSWERED}) == []
    assert found(service, {**contained, "questionnaire": "#g"}) == ["questionnaire-not-contained"]


def test_a_form_that_breaks_rules_is_told_with_its_own_findings(service: Service) -> None:
    broken = {**FORM, "item": [{"linkId": "g", "type": "group", "text": "G"}]}
    assert found(service, RESPONSE, broken) == ["form-group-empty"]


def test_what_is_no_form_is_told(service: Service) -> None:
    assert found(service, RESPONSE, {"resourceType": "Patient"}) == ["not-understood"]


def test_a_form_is_checked_beside_those_that_are_stored(service: Service) -> None:
    stored = form("coping-support")
    same = check.questionnaire(service.site, SYSTEM, json.dumps(stored).encode())
    assert [issue.key for issue in same] == []
    stored["item"] = stored["item"][:1]
    changed = check.questionnaire(service.site, SYSTEM, json.dumps(stored).encode())
    assert "form-version-taken" in [issue.key for issue in changed]
