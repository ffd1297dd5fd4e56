"""/cds-services: the chart asks, and is given a card that leads to the summary, or nothing.

https://cds-hooks.hl7.org/2.0/
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

import orjson
from flask import Flask, Response

from fhir_service.fhir.reading import read_json
from fhir_service.web.guard import CdsDoor, caller
from fhir_service.web.receiving import body
from fhir_service.web.summary_pages import address_of
from fhir_service.workflow.caller import Caller
from fhir_service.workflow.launch_ports import Launchers
from fhir_service.workflow.site import Site

if TYPE_CHECKING:
    from fhir_service.cds.cards import Ways
    from fhir_service.workflow.oauth.authority import Authority

PLACE: Final = "/cds-services"
_LAUNCH: Final = "/launch"
_FORGIVEN: Final = ("json-empty", "json-null", "json-blank-string")
"""A call is no resource: prefetch may hold null, and is sent empty where we ask for nothing."""


def door(site: Site, authority: Callable[[], Authority]) -> CdsDoor:
    """How the guard finds out who signed a call of one of the addresses below."""

    def caller_of(token: str, path: str, request_id: str) -> Caller:
        from fhir_service.workflow.oauth import cds_client  # noqa: PLC0415  keeps the start quick

        return cds_client.caller_of(authority(), token, f"{site.base_url}{path}", request_id)

    return caller_of


def register(app: Flask, site: Site, launchers: Callable[[], Launchers]) -> None:
    """Add the discovery, the services and their feedback."""

    def ways(response: str, launches: bool) -> Ways:
        from fhir_service.cds.cards import Ways  # noqa: PLC0415  keeps the start quick

        launch = f"{site.base_url}{_LAUNCH}" if launches else None
        return Ways(address_of(site.base_url, response), launch)

    def discovery() -> Response:
        from fhir_service.cds.services import discovery  # noqa: PLC0415  keeps the start quick

        return _json(discovery())

    def call(service: str) -> Response:
        from fhir_service.cds.services import read_call, service_of  # noqa: PLC0415
        from fhir_service.workflow.advise import advise  # noqa: PLC0415

        called = read_call(service_of(service), _sent(site))
        return _json(advise(site, caller(), launchers(), called, ways))

    def feedback(service: str) -> Response:
        from fhir_service.cds.services import read_feedback, service_of  # noqa: PLC0415

        service_of(service)
        counted = read_feedback(_sent(site))
        who = caller()
        who.trail.query = "&".join(f"{outcome}={number}" for outcome, number in counted.items())
        return Response(b"", 200, content_type="application/json")

    app.add_url_rule(PLACE, "cds-services", discovery)
    app.add_url_rule(f"{PLACE}/<service>", "cds-call", call, methods=("POST",))
    app.add_url_rule(f"{PLACE}/<service>/feedback", "cds-feedback", feedback, methods=("POST",))


def _sent(site: Site) -> dict[str, Any]:
    return read_json(body(), max_depth=site.max_json_depth, forgiven=_FORGIVEN)


def _json(said: object) -> Response:
    return Response(orjson.dumps(said), 200, content_type="application/json")
