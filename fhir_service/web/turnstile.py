"""Turns bad tokens away before anything else is done for them, so that a flood of them is cheap.

It lets nobody in: who passes is asked again by the guard, which knows the token by then.
https://www.rfc-editor.org/rfc/rfc6750#section-3.1
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Final

from fhir_service.fhir.issues import NotSignedIn, Refusal, TooMany, operation_outcome
from fhir_service.web.errors import NOT_GOOD
from fhir_service.web.negotiation import FHIR_JSON
from fhir_service.web.replies import as_bytes
from fhir_service.web.told import KEY, Told

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

    from fhir_service.web.limits import Limits
    from fhir_service.workflow.sign_in import Door

BEFORE: Final = "/fhir/"
OPEN: Final = ("/fhir/metadata", "/fhir/.well-known/")
"""What needs no token answers whatever token comes along."""


class Turnstile:
    """The application behind it sees the FHIR requests whose token is good, and all others."""

    def __init__(self, within: WSGIApplication, door: Door, limits: Limits) -> None:
        self._within = within
        self._door = door
        self._limits = limits

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """The answer."""
        path = environ.get("PATH_INFO", "")
        shown = environ.get("HTTP_AUTHORIZATION", "")
        if not shown or not path.startswith(BEFORE) or path.startswith(OPEN):
            return self._within(environ, start_response)
        scheme, _, token = shown.partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            return self._within(environ, start_response)

        def looking_closer() -> AbstractContextManager[None]:
            return self._limits.bad_tokens.only(NotSignedIn, environ.get("REMOTE_ADDR", ""))

        try:
            self._door.claims(token.strip(), looking_closer)
        except NotSignedIn as refusal:
            hint = ("WWW-Authenticate", NOT_GOOD)
            return _refused(environ, start_response, refusal, "401 UNAUTHORIZED", hint)
        except TooMany as refusal:
            wait = ("Retry-After", str(refusal.retry_after_seconds))
            return _refused(environ, start_response, refusal, "429 TOO MANY REQUESTS", wait)
        except Refusal:  # told by the guard, which meets it again
            return self._within(environ, start_response)
        return self._within(environ, start_response)


def _refused(
    environ: WSGIEnvironment,
    start_response: StartResponse,
    refusal: Refusal,
    status: str,
    hint: tuple[str, str],
) -> Iterable[bytes]:
    """The refusal as the guard would tell it."""
    account: Told = environ[KEY]
    account.findings = refusal.issues
    account.endpoint = "refused"
    account.address = environ.get("REMOTE_ADDR")
    body = as_bytes(operation_outcome(refusal.issues))
    start_response(
        status,
        [
            ("Content-Type", FHIR_JSON),
            ("Content-Length", str(len(body))),
            ("Content-Language", "en"),
            hint,
        ],
    )
    return [] if environ["REQUEST_METHOD"] == "HEAD" else [body]
