"""The doors put together: one Flask application for one installation.

https://flask.palletsprojects.com/en/stable/patterns/appfactories/
"""

from __future__ import annotations

from flask import Flask

from fhir_service.web import (
    discovery,
    errors,
    guard,
    logs,
    metadata,
    operation,
    operations,
    resources,
)
from fhir_service.web.metrics import Metrics
from fhir_service.wiring import Service


def create_app(service: Service, log: logs.Log | None = None) -> Flask:
    """The WSGI application of this service; ``log`` is standard error unless given."""
    site, settings = service.site, service.settings
    app = Flask("fhir_service", static_folder=None, template_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = settings.max_body_bytes + 1  # web/receiving.py says why
    app.url_map.strict_slashes = False
    app.url_map.merge_slashes = False
    log = log or logs.on_standard_error(settings.log_level)
    metrics = Metrics(service.store.figures)
    operation.register(app, site, log, metrics)
    guard.register(app, service.door)
    errors.register(app, log.line)
    metadata.register(app, site)
    discovery.register(app, site)
    operation.register_health(app, site, metrics)
    resources.register(app, site)
    operations.register(app, site)
    return app
