"""What every request goes through: its id, safe headers, one log line, its figures; and health.

No path, no query string, no body and no id of a patient reaches log or figures.
"""

from __future__ import annotations

import re
from time import perf_counter

from flask import Flask, Response, g, request

from fhir_service.fhir.issues import Unavailable
from fhir_service.fhir.searching import Criterion, Search
from fhir_service.web.logs import Log
from fhir_service.web.metrics import CONTENT_TYPE, Metrics
from fhir_service.workflow.site import Site

_REQUEST_ID = re.compile(r"[A-Za-z0-9._\-]{1,64}")
_NOTHING = "default-src 'none'; frame-ancestors 'none'"
_PUBLISHED = Search("Questionnaire", (Criterion("status", "token", ("active",)),), count=1)


def register(app: Flask, site: Site, log: Log, metrics: Metrics) -> None:
    """Number every request before anything else, and log and count it after."""

    def begin() -> None:
        g.started = perf_counter()
        given = request.headers.get("X-Request-Id")
        g.request_id = given if given and _REQUEST_ID.fullmatch(given) else site.ids.new()

    def end(reply: Response) -> Response:
        headers = reply.headers
        headers["X-Request-Id"] = g.request_id
        headers["Cache-Control"] = "no-store"
        headers["X-Content-Type-Options"] = "nosniff"
        if "Content-Security-Policy" not in headers:
            headers["Content-Security-Policy"] = _NOTHING
        _tell(reply, log, metrics)
        return reply

    app.before_request(begin)
    app.after_request(end)


def _tell(reply: Response, log: Log, metrics: Metrics) -> None:
    rule = request.url_rule
    route = rule.rule if rule is not None else "none"
    seconds = perf_counter() - g.started
    keys = [issue.key for issue in g.get("findings", ())]
    metrics.request(_method(), route, reply.status_code, seconds)
    if keys:
        metrics.findings(keys)
    who = g.get("caller")
    log.line(
        "request",
        request_id=g.request_id,
        method=_method(),
        route=route,
        status=reply.status_code,
        ms=round(seconds * 1000, 1),
        client=who.client if who is not None else None,
        findings=sorted(set(keys)) or None,
    )


def _method() -> str:
    """The method, where it is one of HTTP's own; a sender can not put words into the log."""
    known = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
    return request.method if request.method in known else "other"


def register_health(app: Flask, site: Site, metrics: Metrics) -> None:
    """Add /healthz (the process answers), /readyz (the store too, forms published), /metrics."""

    def healthz() -> Response:
        return _plain("ok", 200)

    def readyz() -> Response:
        try:
            published = site.desk.reading().search(_PUBLISHED).found
        except Unavailable:
            return _plain("the store does not answer", 503)
        return _plain("ready", 200) if published else _plain("no form is published", 503)

    def figures() -> Response:
        return Response(metrics.text(), 200, content_type=CONTENT_TYPE)

    app.add_url_rule("/healthz", "healthz", healthz)
    app.add_url_rule("/readyz", "readyz", readyz)
    app.add_url_rule("/metrics", "metrics", figures)


def _plain(words: str, status: int) -> Response:
    return Response(words + "\n", status, content_type="text/plain;charset=utf-8")
