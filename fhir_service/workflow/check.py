"""$validate: every finding on a response or a form, and nothing stored.

http://hl7.org/fhir/R4/resource-operation-validate.html
"""

from __future__ import annotations

from typing import Any

import msgspec

from fhir_service.fhir.issues import Issue, NotUnderstood, NotValid
from fhir_service.fhir.reading import read_json
from fhir_service.sdc.compiled import Form, compile_form
from fhir_service.sdc.form_rules import check_questionnaire
from fhir_service.sdc.responses import Response, skim
from fhir_service.workflow.caller import Caller
from fhir_service.workflow.checking import findings_of
from fhir_service.workflow.known import Stored
from fhir_service.workflow.site import Site

_encode = msgspec.json.Encoder(decimal_format="number").encode


def response(site: Site, caller: Caller, body: bytes) -> tuple[Issue, ...]:
    """Every finding on a QuestionnaireResponse, given alone or as ``resource`` in a Parameters.

    It is checked against the form in the parameter ``questionnaire``, else against the one that
    it contains and names by ``#``, else against the stored one that it names. What can not be
    read as FHIR at all is a finding too. Raises NotAllowed.
    """
    caller.must("QuestionnaireResponse", "r", "s", "c")
    try:
        parameters = _parameters(site, body)
        sent = body if parameters is None else _encode(named(parameters, "resource"))
        read = skim(sent, site.max_item_depth)
        given = _given(site, parameters, read, sent)
        form = None if given is None else _compiled(site, given)
        return findings_of(site, read, form, caller.language)
    except (NotUnderstood, NotValid) as refusal:
        return refusal.issues


def questionnaire(site: Site, caller: Caller, body: bytes) -> tuple[Issue, ...]:
    """Every finding on a Questionnaire, given alone or as ``resource`` in a Parameters."""
    caller.must("Questionnaire", "r", "s", "c")
    try:
        parameters = _parameters(site, body)
        resource = _read(site, body) if parameters is None else named(parameters, "resource")
    except NotUnderstood as refusal:
        return refusal.issues
    if not isinstance(resource, dict) or resource.get("resourceType") != "Questionnaire":
        return NotUnderstood("This is no Questionnaire.", expression="resourceType").issues
    known = Stored(site.desk.reading())
    return check_questionnaire(resource, known, item_levels=site.max_item_depth)


def _read(site: Site, body: bytes) -> dict[str, Any]:
    return read_json(body, max_depth=site.max_json_depth)


def _parameters(site: Site, body: bytes) -> dict[str, Any] | None:
    """The Parameters that the body is; None where it is the resource itself."""
    if b'"Parameters"' not in body:
        return None
    read = _read(site, body)
    return read if read.get("resourceType") == "Parameters" else None


def _given(site: Site, parameters: dict[str, Any] | None, read: Response, sent: bytes) -> Any:
    """The form that came with the response, as a parameter or contained; None without one."""
    for parameter in (parameters or {}).get("parameter", ()):
        if parameter.get("name") == "questionnaire" and "resource" in parameter:
            return parameter["resource"]
    canonical = read.questionnaire or ""
    if not canonical.startswith("#"):
        return None
    for one in _read(site, sent).get("contained", ()):
        if one.get("id") == canonical[1:]:
            return one
    says = f"The response contains no questionnaire {canonical}."
    where = "QuestionnaireResponse.questionnaire"
    raise NotValid(says, Issue("questionnaire-not-contained", "not-found", says, expression=where))


def _compiled(site: Site, resource: Any) -> Form:
    """The form that was given. Raises NotValid with its own errors, where it has some."""
    if not isinstance(resource, dict) or resource.get("resourceType") != "Questionnaire":
        raise NotUnderstood(
            "What the response is to be checked against is no Questionnaire.",
            expression="QuestionnaireResponse.questionnaire",
        )
    found = check_questionnaire(resource, item_levels=site.max_item_depth)
    errors = [issue for issue in found if issue.severity in ("error", "fatal")]
    if errors:
        raise NotValid("The questionnaire that was given breaks rules.", *errors)
    return compile_form(resource)


def named(parameters: dict[str, Any], name: str) -> Any:
    """The resource of this parameter. Raises NotUnderstood when it is not there."""
    given = parameters.get("parameter")
    for parameter in given if isinstance(given, list) else ():
        if not isinstance(parameter, dict):
            continue
        if parameter.get("name") == name and "resource" in parameter:
            return parameter["resource"]
    raise NotUnderstood(
        f"The Parameters have no “{name}” with a resource in it.",
        expression=f"Parameters.parameter.where(name = '{name}')",
    )
