"""The operations as HTTP: of forms and responses, $process-response, those of terminology.

http://hl7.org/fhir/R4/operations.html
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from flask import Flask, Response, request

from fhir_service.fhir.issues import Issue
from fhir_service.fhir.parameters import Accepts, from_query, parameters, read_parameters
from fhir_service.fhir.reading import read_json
from fhir_service.web.guard import caller
from fhir_service.web.negotiation import FACTS, JSON_TYPES
from fhir_service.web.receiving import body, choose_format, query_pairs
from fhir_service.web.replies import Reply, json_reply, outcome, resource
from fhir_service.web.resources import must_be_id
from fhir_service.web.table import OFFERS, SYSTEM_OPERATIONS, Operation
from fhir_service.web.told import told
from fhir_service.workflow import (
    check,
    link_operations,
    process_response,
    summarise,
    terminology,
)
from fhir_service.workflow.caller import Caller
from fhir_service.workflow.site import Site

View = Callable[..., Response]
Validate = Callable[[Site, Caller, bytes], tuple[Issue, ...]]
Ask = Callable[[Caller, dict[str, Any], str | None], dict[str, Any]]

SUMMARY_TYPES = (*JSON_TYPES, "text/html", "text/plain", "application/pdf", FACTS)

_FORMS: dict[str, summarise.Format] = {
    "text/html": "html",
    "text/plain": "text",
    "application/pdf": "pdf",
    FACTS: "facts",
}

PAGE_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'none'"
)
"""For the HTML of a summary: its own style, and nothing else."""


def register(app: Flask, site: Site) -> None:
    """Add the routes of every operation in the table."""
    views: dict[tuple[str, str], View] = {
        ("Questionnaire", "validate"): _validate(site, check.questionnaire),
        ("Questionnaire", "populate"): _populate(site),
        ("Questionnaire", "create-link"): _ask(
            lambda who, given, _: link_operations.create(site, who, given), link_operations.CREATE
        ),
        ("Questionnaire", "revoke-link"): _ask(
            lambda who, given, _: link_operations.revoke(site, who, given), link_operations.REVOKE
        ),
        ("Task", "create-link"): _ask(
            lambda who, given, id_: link_operations.of_task(site, who, id_ or "", given),
            link_operations.FOR_TASK,
        ),
        ("QuestionnaireResponse", "validate"): _validate(site, check.response),
        ("QuestionnaireResponse", "extract"): _extract(site),
        ("QuestionnaireResponse", "summary"): _summary(site),
        ("ValueSet", "expand"): _ask(
            lambda who, given, id_: terminology.expand(site, who, given, id_), terminology.EXPAND
        ),
        ("ValueSet", "validate-code"): _ask(
            lambda who, given, id_: terminology.validate_code(site, who, given, id_),
            terminology.VALIDATE_CODE,
        ),
        ("CodeSystem", "lookup"): _ask(
            lambda who, given, _: terminology.lookup(site, who, given), terminology.LOOKUP
        ),
        ("ConceptMap", "translate"): _translate(site),
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
        told().findings = findings
        return outcome(findings)

    return view


POPULATE: Mapping[str, Accepts] = {
    "questionnaire": Accepts("canonical"),
    "canonical": Accepts("canonical"),
    "subject": Accepts("string"),
    "local": Accepts("boolean"),
}
"""What $populate can be asked for by GET; ``subject`` is then the reference itself, Patient/1."""


def _populate(site: Site) -> View:
    def ask(who: Caller, given: dict[str, Any], id_: str | None) -> dict[str, Any]:
        from fhir_service.workflow.population_asked import (  # noqa: PLC0415  a quick start
            populated,
        )

        return populated(site, who, given, id_)

    return _ask(ask, POPULATE)


EXTRACT: Mapping[str, Accepts] = {
    "provenance": Accepts("boolean"),
    "conditional": Accepts("boolean"),
}
"""What $extract can be asked for by GET, of a stored response."""


def _extract(site: Site) -> View:
    def ask(who: Caller, given: dict[str, Any], id_: str | None) -> dict[str, Any]:
        from fhir_service.workflow.extract import extracted  # noqa: PLC0415  a quick start

        return extracted(site, who, given, id_)

    return _ask(ask, EXTRACT)


TRANSLATE: Mapping[str, Accepts] = {
    **{name: Accepts("uri") for name in ("url", "system", "source", "target", "targetsystem")},
    "conceptMap": Accepts("resource"),
    "conceptMapVersion": Accepts("string"),
    "code": Accepts("code"),
    "version": Accepts("string"),
    "coding": Accepts("Coding"),
    "codeableConcept": Accepts("CodeableConcept"),
    "reverse": Accepts("boolean"),
}
"""The parameters of $translate, http://hl7.org/fhir/R4/conceptmap-operation-translate.html"""


def _translate(site: Site) -> View:
    def ask(who: Caller, given: dict[str, Any], id_: str | None) -> dict[str, Any]:
        from fhir_service.workflow.translate import translated  # noqa: PLC0415  a quick start

        return translated(site, who, read_parameters(given, TRANSLATE), id_)

    return _ask(ask, TRANSLATE)


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
        reply = Reply(made.body, 200, content_type=made.content_type)
        if chosen == "text/html":
            reply.headers["Content-Security-Policy"] = PAGE_POLICY
        return reply

    return view


def _ask(ask: Ask, accepts: Mapping[str, Accepts]) -> View:
    """An operation on Parameters, given in a body, or in the address by GET."""

    def view(id_: str | None = None) -> Response:
        choose_format()
        given = _parameters(accepts)
        if id_ is not None:
            must_be_id(id_)
        if "displayLanguage" in accepts:
            _add_language(given)
        return resource(ask(caller(), given, id_))

    return view


def _parameters(accepts: Mapping[str, Accepts]) -> dict[str, Any]:
    if request.method != "POST":
        return from_query(query_pairs(), accepts)
    if not request.content_length and not request.content_type:
        return parameters()  # an operation whose parameters are all left out
    return read_json(body())


def _add_language(parameters: dict[str, Any]) -> None:
    """Ask for the displays that Accept-Language prefers, where no displayLanguage is given."""
    wanted = request.accept_languages.best
    given = parameters.get("parameter", [])
    if not wanted or wanted == "*" or not isinstance(given, list):
        return
    if any(isinstance(p, dict) and p.get("name") == "displayLanguage" for p in given):
        return
    parameters["parameter"] = [*given, {"name": "displayLanguage", "valueCode": wanted}]
