"""Addresses as parsed: which host an address names, and which networks may be called.

https://www.rfc-editor.org/rfc/rfc3986 section 3.2
https://www.iana.org/assignments/iana-ipv4-special-registry/
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from urllib.parse import urlsplit

_HOST = re.compile(r"[a-z0-9](?:[a-z0-9.\-]*[a-z0-9])?|[0-9a-f:.]+")
_PORTS = {"http": 80, "https": 443}
_LONGEST = 8192

Address = IPv4Address | IPv6Address


@dataclass(frozen=True, slots=True)
class Base:
    """Scheme, host in lower case, and port: what two addresses must share to be of one server."""

    scheme: str
    host: str
    port: int


def base_of(url: str) -> Base | None:
    """The base of an http or https address; None for any other.

    None too for one that parsers could read differently: with a user, a backslash, a blank, or a
    host of unusual characters.
    """
    if len(url) > _LONGEST or any(sign <= " " or sign in "\\\x7f" for sign in url):
        return None
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        return None
    if parts.scheme not in _PORTS or not host or "@" in parts.netloc:
        return None
    if not _HOST.fullmatch(host):
        return None
    return Base(parts.scheme, host.rstrip("."), port or _PORTS[parts.scheme])


@dataclass(frozen=True, slots=True)
class Networks:
    """Which addresses may be called: all public ones, and these networks in CIDR notation.

    ``local``: the base names this machine itself, so that loopback may be called.
    Raises ValueError at ``allows`` for what is no network.
    """

    networks: tuple[str, ...] = ()
    local: bool = False

    def with_host(self, host: str) -> Networks:
        """These, and the address that the base names literally; localhost means loopback."""
        if host == "localhost":
            return replace(self, local=True)
        try:
            named = ip_address(host)
        except ValueError:
            return self
        return replace(self, networks=(*self.networks, str(named)))

    def allows(self, address: str) -> bool:
        """Whether this address, as a host was resolved to it, may be called."""
        try:
            given = ip_address(address.partition("%")[0])
        except ValueError:
            return False
        if isinstance(given, IPv6Address):
            given = given.ipv4_mapped or given.sixtofour or given
        if self.local and given.is_loopback:
            return True
        if any(given in ip_network(network, strict=False) for network in self.networks):
            return True
        return given.is_global and not given.is_multicast
