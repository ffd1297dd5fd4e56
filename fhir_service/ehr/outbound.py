"""The one way out: a request goes to hosts that the operator configured, and to no other.

Nothing that stands in data (a canonical, a reference, an attachment's url, a header of a token)
can steer where it goes: the address is compared as parsed, its host is resolved once and each
address of it looked at, redirects are not followed, and time and size are bounded.
https://cheatsheetseries.owasp.org/cheatsheets/Server_Side_Request_Forgery_Prevention_Cheat_Sheet.html
"""

from __future__ import annotations

import json as json_of
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from threading import local
from typing import TYPE_CHECKING, Any, Literal

from fhir_service.ehr.addresses import Base, Networks, base_of
from fhir_service.ehr.watching import Watch, Watchman

if TYPE_CHECKING:
    import socket

    import requests

FailedKind = Literal["refused", "timeout-before", "lost", "too-large"]

_PIECE = 65536
_THREAD = local()
_WATCHMAN = Watchman()


class OutboundRefused(Exception):
    """The address is none that may be called; nothing was sent. The message names no address."""


class OutboundFailed(Exception):
    """No whole answer came.

    ``kind``: ``refused`` and ``timeout-before`` never reached the other side, so that sending
    again is safe; ``lost`` was sent, and whether it was done is not known; ``too-large`` was
    answered with more than we read.
    """

    def __init__(self, kind: FailedKind) -> None:
        super().__init__(kind)
        self.kind: FailedKind = kind


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer of any status, redirects too; ``headers`` are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """The body as JSON. Raises ValueError when it is none."""
        return json_of.loads(self.body)


class Outbound:
    """Requests to these bases alone; threads may share it.

    ``bases`` are addresses that the operator configured: what is sent must have the scheme, host
    and port of one of them. Loopback and private addresses are called only where a base names such
    an address itself (or localhost), or where ``networks`` (in CIDR notation) has them.
    ``timeout_seconds`` bounds the whole exchange, ``most_bytes`` the body that is read.
    ``ca_file``: certificates to trust instead of the public ones, for a hospital's own authority.
    """

    def __init__(
        self,
        bases: Iterable[str],
        *,
        networks: Iterable[str] = (),
        timeout_seconds: float = 10.0,
        most_bytes: int = 10_000_000,
        ca_file: Path | None = None,
    ) -> None:
        self._bases: dict[Base, Networks] = {}
        allowed = Networks(tuple(networks))
        for base in bases:
            parsed = base_of(base)
            if parsed is None:
                raise ValueError("a base must be an http or https address without a user")
            self._bases[parsed] = allowed.with_host(parsed.host)
        self._timeout_seconds = timeout_seconds
        self._most_bytes = most_bytes
        self._verify: bool | str = str(ca_file) if ca_file else True
        self._session: requests.Session | None = None

    def send(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, Any] | Iterable[tuple[str, str]] | None = None,
        data: bytes | Mapping[str, str] | None = None,
        json: Any = None,
        timeout_seconds: float | None = None,
    ) -> Reply:
        """The answer to one request, sent once. Raises OutboundRefused and OutboundFailed."""
        import requests  # noqa: PLC0415  keeps the start quick
        from urllib3.exceptions import HTTPError  # noqa: PLC0415

        base = base_of(url)
        networks = self._bases.get(base) if base else None
        if networks is None:
            raise OutboundRefused("the host is none that was configured")
        seconds = timeout_seconds or self._timeout_seconds
        _THREAD.networks, _THREAD.watch = networks, Watch(_WATCHMAN, seconds)
        try:
            reply = self._requests().request(
                method,
                url,
                headers=dict(headers or {}),
                params=params,
                data=data,
                json=json,
                timeout=seconds,
                allow_redirects=False,
                stream=True,
                verify=self._verify,
            )
            with reply:
                return Reply(
                    reply.status_code,
                    {name.lower(): value for name, value in reply.headers.items()},
                    self._body(reply),
                )
        except (requests.RequestException, HTTPError, OSError) as failed:
            raise OutboundFailed(_kind(failed)) from None  # the cause quotes the address
        finally:
            _THREAD.watch.end()

    def close(self) -> None:
        """Give back the connections."""
        if self._session is not None:
            self._session.close()

    def _requests(self) -> requests.Session:
        if self._session is None:
            self._session = _session()
        return self._session

    def _body(self, reply: requests.Response) -> bytes:
        """All of the body, as long as it comes in time and is not too long."""
        pieces, length = [], 0
        while piece := reply.raw.read1(_PIECE, decode_content=True):
            pieces.append(piece)
            length += len(piece)
            if length > self._most_bytes:
                raise OutboundFailed("too-large")
        if _THREAD.watch.ended_it:
            raise OutboundFailed("lost")
        return b"".join(pieces)


def _watch(sock: socket.socket | None) -> None:
    _THREAD.watch.begin(sock)


def _kind(failed: Exception) -> FailedKind:
    """Whether the request can have reached the other side; where it is not sure, it can."""
    import requests  # noqa: PLC0415  keeps the start quick
    from urllib3.exceptions import MaxRetryError, NewConnectionError  # noqa: PLC0415

    if isinstance(failed, requests.ConnectTimeout):
        return "timeout-before"
    if isinstance(failed, requests.exceptions.SSLError):
        return "refused"
    cause = failed.args[0] if failed.args else None
    if isinstance(cause, MaxRetryError) and isinstance(cause.reason, NewConnectionError):
        return "refused"
    before = (
        requests.exceptions.InvalidURL,
        requests.exceptions.InvalidHeader,
        requests.exceptions.InvalidSchema,
    )
    return "refused" if isinstance(failed, before) else "lost"


def _session() -> requests.Session:
    """A session over our connections, without the environment's proxies and passwords."""
    from http.cookiejar import DefaultCookiePolicy  # noqa: PLC0415  keeps the start quick

    import requests  # noqa: PLC0415

    from fhir_service.ehr.connections import Adapter  # noqa: PLC0415

    session = requests.Session()
    session.trust_env = False
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    session.headers["User-Agent"] = "fhir-service"
    adapter = Adapter(lambda: _THREAD.networks, _watch)
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    return session
