"""The EHR client of an installation, made of plain values."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

from fhir_service.ehr.backend_services import BackendServices, ClientId
from fhir_service.ehr.client import EhrClient
from fhir_service.ehr.outbound import Outbound
from fhir_service.ehr.pace import Pace
from fhir_service.workflow.ehr import EhrTrouble


@dataclass(frozen=True, slots=True)
class EhrSettings:
    """How one EHR is called. ``token_url`` None: as its SMART configuration says."""

    base: str
    client_id: str | None = None
    scope: str | None = None
    token_url: str | None = None
    timeout_seconds: float = 30.0
    per_second: float = 0.0
    networks: tuple[str, ...] = ()
    ca_file: Path | None = None


def open_ehr(
    how: EhrSettings, key: Callable[[], Mapping[str, Any]], new_id: Callable[[], str]
) -> EhrClient:
    """The client of this EHR; nothing is asked of it yet. Raises ValueError for a bad address.

    A token endpoint is called only on the host of ``base`` or of ``token_url``.
    """
    outbound = Outbound(
        [base for base in (how.base, how.token_url) if base],
        networks=how.networks,
        timeout_seconds=how.timeout_seconds,
        ca_file=how.ca_file,
    )
    pace = Pace(how.per_second)
    if how.client_id is None:
        return EhrClient(outbound, how.base, pace=pace)
    unsigned = EhrClient(outbound, how.base, pace=pace)
    authorization = BackendServices(
        outbound,
        ClientId(how.client_id, how.scope),
        token_url=lambda: how.token_url or token_endpoint(unsigned),
        key=key,
        new_id=new_id,
    )
    return EhrClient(outbound, how.base, authorization, pace)


def token_endpoint(ehr: EhrClient) -> str:
    """The token endpoint that the EHR names. Raises EhrTrouble where it names none."""
    said = ehr.smart_configuration() or {}
    endpoint = said.get("token_endpoint")
    if not isinstance(endpoint, str):
        raise EhrTrouble("not-authorized", codes=("no-token-endpoint",))
    return urljoin(f"{ehr.base}/", endpoint)
