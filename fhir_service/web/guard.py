"""Who asks: every address but a few named ones needs a bearer token; what is not named is closed.

Pages for people at a browser ask for a session instead (page_table.py).
https://www.rfc-editor.org/rfc/rfc6750 section 2.1
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager

from flask import Flask, request

from fhir_service.fhir.issues import NotSignedIn
from fhir_service.web import sessions
from fhir_service.web.languages import language_asked
from fhir_service.web.limits import Limits
from fhir_service.web.page_table import BY_TOKEN_TOO, PAGE_PLACES, PAGES, Page
from fhir_service.web.told import Told, told
from fhir_service.workflow.caller import Caller
from fhir_service.workflow.sign_in import Door

OPEN = frozenset(
    {
        "metadata",
        "smart-configuration",
        "jwks",
        "cds-services",
        "ehr-jwks",
        "openapi",
        "healthz",
        "readyz",
        "metrics",
        "static-file",
    }
)
"""The endpoints that answer without a token; none of them knows anything of a patient."""

CLIENTS = frozenset({"token", "introspect", "revoke"})
"""The endpoints where a client shows who it is in its own way, by assertion or secret."""

CDS = frozenset({"cds-call", "cds-feedback"})
"""The endpoints where an EHR signs every call itself; our access tokens open none of them."""

CdsDoor = Callable[[str, str, str], Caller]
"""JWT, the address that is called, request id; the caller, or NotSignedIn."""


def bearer(header: str | None) -> str:
    """The token in an Authorization header. Raises NotSignedIn when there is none."""
    scheme, _, token = (header or "").partition(" ")
    token = token.strip()
    if scheme.lower() != "bearer" or not token:
        raise NotSignedIn("This address needs an access token: Authorization: Bearer <token>.")
    return token


def caller() -> Caller:
    """Who asks in this request, as the guard found."""
    found = told().caller
    if found is None:  # an open address asked for its caller: closed is the safe side
        raise NotSignedIn("This address needs an access token.")
    return found


def _by_token(endpoint: str) -> bool:
    """Whether this page is asked for by a program, which shows a token."""
    return endpoint in BY_TOKEN_TOO and "HTTP_AUTHORIZATION" in request.environ


def _who(door: Door, cds_door: CdsDoor, limits: Limits) -> Callable[[str, Told], Caller]:
    """How the caller is known by what stands in the Authorization header."""

    def looking_closer() -> AbstractContextManager[None]:
        """Of tokens not known yet the bad are counted: their sender's are then not looked at."""
        return limits.bad_tokens.only(NotSignedIn, request.remote_addr or "")

    def found(token: str, account: Told) -> Caller:
        if account.endpoint not in CDS:
            return door.caller(token, account.request_id, language_asked(), looking_closer)
        with looking_closer():
            return cds_door(token, request.path, account.request_id)

    return found


def register(
    app: Flask,
    door: Door,
    limits: Limits,
    must_take_notes: Callable[[], None],
    cds_door: CdsDoor,
) -> None:
    """Ask for a token before every request but those to OPEN endpoints; unknown addresses too.

    ``must_take_notes`` raises Unavailable while the audit can not be written: then nothing is
    given out.
    """
    who = _who(door, cds_door, limits)

    def guard() -> None:
        account, rule = told(), request.url_rule
        account.address = request.environ.get("REMOTE_ADDR")
        if rule is not None:
            account.route, account.endpoint = rule.rule, rule.endpoint
            if request.method == "OPTIONS":
                account.endpoint = "options"
            account.resource_id = (request.view_args or {}).get("id_")
            if rule.endpoint in OPEN or rule.endpoint in CLIENTS:
                return
            must_take_notes()
            page = PAGES.get(rule.endpoint)
            if page is not None and not _by_token(rule.endpoint):
                sessions.enter(page)
                if account.caller is not None:
                    limits.must_let(account.caller)
                return
        elif request.path.startswith(PAGE_PLACES):
            account.page = Page("open")  # what there is not is told as a page there
            return
        token = bearer(request.environ.get("HTTP_AUTHORIZATION"))
        caller = who(token, account)
        caller.trail.address = account.address
        account.caller = caller
        limits.must_let(caller)

    app.before_request(guard)
