"""The doors put together: one Flask application for one installation.

https://flask.palletsprojects.com/en/stable/patterns/appfactories/
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Flask

from fhir_service.web import (
    authorization,
    batches,
    discovery,
    ehr_jwks,
    errors,
    guard,
    health,
    hooks,
    launch,
    link_pages,
    login,
    logs,
    metadata,
    openapi,
    operations,
    outbox_page,
    resources,
    sessions,
    static_files,
    summary_pages,
    ways_in,
)
from fhir_service.web.auditing import Auditing
from fhir_service.web.envelope import Envelope
from fhir_service.web.filling import doors
from fhir_service.web.gate import Gate
from fhir_service.web.limits import Limits
from fhir_service.web.metrics import Metrics
from fhir_service.web.proxies import Proxies
from fhir_service.web.replies import Reply
from fhir_service.web.safety import Safety
from fhir_service.web.tries import Tries
from fhir_service.web.turnstile import Turnstile
from fhir_service.wiring import Service


class Doors(Flask):
    """Flask, where every view is a plain function and every reply one of ours."""

    response_class = Reply

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:  # type: ignore[explicit-override]
        """The function itself: none of ours is a coroutine, and asking costs on every request."""
        return func


def create_app(service: Service, log: logs.Log | None = None) -> Flask:
    """The WSGI application of this service; ``log`` is standard error unless given."""
    site, settings = service.site, service.settings
    app = Doors("fhir_service", static_folder=None, template_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = settings.max_body_bytes
    app.url_map.strict_slashes = False
    app.url_map.merge_slashes = False
    log = log or logs.on_standard_error(settings.log_level)
    metrics = Metrics(service.store.figures)
    safety = Safety.of(site.base_url, settings.frame_ancestors)
    limits = Limits.of(settings)
    turnstile = Turnstile(app.wsgi_app, service.door, limits)
    within = Gate(turnstile, log, metrics, safety, Auditing(site).tell)
    around = Envelope(within, settings.cors_origins)
    app.wsgi_app = Proxies(around, settings.trusted_proxies)  # type: ignore[method-assign]
    sessions.register(app, site, embedded=bool(settings.frame_ancestors))
    cds_door = hooks.door(site, lambda: service.authority)
    guard.register(app, service.door, limits, service.store.must_take_notes, cds_door)
    errors.register(app, log.line)
    metadata.register(app, site, cors=bool(settings.cors_origins))
    discovery.register(app, site, settings)
    if settings.auth_issuer is None:  # else another server gives out the tokens
        authorization.register(app, lambda: service.authority, limits.authorization)
    ehr_jwks.register(app, site)
    health.register(app, site, metrics)
    static_files.register(app)
    ways_in.register(app)
    launch.register(app, site, lambda: service.launchers)
    tries = Tries(settings.tries_per_address)
    link_pages.register(app, site, tries)
    login.register(app, site, lambda: service.launchers, tries)
    doors.register(app, site, doors.Clinic(settings.clinic_phone))
    summary_pages.register(app, site)
    hooks.register(app, site, lambda: service.launchers)
    resources.register(app, site)
    batches.register(app, site)
    operations.register(app, site)
    outbox_page.register(app, service.store, service.site.clock)
    openapi.register(app, site)
    return app
