"""The EHR that is read from and written to."""

from __future__ import annotations

from typing import Final

from fhir_service.settings.setting import Setting

EHR: Final[tuple[Setting, ...]] = (
    Setting(
        "EHR_BASE",
        "url",
        None,
        "URL",
        "FHIR base of the EHR. Unset: no summary is owed to anybody.",
    ),
    Setting(
        "EHR_CLIENT_ID",
        "text",
        None,
        "text",
        "Our client id at the EHR; for delivery, a later part: no effect yet.",
    ),
    Setting(
        "OUTBOUND_NETWORKS",
        "networks",
        None,
        "CIDR list",
        "Private networks in which a configured host may lie, such as 10.0.0.0/8. Unset: none.",
    ),
    Setting(
        "OUTBOUND_CA_FILE",
        "file",
        None,
        "path",
        "Certificates (PEM) that a configured host is trusted by, in place of the public ones.",
    ),
)
