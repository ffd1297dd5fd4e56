"""Connections that are made only to addresses that may be called, looked at after resolving.

The host is resolved once, and the very address that was looked at is connected to: a name that
changes its address between looking and connecting gains nothing. A proxy is never used.
https://urllib3.readthedocs.io/en/stable/reference/urllib3.connection.html
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any

from requests.adapters import HTTPAdapter
from typing_extensions import override
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError
from urllib3.response import HTTPResponse

from fhir_service.ehr.addresses import Networks

NetworksNow = Callable[[], Networks]
Watch = Callable[[socket.socket | None], None]


class Adapter(HTTPAdapter):
    """Connections for one session; ``networks`` and ``watch`` are asked in the sending thread."""

    def __init__(self, networks: NetworksNow, watch: Watch) -> None:
        self._networks = networks
        self._watch = watch
        super().__init__(max_retries=0, pool_maxsize=16)

    @override
    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """Pools whose connections look before they connect."""
        super().init_poolmanager(*args, **kwargs)
        networks, watch = self._networks, self._watch

        class Plain(_Looking, HTTPConnection):
            may, over = staticmethod(networks), staticmethod(watch)

        class Secured(_Looking, HTTPSConnection):
            may, over = staticmethod(networks), staticmethod(watch)

        class PlainPool(HTTPConnectionPool):
            ConnectionCls = Plain

        class SecuredPool(HTTPSConnectionPool):
            ConnectionCls = Secured

        self.poolmanager.pool_classes_by_scheme = {"http": PlainPool, "https": SecuredPool}


class _Looking(HTTPConnection):
    """A connection that looks at each address before it connects, and is watched as it answers."""

    may: NetworksNow
    over: Watch

    @override
    def _new_conn(self) -> socket.socket:
        try:
            found = socket.getaddrinfo(self.host, self.port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as unknown:
            raise NewConnectionError(self, "the host is not known") from unknown
        networks = type(self).may()
        allowed = [one for one in found if networks.allows(str(one[4][0]))]
        if not allowed:
            raise NewConnectionError(self, "the host has no address that may be called")
        return self._first_of([one[4] for one in allowed])

    def _first_of(self, addresses: list[Any]) -> socket.socket:
        """The first that answers."""
        last: OSError | None = None
        for address in addresses:
            try:
                made = socket.create_connection(
                    address[:2],
                    self.timeout if isinstance(self.timeout, int | float) else None,
                )
            except OSError as failed:
                last = failed
                continue
            for option in self.socket_options or ():
                made.setsockopt(*option)
            return made
        if isinstance(last, TimeoutError):
            raise ConnectTimeoutError(self, "no connection in time") from last
        raise NewConnectionError(self, "no connection") from last

    @override
    def getresponse(self) -> HTTPResponse:  # type: ignore[override]
        """The answer's head, watched: a head that drips is ended too."""
        type(self).over(self.sock)
        return super().getresponse()
