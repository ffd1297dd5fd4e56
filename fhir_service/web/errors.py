"""The one table from refusal to HTTP status; and what a fault tells the sender and the log.

http://hl7.org/fhir/R4/http.html#rejecting and http://hl7.org/fhir/R4/operationoutcome.html
"""

from __future__ import annotations

import secrets
import traceback
from collections.abc import Callable

from flask import Flask, Response, request
from werkzeug.exceptions import (
    HTTPException,
    MethodNotAllowed,
    NotFound,
)

from fhir_service.fhir.issues import (
    Conflict,
    Gone,
    Issue,
    NotAcceptable,
    NotAllowed,
    NotFinished,
    NotHere,
    NotOffered,
    NotSignedIn,
    NotThisFormat,
    NotUnderstood,
    NotValid,
    Refusal,
    Stale,
    TooLarge,
    TooMany,
    Unavailable,
)
from fhir_service.web import pages
from fhir_service.web.replies import outcome
from fhir_service.web.told import told

STATUS: dict[type[Refusal], int] = {
    NotUnderstood: 400,
    NotSignedIn: 401,
    NotAllowed: 403,
    NotHere: 404,
    NotOffered: 405,
    NotAcceptable: 406,
    Conflict: 409,
    Gone: 410,
    Stale: 412,
    TooLarge: 413,
    NotThisFormat: 415,
    NotValid: 422,
    TooMany: 429,
    NotFinished: 501,
    Unavailable: 503,
}

RETRY_AFTER_SECONDS = "2"

NOT_GOOD = 'Bearer realm="fhir_service", error="invalid_token"'
"""What a request with a token that is not good is told."""

_HINTS: dict[int, tuple[str, str]] = {
    401: ("WWW-Authenticate", 'Bearer realm="fhir_service"'),
    403: ("WWW-Authenticate", 'Bearer realm="fhir_service", error="insufficient_scope"'),
    429: ("Retry-After", RETRY_AFTER_SECONDS),
    503: ("Retry-After", RETRY_AFTER_SECONDS),
}

_MOST_CAUSES = 5

Line = Callable[..., None]


def status_of(refusal: Refusal) -> int:
    """The HTTP status of this refusal; a member of a member of the family has its parent's."""
    for kind in type(refusal).__mro__:
        if kind in STATUS:
            return STATUS[kind]
    return 400


def refused(refusal: Refusal) -> Response:
    """The answer to a request that was turned down: status, hints in headers, OperationOutcome."""
    status = status_of(refusal)
    told().findings = refusal.issues
    if told().page is not None:
        return pages.refused(refusal, status)
    reply = outcome(refusal.issues, status)
    if status in _HINTS:
        name, value = _HINTS[status]
        if isinstance(refusal, NotSignedIn) and "Authorization" in request.headers:
            value += ', error="invalid_token"'
        if isinstance(refusal, TooMany):
            value = str(refusal.retry_after_seconds)
        reply.headers[name] = value
    return reply


def places(fault: BaseException) -> list[str]:
    """Where it went wrong, outermost first: file and line of each step, none of its data."""
    steps = traceback.extract_tb(fault.__traceback__)
    return [f"{_short(step.filename)}:{step.lineno}" for step in steps]


def _short(filename: str) -> str:
    return "/".join(filename.replace("\\", "/").split("/")[-3:])


def _causes(fault: BaseException) -> list[str]:
    """The types of the fault and of what it came from; never their messages."""
    found: list[str] = []
    current: BaseException | None = fault
    while current is not None and len(found) < _MOST_CAUSES:
        found.append(type(current).__name__)
        current = current.__cause__ or current.__context__
    return found


def register(app: Flask, line: Line) -> None:
    """Answer every refusal, every HTTP error and every fault with an OperationOutcome.

    ``line`` writes one log line; of a fault it gets the ticket, the types and the places.
    """

    def on_http(error: HTTPException) -> Response:
        if isinstance(error, MethodNotAllowed):
            return _not_this_method(error)
        if isinstance(error, NotFound):
            return refused(_nothing_here())
        if told().page is not None:
            return pages.refused(
                NotUnderstood("The request is not valid HTTP."), error.code or 400
            )
        return outcome(
            (
                Issue(
                    key="not-understood", code="structure", says="The request is not valid HTTP."
                ),
            ),
            error.code or 400,
        )

    def on_fault(fault: Exception) -> Response:
        ticket = secrets.token_hex(6)
        line(
            "fault",
            ticket=ticket,
            types=_causes(fault),
            places=places(fault),
            request_id=told().request_id,
        )
        if told().page is not None:
            return pages.failed(ticket)
        says = f"Something went wrong here. Tell the operator of this server: ticket {ticket}."
        return outcome((Issue(key="fault", code="exception", says=says, severity="fatal"),), 500)

    app.register_error_handler(Refusal, refused)
    app.register_error_handler(HTTPException, on_http)
    app.register_error_handler(Exception, on_fault)


def _not_this_method(error: MethodNotAllowed) -> Response:
    allowed = ", ".join(sorted(error.valid_methods or ()))
    reply = refused(
        NotOffered(f"{request.method} is not offered at this address. Offered: {allowed}.")
    )
    reply.headers["Allow"] = allowed
    return reply


def _nothing_here() -> NotHere:
    if not request.path.startswith("/fhir"):
        return NotHere("There is nothing at this address.")
    says = (
        "This server has no such resource type, interaction or operation. "
        "What it has stands in /fhir/metadata."
    )
    return NotHere(says, Issue(key="not-supported", code="not-supported", says=says))
