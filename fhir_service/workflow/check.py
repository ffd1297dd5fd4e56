"""$validate: every finding on a response or a form, and nothing stored.

http://hl7.org/fhir/R4/resource-operation-validate.html
"""

from __future__ import annotations

from typing import Any

import msgspec

from fhir_service.fhir.issues import Issue, NotUnderstood
from fhir_service.fhir.reading import read_json
from fhir_service.sdc.form_rules import check_questionnaire
from fhir_service.sdc.responses import skim
from fhir_service.workflow.caller import Caller
from fhir_service.workflow.checking import findings_of
from fhir_service.workflow.site import Site

_encode = msgspec.json.Encoder(decimal_format="number").encode


def response(site: Site, caller: Caller, body: bytes) -> tuple[Issue, ...]:
    """Every finding on a QuestionnaireResponse, given alone or as ``resource`` in a Parameters.

    What can not be read as FHIR at all is a finding too. Raises NotAllowed.
    """
    caller.must("QuestionnaireResponse", "r", "s", "c")
    try:
        return findings_of(site, skim(_resource(body)))
    except NotUnderstood as refusal:
        return refusal.issues


def questionnaire(site: Site, caller: Caller, body: bytes) -> tuple[Issue, ...]:
    """Every finding on a Questionnaire, given alone or as ``resource`` in a Parameters."""
    caller.must("Questionnaire", "r", "s", "c")
    del site
    try:
        resource = read_json(_resource(body))
    except NotUnderstood as refusal:
        return refusal.issues
    if resource.get("resourceType") != "Questionnaire":
        return NotUnderstood("This is no Questionnaire.", expression="resourceType").issues
    return check_questionnaire(resource)


def _resource(body: bytes) -> bytes:
    """The resource to be checked: the body itself, or what its parameter ``resource`` holds."""
    if b'"Parameters"' not in body:
        return body
    parameters = read_json(body)
    if parameters.get("resourceType") != "Parameters":
        return body
    return _encode(named(parameters, "resource"))


def named(parameters: dict[str, Any], name: str) -> Any:
    """The resource of this parameter. Raises NotUnderstood when it is not there."""
    for parameter in parameters.get("parameter", ()):
        if parameter.get("name") == name and "resource" in parameter:
            return parameter["resource"]
    raise NotUnderstood(
        f"The Parameters have no “{name}” with a resource in it.",
        expression=f"Parameters.parameter.where(name = '{name}')",
    )
