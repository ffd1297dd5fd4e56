"""Asking the EHR of a launch, over the one way out (workflow.launch_ports.AppLaunch).

https://hl7.org/fhir/smart-app-launch/app-launch.html
"""

from __future__ import annotations

import time
from base64 import b64encode
from collections.abc import Callable, Mapping
from typing import Any, Final
from urllib.parse import quote_plus, urljoin

from fhir_service.ehr.client import EhrClient
from fhir_service.ehr.outbound import Outbound, OutboundFailed, OutboundRefused, Reply
from fhir_service.smart.launch import LaunchFailed, Trouble
from fhir_service.workflow.launch_ports import LaunchEhr

_OK: Final = 200
_KEPT_SECONDS: Final = 300.0
_ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_FHIR = {"Accept": "application/fhir+json"}


class AppLaunchClient:
    """Configuration, token, keys and resources of the registered EHRs; threads may share it.

    ``key`` gives the private key for EHRs where we sign, ``new_id`` the jti.
    """

    def __init__(
        self,
        outbound: Outbound,
        key: Callable[[], Mapping[str, Any]],
        new_id: Callable[[], str],
    ) -> None:
        self._outbound = outbound
        self._key = key
        self._new_id = new_id
        self._configurations: dict[str, tuple[float, Mapping[str, Any]]] = {}

    def configuration(self, ehr: LaunchEhr) -> Mapping[str, Any]:
        """As AppLaunch says. Addresses that are relative are made whole; kept for minutes."""
        read_at, kept = self._configurations.get(ehr.base, (0.0, {}))
        if kept and time.monotonic() - read_at < _KEPT_SECONDS:
            return kept
        reply = self._send("GET", f"{ehr.base}/.well-known/smart-configuration", "no-smart")
        said = _object(reply, "no-smart")
        whole = {name: _whole(ehr.base, name, value) for name, value in said.items()}
        self._configurations[ehr.base] = (time.monotonic(), whole)
        return whole

    def exchange(self, ehr: LaunchEhr, endpoint: str, form: Mapping[str, str]) -> Any:
        """As AppLaunch says."""
        headers, sent = {"Accept": "application/json"}, dict(form)
        if ehr.secret is not None:
            pair = f"{quote_plus(ehr.client_id)}:{quote_plus(ehr.secret)}"  # RFC 6749, 2.3.1
            headers["Authorization"] = f"Basic {b64encode(pair.encode()).decode()}"
        elif ehr.signs:
            sent["client_assertion_type"] = _ASSERTION
            sent["client_assertion"] = self._assertion(ehr, endpoint)
        else:
            sent["client_id"] = ehr.client_id
        return _object(self._send("POST", endpoint, "token", headers, sent), "token")

    def keys(self, ehr: LaunchEhr, address: str) -> Any:
        """As AppLaunch says."""
        del ehr
        return _object(self._send("GET", address, "identity"), "identity")

    def read(self, ehr: LaunchEhr, token: str, path: str) -> Mapping[str, Any] | None:
        """As AppLaunch says."""
        headers = {**_FHIR, "Authorization": f"Bearer {token}"}
        try:
            found = _object(
                self._send("GET", f"{ehr.base}/{path}", "not-reachable", headers), "not-reachable"
            )
        except LaunchFailed:
            return None
        kind, _, id_ = path.partition("/")
        return found if found.get("resourceType") == kind and found.get("id") == id_ else None

    def chart(self, ehr: LaunchEhr, token: str) -> EhrClient:
        """As AppLaunch says."""
        return EhrClient(self._outbound, ehr.base, _Lent(token))

    def _assertion(self, ehr: LaunchEhr, endpoint: str) -> str:
        from fhir_service.smart.assertions import (  # noqa: PLC0415  keeps the start quick
            client_assertion,
        )

        return client_assertion(
            self._key(),
            client_id=ehr.client_id,
            audience=endpoint,
            jti=self._new_id(),
            now=int(time.time()),
        )

    def _send(
        self,
        method: str,
        url: str,
        trouble: Trouble,
        headers: Mapping[str, str] | None = None,
        form: Mapping[str, str] | None = None,
    ) -> Reply:
        try:
            reply = self._outbound.send(
                method, url, headers=headers or {"Accept": "application/json"}, data=form
            )
        except OutboundRefused:
            raise LaunchFailed(trouble) from None
        except OutboundFailed:
            raise LaunchFailed("not-reachable") from None
        if reply.status != _OK:
            raise LaunchFailed(trouble)
        return reply


class _Lent:
    """The token of a launch, as long as the EHR takes it."""

    def __init__(self, token: str) -> None:
        self._token: str | None = token

    def header(self) -> str | None:
        """Its header."""
        return None if self._token is None else f"Bearer {self._token}"

    def forget(self) -> None:
        """It has ended: there is no other."""
        self._token = None


def _whole(base: str, name: str, value: Any) -> Any:
    """An address of the configuration, made whole where it is relative; anything else as it is."""
    if isinstance(value, str) and name.endswith(("_endpoint", "_uri")):
        return urljoin(f"{base}/", value)
    return value


def _object(reply: Reply, trouble: Trouble) -> dict[str, Any]:
    try:
        found = reply.json()
    except ValueError:
        raise LaunchFailed(trouble) from None
    if not isinstance(found, dict):
        raise LaunchFailed(trouble)
    return found
