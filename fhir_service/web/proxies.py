"""Who asks, where proxies stand before the service: whom they wrote into X-Forwarded-For.

Addresses in links come from the base URL alone, so neither Host nor X-Forwarded-Host is believed.
https://www.rfc-editor.org/rfc/rfc7239 section 8.1
"""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import ip_address
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


class Proxies:
    """The application within, told the address of who asks instead of that of the last proxy.

    ``trusted`` proxies stand in a row before us; each appended whom it was asked by. What is
    further left in the header was written by the asker, and is not looked at.
    """

    def __init__(self, within: WSGIApplication, trusted: int) -> None:
        self._within = within
        self._trusted = trusted

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """The answer of the application within."""
        if self._trusted:
            found = asked_by(environ.get("HTTP_X_FORWARDED_FOR", ""), self._trusted)
            if found is not None:
                environ["REMOTE_ADDR"] = found
        return self._within(environ, start_response)


def asked_by(header: str, trusted: int) -> str | None:
    """The address that the outermost of so many proxies saw; None where the header has no such."""
    named = [part.strip() for part in header.split(",")]
    if len(named) < trusted:
        return None
    try:
        return str(ip_address(named[-trusted].strip("[]")))
    except ValueError:
        return None
