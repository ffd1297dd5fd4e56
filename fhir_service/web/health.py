"""/healthz, /readyz and /metrics: whether the process answers, the store answers, and how it goes.

https://kubernetes.io/docs/concepts/configuration/liveness-readiness-startup-probes/
"""

from __future__ import annotations

from flask import Flask, Response

from fhir_service.fhir.issues import Unavailable
from fhir_service.web.metrics import CONTENT_TYPE, Metrics
from fhir_service.workflow.site import Site


def register(app: Flask, site: Site, metrics: Metrics) -> None:
    """Add the three addresses. Ready means: our own store answers, and a form is published."""

    def healthz() -> Response:
        return _plain("ok", 200)

    def readyz() -> Response:
        try:
            published = site.desk.offers_forms()
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
