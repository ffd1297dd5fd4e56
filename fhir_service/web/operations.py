"""The operations as HTTP: $validate, $summary, $process-response and those of terminology.

http://hl7.org/fhir/R4/operations.html
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from flask import Flask, Response, g, request

from fhir_service.fhir.issues import Issue, NotUnderstood
from fhir_service.fhir.parameters import Accepts, from_query
from fhir_service.fhir.reading import read_json
from fhir_service.web.guard import caller
from fhir_service.web.negotiation import JSON_TYPES
from fhir_service.web.receiving import body, choose_format, query_pairs
from fhir_service.web.replies import json_reply, outcome, resource
from fhir_service.web.resources import must_be_id
from fhir_service.web.table import OFFERS, SYSTEM_OPERATIONS, Operation
from fhir_service.workflow import check, process_response, summarise, terminology
from fhir_service.workflow import read as reading
from fhir_service.workflow.caller import Caller
from fhir_service.workflow.site import Site

View = Callable[..., Response]
Validate = Callable[[Site, Caller, bytes], tuple[Issue, ...]]
Ask = Callable[[Site, Caller, dict[str, Any]], dict[str, Any]]

SUMMARY_TYPES = (*JSON_TYPES, "text/html", "text/plain", "application/pdf")

_FORMS: dict[str, summarise.Format] = {
    "text/html": "html",
    "text/plain": "text",
    "application/pdf": "pdf",
}

PAGE_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'none'"
)
"""For the HTML of a summary: its own style, and nothing else."""


def register(app: Flask, site: Site) -> None:
    """Add the routes of every operation in the table."""
    views: dict[tuple[str, str], View] = {
        ("Questionnaire", "validate"): _validate(site, check.questionnaire),
        ("QuestionnaireResponse", "validate"): _validate(site, check.response),
        ("QuestionnaireResponse", "summary"): _summary(site),
        ("ValueSet", "expand"): _ask(site, terminology.expand, terminology.EXPAND),
        ("ValueSet", "validate-code"): _ask(
            site, terminology.validate_code, terminology.VALIDATE_CODE
        ),
        ("CodeSystem", "lookup"): _ask(site, terminology.lookup, terminology.LOOKUP),
        ("", "process-response"): _process_response(site),
    }
    for offer in OFFERS:
        for operation in offer.operations:
            view = views[offer.resource_type, operation.name]
            root = f"/fhir/{offer.resource_type}"
            for place in _places(operation):
                _add(app, f"{root}{place}", operation, view)
    for operation in SYSTEM_OPERATIONS:
        _add(app, "/fhir", operation, views["", operation.name])


def _places(operation: Operation) -> list[str]:
    on_type = [""] if operation.on_type else []
    return on_type + (["/<id_>"] if operation.on_instance else [])


def _add(app: Flask, root: str, operation: Operation, view: View) -> None:
    rule = f"{root}/${operation.name}"
    app.add_url_rule(rule, f"operation {rule}", view, methods=operation.methods)


def _validate(site: Site, check_: Validate) -> View:
    def view() -> Response:
        choose_format()
        findings = check_(site, caller(), body())
        g.findings = findings
        return outcome(findings)

    return view


def _process_response(site: Site) -> View:
    def view() -> Response:
        choose_format()
        return resource(process_response.process_response(site, caller(), body()))

    return view


def _summary(site: Site) -> View:
    def view(id_: str) -> Response:
        must_be_id(id_)
        chosen = choose_format(SUMMARY_TYPES)
        made = summarise.summary(site, caller(), id_, _FORMS.get(chosen, "document"))
        if chosen in JSON_TYPES:
            return json_reply(made.body)
        reply = Response(made.body, 200, content_type=made.content_type)
        if chosen == "text/html":
            reply.headers["Content-Security-Policy"] = PAGE_POLICY
        return reply

    return view


def _ask(site: Site, ask: Ask, accepts: Mapping[str, Accepts]) -> View:
    """An operation on Parameters, given in a body, or in the address by GET."""

    def view(id_: str | None = None) -> Response:
        choose_format()
        parameters = _parameters(accepts)
        if id_ is not None:
            must_be_id(id_)
            parameters = _of_instance(site, parameters, id_)
        if "displayLanguage" in accepts:
            _add_language(parameters)
        return resource(ask(site, caller(), parameters))

    return view


def _parameters(accepts: Mapping[str, Accepts]) -> dict[str, Any]:
    if request.method == "POST":
        return read_json(body())
    return from_query(query_pairs(), accepts)


def _of_instance(site: Site, parameters: dict[str, Any], id_: str) -> dict[str, Any]:
    """The same Parameters, asked of the stored value set with this id."""
    if parameters.get("resourceType") != "Parameters":
        raise NotUnderstood("A Parameters resource is expected.", expression="Parameters")
    given = parameters.get("parameter", [])
    if any(isinstance(p, dict) and p.get("name") in ("url", "valueSet") for p in given):
        raise NotUnderstood("The address names the value set; leave out url and valueSet.")
    stored = reading.read(site, caller(), "ValueSet", id_)
    asked = {"name": "valueSet", "resource": read_json(stored.body)}
    return {**parameters, "parameter": [asked, *given]}


def _add_language(parameters: dict[str, Any]) -> None:
    """Ask for the displays that Accept-Language prefers, where no displayLanguage is given."""
    wanted = request.accept_languages.best
    given = parameters.get("parameter", [])
    if not wanted or wanted == "*" or not isinstance(given, list):
        return
    if any(isinstance(p, dict) and p.get("name") == "displayLanguage" for p in given):
        return
    parameters["parameter"] = [*given, {"name": "displayLanguage", "valueCode": wanted}]
