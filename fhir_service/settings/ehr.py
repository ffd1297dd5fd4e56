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
)
