"""The CapabilityStatement, made from the same table as the routes.

http://hl7.org/fhir/R4/capabilitystatement.html
"""

from __future__ import annotations

from typing import Any

from flask import Flask, Response, request

from fhir_service.fhir.search_parameters import (
    SearchParameter,
    has_provenance,
    includes_of,
    parameters_of,
    without_column,
)
from fhir_service.fhir.splice import instant
from fhir_service.web.receiving import choose_format
from fhir_service.web.replies import as_bytes, json_reply
from fhir_service.web.table import OFFERS, SYSTEM_OPERATIONS, Offer, Operation
from fhir_service.workflow.site import Site

INSTANTIATES = (
    "http://hl7.org/fhir/uv/sdc/CapabilityStatement/sdc-form-fill-manager",
    "http://hl7.org/fhir/uv/sdc/CapabilityStatement/sdc-form-receiver",
)
"""The SDC roles whose every SHALL is met.

Form Manager is not claimed: it asks for the ``content-mode`` parameter of CodeSystem. Form
Response Manager builds on it.
https://hl7.org/fhir/uv/sdc/STU4/artifacts.html
"""

_OAUTH_URIS = "http://fhir-registry.smarthealthit.org/StructureDefinition/oauth-uris"
_SMART = "http://terminology.hl7.org/CodeSystem/restful-security-service"


def capability_statement(site: Site, *, cors: bool = False) -> dict[str, Any]:
    """What this server does, as FHIR R4 JSON; ``date`` is the moment of the call."""
    return {
        "resourceType": "CapabilityStatement",
        "name": "FhirService",
        "title": "fhir_service",
        "status": "active",
        "experimental": False,
        "date": instant(site.clock.now()),
        "publisher": "The operator of this server",
        "description": (
            "Takes patients' answers to Questionnaires, checks them against every rule of the "
            "exact form version, keeps them byte for byte, and summarises them for the oncologist."
        ),
        "kind": "instance",
        "instantiates": list(INSTANTIATES),
        "software": {"name": "fhir_service", "version": site.software_version or "unknown"},
        "implementation": {"description": "fhir_service", "url": f"{site.base_url}/fhir"},
        "fhirVersion": "4.0.1",
        "format": ["json", "application/fhir+json"],
        "rest": [
            {
                "mode": "server",
                "documentation": (
                    "Prefer (return, handling), If-Match, If-None-Match, If-Modified-Since, "
                    "If-None-Exist, _format, _pretty, _summary, _elements, _count, _total and "
                    "_sort are honoured; searches go by GET and by POST; bodies may come and go "
                    "as gzip. JSON only."
                ),
                "security": _security(site, cors=cors),
                "resource": [_resource(offer) for offer in OFFERS],
                "interaction": [
                    {"code": "transaction"},
                    {"code": "batch"},
                    {"code": "history-system"},
                ],
                "operation": [_operation(o) for o in SYSTEM_OPERATIONS],
            }
        ],
    }


def _security(site: Site, *, cors: bool) -> dict[str, Any]:
    """What is needed to come in; older clients find the endpoints here, not by SMART's document.

    https://hl7.org/fhir/smart-app-launch/1.0.0/conformance/index.html
    """
    coding = {"system": _SMART, "code": "SMART-on-FHIR", "display": "SMART-on-FHIR"}
    places = [{"url": name, "valueUri": url} for name, url in site.oauth_endpoints.items()]
    return {
        **({"extension": [{"url": _OAUTH_URIS, "extension": places}]} if places else {}),
        "cors": cors,
        "service": [{"coding": [coding]}],
        "description": (
            "Every request but /metadata needs a bearer token with SMART scopes; how to get one "
            "stands in /.well-known/smart-configuration. A token of the patient level reaches "
            "its own patient only."
        ),
    }


def _resource(offer: Offer) -> dict[str, Any]:
    made: dict[str, Any] = {
        "type": offer.resource_type,
        "documentation": offer.documentation,
        "interaction": [{"code": code} for code in offer.interactions()],
        "versioning": "versioned-update",
        "readHistory": True,
        "updateCreate": offer.update is not None and offer.update_create,
        "conditionalCreate": offer.create is not None,
        "conditionalRead": "full-support",
        "conditionalUpdate": bool(offer.create and offer.update and offer.update_create),
        "conditionalDelete": "not-supported",
        "searchInclude": [f"{offer.resource_type}:{n}" for n in includes_of(offer.resource_type)],
        "searchRevInclude": (["Provenance:target"] if has_provenance(offer.resource_type) else []),
        "searchParam": [_searched_by(p) for p in parameters_of(offer.resource_type)],
    }
    for name in ("searchInclude", "searchRevInclude"):
        if not made[name]:
            del made[name]
    if offer.operations:
        made["operation"] = [_operation(operation) for operation in offer.operations]
    return made


def _searched_by(parameter: SearchParameter) -> dict[str, Any]:
    """A search parameter; R4 has no member for its modifiers, sorting and chains, so words do."""
    modifiers = (*parameter.modifiers, *parameter.targets)
    said = [f"Modifiers: {', '.join(f':{one}' for one in modifiers)}."] if modifiers else []
    said += ["Sorts, by _sort."] if parameter.sortable else []
    if parameter.leads_to_a_form:
        chains = (f"{parameter.name}.{p.name}" for p in without_column("Questionnaire"))
        said += [f"Chains: {', '.join(chains)}."]
    return {
        "name": parameter.name,
        "definition": parameter.definition,
        "type": parameter.kind,
        **({"documentation": " ".join(said)} if said else {}),
    }


def _operation(operation: Operation) -> dict[str, Any]:
    return {"name": operation.name, "definition": operation.definition}


def register(app: Flask, site: Site, *, cors: bool = False) -> None:
    """Add /fhir/metadata, made once at the start."""
    made = as_bytes(capability_statement(site, cors=cors))

    def view() -> Response:
        choose_format()
        mode = request.args.get("mode", "full")
        return json_reply(made if mode in ("full", "normative") else as_bytes(_terminology(site)))

    app.add_url_rule("/fhir/metadata", "metadata", view)


def _terminology(site: Site) -> dict[str, Any]:
    """The TerminologyCapabilities that ``mode=terminology`` asks for.

    http://hl7.org/fhir/R4/terminologycapabilities.html
    """
    return {
        "resourceType": "TerminologyCapabilities",
        "status": "active",
        "date": instant(site.clock.now()),
        "kind": "instance",
        "software": {"name": "fhir_service", "version": site.software_version or "unknown"},
        "implementation": {"description": "fhir_service", "url": f"{site.base_url}/fhir"},
        "codeSearch": "explicit",
        "validateCode": {"translations": False},
        "expansion": {"hierarchical": False, "paging": True, "incomplete": False},
    }
