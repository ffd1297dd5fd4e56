"""The OpenAPI description, made of the routes themselves: what is here stands there.

FHIR's own description is /fhir/metadata; this one is for tools that know HTTP and not FHIR.
https://spec.openapis.org/oas/v3.1.0
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import Any, Final

import orjson
from flask import Flask, Response
from werkzeug.routing import Rule

from fhir_service import __version__
from fhir_service.fhir.search_parameters import parameters_of
from fhir_service.web.guard import CDS, CLIENTS, OPEN
from fhir_service.web.negotiation import FHIR_JSON
from fhir_service.web.page_table import PAGES
from fhir_service.workflow.site import Site

_PLACE = re.compile(r"<(?:(?P<kind>[a-z]+)(?:\([^)]*\))?:)?(?P<name>[a-z_]+)>")
_ID: Final = {"type": "string", "pattern": r"^[A-Za-z0-9\-.]{1,64}$"}
_METHODS: Final = ("GET", "POST", "PUT", "DELETE")
_FORM: Final = "application/x-www-form-urlencoded"
_JSON: Final = "application/json"
_OUTCOME: Final = {"$ref": "#/components/schemas/OperationOutcome"}

_ANSWERS: Final[dict[str, tuple[str, ...]]] = {
    "jwks": (_JSON,),
    "cds-services": (_JSON,),
    "cds-call": (_JSON,),
    "cds-feedback": (_JSON,),
    "ehr-jwks": (_JSON,),
    "smart-configuration": (_JSON,),
    "token": (_JSON,),
    "introspect": (_JSON,),
    "revoke": (_JSON,),
    "openapi": (_JSON,),
    "metrics": ("text/plain",),
}
_SUMMARY: Final = (FHIR_JSON, _JSON, "text/html", "text/plain", "application/pdf")
_FORM_FIELDS: Final[dict[str, tuple[str, ...]]] = {
    "token": ("grant_type", "scope", "code", "redirect_uri", "client_id", "code_verifier",
              "refresh_token", "client_assertion_type", "client_assertion"),
    "introspect": ("token", "client_assertion_type", "client_assertion"),
    "revoke": ("token", "client_id", "client_assertion_type", "client_assertion"),
}  # fmt: skip


def register(app: Flask, site: Site) -> None:
    """Add /openapi.json; it is made when it is first asked for."""

    @cache
    def made() -> bytes:
        return orjson.dumps(description(app, site.base_url))

    def view() -> Response:
        return Response(made(), 200, content_type=_JSON)

    app.add_url_rule("/openapi.json", "openapi", view)


def description(app: Flask, base_url: str) -> dict[str, Any]:
    """The description of every route but the pages for people, and what is not built yet."""
    from apispec import APISpec  # noqa: PLC0415  keeps the start quick

    spec = APISpec(
        title="fhir_service",
        version=__version__,
        openapi_version="3.1.0",
        info={"description": "Questionnaires, their answers and summaries over FHIR R4."},
        servers=[{"url": base_url}],
    )
    spec.components.schema("OperationOutcome", _resource("OperationOutcome"))
    spec.components.schema("Resource", _resource(None))
    spec.components.schema("Error", _error())
    spec.components.security_scheme("token", {"type": "http", "scheme": "bearer"})
    for path, rules in _by_path(app).items():
        operations = {
            method.lower(): _operation(rule, method)
            for rule in rules
            for method in _METHODS
            if method in (rule.methods or ())
        }
        spec.path(path=path, operations=operations)
    said: dict[str, Any] = spec.to_dict()
    return said


def _by_path(app: Flask) -> dict[str, list[Rule]]:
    found: dict[str, list[Rule]] = {}
    for rule in app.url_map.iter_rules():
        hidden = rule.endpoint in PAGES or rule.endpoint.startswith(("planned ", "static"))
        if not hidden:
            found.setdefault(_PLACE.sub(r"{\g<name>}", rule.rule), []).append(rule)
    return found


def _operation(rule: Rule, method: str) -> dict[str, Any]:
    is_open = rule.endpoint in OPEN or rule.endpoint in CLIENTS
    made: dict[str, Any] = {
        "operationId": f"{method} {rule.rule} {rule.endpoint}",
        "summary": rule.endpoint,
        "parameters": [*_in_path(rule), *_in_query(rule, method)],
        "responses": _responses(rule),
        "security": [] if is_open else [{"token": []}],
    }
    body = _body(rule, method)
    return made | ({"requestBody": body} if body else {})


def _in_path(rule: Rule) -> Iterator[dict[str, Any]]:
    for match in _PLACE.finditer(rule.rule):
        numbered = match["kind"] == "int"
        schema = {"type": "integer", "minimum": 1, "maximum": 999_999_999} if numbered else _ID
        yield {"name": match["name"], "in": "path", "required": True, "schema": schema}


def _in_query(rule: Rule, method: str) -> Iterator[dict[str, Any]]:
    if method != "GET" or not rule.rule.startswith("/fhir/"):
        return
    kind, _, interaction = rule.endpoint.partition(" ")
    if interaction == "search":
        for parameter in parameters_of(kind):
            yield _query(parameter.name, "string", parameter.definition)
        yield _query("_total", "string", "accurate, estimate or none")
    if interaction == "search" or interaction.startswith("history"):
        yield _query("_count", "integer", "how many at most on one page")


def _query(name: str, kind: str, says: str) -> dict[str, Any]:
    return {"name": name, "in": "query", "description": says, "schema": {"type": kind}}


def _body(rule: Rule, method: str) -> dict[str, Any] | None:
    if method in ("GET", "DELETE"):
        return None
    if rule.endpoint in _FORM_FIELDS:
        fields = {name: {"type": "string"} for name in _FORM_FIELDS[rule.endpoint]}
        return _content(_FORM, {"type": "object", "properties": fields})
    if rule.rule.endswith("/_search"):
        kind = rule.endpoint.partition(" ")[0]
        names = {parameter.name: {"type": "string"} for parameter in parameters_of(kind)}
        return _content(_FORM, {"type": "object", "properties": names})
    if rule.endpoint in CDS:
        return _content(_JSON, {"type": "object"})
    return _content(FHIR_JSON, {"$ref": "#/components/schemas/Resource"})


def _content(media: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"required": True, "content": {media: {"schema": schema}}}


def _responses(rule: Rule) -> dict[str, Any]:
    """What a route answers: one good answer, and one refusal for all that it turns down."""
    types: tuple[str, ...] = (FHIR_JSON, _JSON)
    if rule.endpoint in _ANSWERS:
        types = _ANSWERS[rule.endpoint]
    elif rule.rule.endswith("/$summary"):
        types = _SUMMARY
    elif not rule.rule.startswith("/fhir"):
        types = (_JSON, "text/plain", FHIR_JSON)
    refusals = {key: {"schema": _OUTCOME} for key in (FHIR_JSON, _JSON)}
    if rule.endpoint in CLIENTS:
        refusals = {_JSON: {"schema": {"$ref": "#/components/schemas/Error"}}}
    good: dict[str, Any] = {media: {"schema": {}} for media in types}
    return {
        "2XX": {"description": "Done.", "content": good},
        "default": {"description": "Turned down, with the reason.", "content": refusals},
    }


def _resource(kind: str | None) -> dict[str, Any]:
    named = {"const": kind} if kind else {"type": "string", "pattern": "^[A-Z][A-Za-z]{1,40}$"}
    return {
        "type": "object",
        "required": ["resourceType"],
        "properties": {"resourceType": named},
    }


def _error() -> dict[str, Any]:
    texts = {"error": {"type": "string"}, "error_description": {"type": "string"}}
    return {"type": "object", "required": ["error"], "properties": texts}
