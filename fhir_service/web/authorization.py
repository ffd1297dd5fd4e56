"""The token endpoint, introspection and revocation as HTTP.

Every answer here is OAuth's JSON, errors too, and nothing of it may be kept by a cache.
https://www.rfc-editor.org/rfc/rfc6749#section-5
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Final

import orjson
from flask import Flask, Response, request

from fhir_service.fhir.issues import Issue, Refusal, TooMany, Unavailable
from fhir_service.web import authorize
from fhir_service.web.errors import RETRY_AFTER_SECONDS, status_of
from fhir_service.web.limits import Limit
from fhir_service.web.receiving import form_pairs
from fhir_service.web.told import told

if TYPE_CHECKING:
    from fhir_service.workflow.oauth.authority import Authority
    from fhir_service.workflow.oauth.requests import Answer, Asked
    from fhir_service.workflow.oauth.server import Server

JSON: Final = "application/json"

_REFUSED: Final = 400
_UNAUTHORIZED: Final = 401
_CODES: Final[dict[type[Refusal], str]] = {
    Unavailable: "temporarily_unavailable",
    TooMany: "temporarily_unavailable",
}


def register(app: Flask, authority: Callable[[], Authority], limit: Limit) -> None:
    """Add /auth/token, /auth/introspect, /auth/revoke, and what a person sees of them.

    ``limit`` is how often one address may ask.
    """

    @cache
    def server() -> Server:
        from fhir_service.workflow.oauth.server import Server  # noqa: PLC0415  keeps the start quick

        return Server(authority())

    def token() -> Response:
        return _answered(limit, lambda asked: server().token(asked))

    def introspect() -> Response:
        return _answered(limit, lambda asked: server().introspect(asked))

    def revoke() -> Response:
        return _answered(limit, lambda asked: server().revoke(asked))

    authorize.register(app, server, limit)
    app.add_url_rule("/auth/token", "token", token, methods=("POST",))
    app.add_url_rule("/auth/introspect", "introspect", introspect, methods=("POST",))
    app.add_url_rule("/auth/revoke", "revoke", revoke, methods=("POST",))


def _answered(limit: Limit, answer: Callable[[Asked], Answer]) -> Response:
    from fhir_service.workflow.oauth.requests import Asked  # noqa: PLC0415  keeps the start quick

    authorization = request.environ.get("HTTP_AUTHORIZATION")
    try:
        limit.must_pass(request.remote_addr or "")
        asked = Asked(request.method, form_pairs(), authorization)
        made = answer(asked)
        if made.status < _REFUSED:  # who it says it is was shown
            told().client = getattr(asked.client, "client_id", None)
    except Refusal as refusal:
        return refused(refusal)
    reply = json_reply(made.body, made.status)
    if made.status >= _REFUSED:
        _tell(str(made.body.get("error")))
    if made.status == _UNAUTHORIZED and authorization:
        reply.headers["WWW-Authenticate"] = 'Basic realm="fhir_service"'
    return reply


def refused(refusal: Refusal) -> Response:
    """A refusal of ours as OAuth tells it."""
    from fhir_service.workflow.oauth.requests import sayable  # noqa: PLC0415  keeps the start quick

    code = _CODES.get(type(refusal), "invalid_request")
    status = status_of(refusal)
    _tell(code)
    reply = json_reply({"error": code, "error_description": sayable(refusal.says)}, status)
    if type(refusal) in _CODES:
        wait = str(refusal.retry_after_seconds) if isinstance(refusal, TooMany) else None
        reply.headers["Retry-After"] = wait or RETRY_AFTER_SECONDS
    return reply


def json_reply(body: object, status: int) -> Response:
    """JSON that no cache keeps (the gate says no-store to all)."""
    return Response(orjson.dumps(body), status, content_type=JSON, headers={"Pragma": "no-cache"})


def _tell(code: str) -> None:
    """For log line and figures: the OAuth error, which quotes nothing."""
    told().findings = (Issue(key=f"oauth-{code.replace('_', '-')}", code="login", says=""),)
