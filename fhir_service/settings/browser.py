"""What a browser meets: sessions, frames, the way through proxies, TLS."""

from __future__ import annotations

from typing import Final

from fhir_service.settings.setting import Setting

BROWSER: Final[tuple[Setting, ...]] = (
    Setting(
        "TRUSTED_PROXIES",
        "count",
        "0",
        "proxies",
        "How many proxies in a row stand before the service and set X-Forwarded-For.",
        least=0,
        most=10,
    ),
    Setting(
        "TLS_CERTIFICATE",
        "file",
        None,
        "path",
        "Certificate with its chain (PEM). With TLS_KEY: serve https without a proxy.",
    ),
    Setting("TLS_KEY", "file", None, "path", "Private key of TLS_CERTIFICATE (PEM)."),
    Setting(
        "FRAME_ANCESTORS",
        "origins",
        None,
        "origins",
        "Portals that may show our pages in a frame, such as https://portal.example.org.",
    ),
    Setting(
        "CORS_ORIGINS",
        "origins",
        None,
        "origins",
        "Apps in a browser that may call the FHIR base, such as https://app.example.org.",
    ),
    Setting(
        "SECRET_KEY",
        "key",
        None,
        "text",
        "Encrypts what is kept secret in the database. Unset: made once, a file in DATA_DIR.",
        secret=True,
    ),
    Setting(
        "TRIES_PER_ADDRESS",
        "count",
        "30",
        "tries",
        "Wrong tries at links and login codes from one address within 15 minutes.",
        most=10_000,
    ),
    Setting(
        "PATIENT_SESSION_IDLE",
        "count",
        "7200",
        "seconds",
        "A patient who does nothing for so long has to open her link again.",
        least=60,
        most=86_400,
    ),
    Setting(
        "STAFF_SESSION_IDLE",
        "count",
        "1800",
        "seconds",
        "A member of staff who does nothing for so long has to log in again.",
        least=60,
        most=86_400,
    ),
    Setting(
        "SESSION_LONGEST",
        "count",
        "43200",
        "seconds",
        "How long a session lasts at most.",
        least=60,
        most=604_800,
    ),
)
