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
    Setting(
        "CLIENT_REQUESTS_PER_MINUTE",
        "count",
        "0",
        "requests",
        "Most requests of one client that is bound to no patient; 0: no limit.",
        least=0,
    ),
    Setting(
        "PATIENT_REQUESTS_PER_MINUTE",
        "count",
        "1200",
        "requests",
        "Most requests for one patient by tokens, links and sessions of hers; 0: no limit.",
        least=0,
    ),
    Setting(
        "AUTH_REQUESTS_PER_MINUTE",
        "count",
        "1200",
        "requests",
        "Most requests of one address to /auth; 0: no limit.",
        least=0,
    ),
    Setting(
        "BAD_TOKENS_PER_MINUTE",
        "count",
        "1000",
        "tokens",
        "Most tokens from one address that have to be looked at closer; 0: no limit.",
        least=0,
    ),
    Setting(
        "LINK_PREFILL",
        "switch",
        "off",
        "on or off",
        "Whether a form opened by a link is filled from the EHR, for who knows the date of birth.",
    ),
)
