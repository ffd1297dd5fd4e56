"""/launch: an EHR or a portal sends a browser here, and it comes back signed in.

https://hl7.org/fhir/smart-app-launch/app-launch.html
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final, cast

from flask import Flask, Response, current_app, request

from fhir_service.fhir.issues import Issue
from fhir_service.smart.launch import LaunchFailed, Trouble
from fhir_service.web import pages, sessions
from fhir_service.web.told import told
from fhir_service.workflow import launch
from fhir_service.workflow.launch_ports import Launchers
from fhir_service.workflow.site import Site

FORMS: Final = "/forms/"
SUMMARY: Final = "/summary/"

_EXTENSION: Final = "fhir_service.launchers"

_STATUS: Final[dict[Trouble, int]] = {"not-reachable": 503, "unknown-ehr": 400, "no-smart": 502}


def register(app: Flask, site: Site, launchers: Callable[[], Launchers]) -> None:
    """Add /launch and its callback."""
    app.extensions[_EXTENSION] = launchers

    def begin() -> Response:
        known, iss = launchers(), request.args.get("iss")
        if iss is None and len(known.ehrs) == 1:
            iss = next(iter(known.ehrs))
        if iss is None:
            return pages.page("launch.html", ehrs=list(known.ehrs.values()))
        try:
            where = launch.begin(
                site, known, iss, request.args.get("launch") or None, sessions.visitor()
            )
        except LaunchFailed as failed:
            return _failed(failed)
        return Response(status=pages.SEE_OTHER, headers={"Location": where})

    def callback() -> Response:
        given = request.args
        returned = launch.Returned(
            given.get("state", ""), given.get("code"), "error" in given, given.get("iss")
        )
        try:
            begun = launch.finish(
                site, launchers(), returned, sessions.visitor(), told().request_id
            )
        except LaunchFailed as failed:
            return _failed(failed)
        reply = pages.go(FORMS if begun.session.kind == "patient" else SUMMARY)
        sessions.start(reply, begun)
        return reply

    app.add_url_rule("/launch", "launch", begin)
    app.add_url_rule(launch.CALLBACK, "launch-callback", callback)


def with_chart(site: Site) -> Site:
    """The site, its EHR read with the token of this session, where that is how it is read."""
    account = told()
    if account.session is None or account.secret is None or account.session.ehr is None:
        return site
    launchers = cast("Callable[[], Launchers]", current_app.extensions[_EXTENSION])
    chart = launch.chart_of(site, launchers(), account.session, account.secret)
    return site if chart is None else replace(site, ehr=chart)


def _failed(failed: LaunchFailed) -> Response:
    """The launch in plain words; the log gets its key."""
    told().findings = (Issue(key=f"launch-{failed.kind}", code="login", says=""),)
    return pages.page("launch_failed.html", _STATUS.get(failed.kind, 403), kind=failed.kind)
