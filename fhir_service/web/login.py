"""/login: staff come in by their EHR, or by a code from the operator. There are no passwords."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final
from urllib.parse import urlencode

from flask import Flask, Response, request

from fhir_service.web import pages, sessions
from fhir_service.web.told import told
from fhir_service.web.tries import Tries
from fhir_service.workflow import login_codes
from fhir_service.workflow.launch_ports import Launchers
from fhir_service.workflow.site import Site

SUMMARY: Final = "/summary/"
AUTHORIZE: Final = "/auth/authorize?"


def register(app: Flask, site: Site, launchers: Callable[[], Launchers], tries: Tries) -> None:
    """Add /login."""

    def view() -> Response:
        if request.method != "POST":
            return _page(launchers())
        address = request.remote_addr or ""
        tries.must_may_try(address)
        begun = login_codes.redeem(site, request.form.get("code", ""), told().request_id)
        if begun is None:
            tries.wrong(address)
            return _page(launchers(), 403)
        reply = pages.go(wanted() or SUMMARY)
        sessions.start(reply, begun)
        return reply

    app.add_url_rule("/login", "login", view, methods=["GET", "POST"])


def wanted() -> str | None:
    """Where who logs in was going: a summary, or the page that asks what an app may do.

    Anything else in ``next`` could lead her to a site that looks like ours.
    """
    given = request.args.get("next", "")
    return given if given.startswith((AUTHORIZE, SUMMARY)) and given.isprintable() else None


def _page(launchers: Launchers, status: int = 200) -> Response:
    ehrs = [ehr for ehr in launchers.ehrs.values() if ehr.audience != "patients"]
    on = {"lang": pages.language(), "next": wanted()}
    query = urlencode({name: value for name, value in on.items() if value})
    return pages.page("login.html", status, ehrs=ehrs, wrong=status != 200, query=query)  # noqa: PLR2004
