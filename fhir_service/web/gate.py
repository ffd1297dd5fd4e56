"""What every request goes through, outside Flask: its id, safe headers, one log line, its figures.

No path, no query string, no body and no id of a patient reaches log or figures.
https://peps.python.org/pep-3333/
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable
from time import perf_counter
from typing import TYPE_CHECKING

from fhir_service.web.logs import Log
from fhir_service.web.metrics import Metrics
from fhir_service.web.safety import Safety
from fhir_service.web.told import Told, begun

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_REQUEST_ID = re.compile(r"[A-Za-z0-9._\-]{1,64}")
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_CACHE = "Cache-Control"
_NO_STORE = (_CACHE, "no-store")
_POLICY = "Content-Security-Policy"
_NOTHING = (_POLICY, "default-src 'none'; frame-ancestors 'none'")


class Gate:
    """The application within, with each request numbered before and told of after."""

    def __init__(
        self,
        within: WSGIApplication,
        log: Log,
        metrics: Metrics,
        safety: Safety,
        audit: Callable[[Told], None],
    ) -> None:
        self._audit = audit
        self._within = within
        self._safety = safety
        self._log = log
        self._metrics = metrics

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """The answer; it is told of once it is made, before it is sent."""
        started = perf_counter()
        account = begun(environ, _request_id(environ.get("HTTP_X_REQUEST_ID")))

        def begin(
            status: str, headers: list[tuple[str, str]], *more: object
        ) -> object:  # the server's own way to be told of an error is handed through
            account.status = int(status[:3])
            headers += self._safety.always
            headers.append(("X-Request-Id", account.request_id))
            names = [name for name, _ in headers]
            if _CACHE not in names:
                headers.append(_NO_STORE)
            if account.page is not None:
                headers += [one for one in self._safety.of_pages if one[0] not in names]
            elif _POLICY not in names:
                headers.append(_NOTHING)
            return start_response(status, headers, *more)  # type: ignore[arg-type]

        reply = self._within(environ, begin)  # type: ignore[arg-type]
        self._audit(account)
        self._tell(account, environ["REQUEST_METHOD"], perf_counter() - started)
        return reply

    def _tell(self, account: Told, asked: str, seconds: float) -> None:
        method = asked if asked in _METHODS else "other"  # no sender puts words into the log
        keys = [issue.key for issue in account.findings]
        self._metrics.request(method, account.route, account.status, seconds)
        if keys:
            self._metrics.findings(keys)
        self._log.line(
            "request",
            request_id=account.request_id,
            method=method,
            route=account.route,
            status=account.status,
            ms=round(seconds * 1000, 1),
            client=account.caller.client if account.caller else None,
            findings=sorted(set(keys)) or None,
        )


def _request_id(given: str | None) -> str:
    """The caller's own id of the request where it is a plain one, else a new one."""
    return given if given and _REQUEST_ID.fullmatch(given) else os.urandom(12).hex()
