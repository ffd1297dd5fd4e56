"""Who may come in, and for how long."""

from __future__ import annotations

from typing import Final

from fhir_service.settings.setting import Setting

ACCESS: Final[tuple[Setting, ...]] = (
    Setting(
        "REQUIRE_IF_MATCH",
        "switch",
        "off",
        "on or off",
        "Whether system and user clients must send If-Match with an update; patients always must.",
    ),
    Setting(
        "TOKEN_LIFETIME",
        "count",
        "3600",
        "seconds",
        "How long an access token is good, where nothing else is asked.",
        least=30,
        most=86_400,
    ),
    Setting(
        "BACKEND_TOKEN_LIFETIME",
        "count",
        "300",
        "seconds",
        "How long an access token of a backend service is good.",
        least=30,
        most=3600,
    ),
    Setting(
        "REFRESH_TOKEN_LIFETIME",
        "count",
        "7776000",
        "seconds",
        "How long an app with offline_access can go on, counted from the patient's consent.",
        least=300,
        most=31_536_000,
    ),
)
