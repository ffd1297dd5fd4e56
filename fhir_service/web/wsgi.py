"""The service as a plain WSGI application, for another server than ours.

``gunicorn --worker-class gthread --threads 32 "fhir_service.web.wsgi:application()"``: settings
from the environment, one process on SQLite. https://peps.python.org/pep-3333/
"""

from __future__ import annotations

import os

from flask import Flask

from fhir_service.settings import read_settings
from fhir_service.web.app import create_app
from fhir_service.wiring import build


def application() -> Flask:
    """The application of this process, its store up to date and the shipped forms published.

    Raises BadSettings, and Unavailable when the store can not be opened.
    """
    service = build(read_settings(os.environ))
    service.publish_shipped()
    return create_app(service)
