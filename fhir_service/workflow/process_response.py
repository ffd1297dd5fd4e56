"""$process-response: a finished response handed over for processing, here: checked and stored.

http://hl7.org/fhir/uv/sdc/OperationDefinition/Questionnaire-process-response
"""

from __future__ import annotations

from typing import Any

import msgspec

from fhir_service.fhir.issues import Issue, NotUnderstood, operation_outcome
from fhir_service.fhir.reading import read_json
from fhir_service.workflow import submit
from fhir_service.workflow.caller import Caller
from fhir_service.workflow.check import named
from fhir_service.workflow.site import Site


def process_response(site: Site, caller: Caller, body: bytes) -> dict[str, Any]:
    """Store the response, given alone or as ``response`` in a Parameters; the OperationOutcome.

    Its first issue says where the response lies now. Raises what ``submit.create`` raises.
    """
    kept = submit.create(site, caller, _response(site, body))
    where = f"QuestionnaireResponse/{kept.stored.id}"
    done = Issue(
        key="processed",
        code="informational",
        severity="information",
        says=f"Stored as {where}, version {kept.stored.version}.",
    )
    return operation_outcome((done, *kept.findings))


def _response(site: Site, body: bytes) -> bytes:
    """The response as sent. One inside a Parameters is cut out as it stands, byte for byte."""
    if b'"Parameters"' not in body:
        return body
    parameters = read_json(body, max_depth=site.max_json_depth)
    if parameters.get("resourceType") != "Parameters":
        return body
    resource = named(parameters, "response")
    if not isinstance(resource, dict) or resource.get("resourceType") != "QuestionnaireResponse":
        raise NotUnderstood(
            "The parameter “response” holds no QuestionnaireResponse; Bundles are not taken.",
            expression="Parameters.parameter.where(name = 'response').resource",
        )
    return _raw(body, "response")


class _Parameter(msgspec.Struct):
    name: str
    resource: msgspec.Raw = msgspec.Raw()


class _Parameters(msgspec.Struct):
    parameter: list[_Parameter]


def _raw(body: bytes, name: str) -> bytes:
    try:
        found = msgspec.json.decode(body, type=_Parameters)
    except msgspec.ValidationError:
        says = "Each parameter is an object with a name."
        raise NotUnderstood(says, expression="Parameters.parameter") from None
    return next(bytes(p.resource) for p in found.parameter if p.name == name and p.resource)
