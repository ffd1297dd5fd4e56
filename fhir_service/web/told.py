"""What is known of one request while it is answered: for its log line, figures and reply.

https://peps.python.org/pep-3333/#environ-variables
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from flask import request

from fhir_service.fhir.issues import Issue
from fhir_service.web.negotiation import FHIR_JSON
from fhir_service.web.page_table import Page
from fhir_service.workflow.caller import Caller
from fhir_service.workflow.session import Session

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

KEY = "fhir_service.told"


@dataclass(slots=True)
class Told:
    """One request. ``route`` is the template of its address, never the address itself.

    ``endpoint`` is the name of its route, ``resource_id`` the id in its address, ``address`` the
    network address that it came from; ``client`` is who asked where there is no caller.

    ``page`` is set where a person at a browser gets a page; ``session`` is hers, ``secret`` what
    her browser holds of it, ``new_secret`` one that it is to be given.
    """

    request_id: str
    route: str = "none"
    caller: Caller | None = None
    findings: tuple[Issue, ...] = ()
    json_type: str = FHIR_JSON
    status: int = 0
    endpoint: str = "none"
    resource_id: str | None = None
    address: str | None = None
    client: str | None = None
    page: Page | None = None
    session: Session | None = None
    secret: str | None = None
    new_secret: str | None = None
    csrf: str | None = None


def begun(environ: WSGIEnvironment, request_id: str) -> Told:
    """A new account of the request that this environment brings."""
    made = environ[KEY] = Told(request_id)
    return made


def told() -> Told:
    """The account of the request that is being answered."""
    found: Told = request.environ[KEY]
    return found
