"""Where it runs: data, address, processes, limits on what is read, log."""

from __future__ import annotations

from typing import Final

from fhir_service.settings.setting import Setting

INSTALLATION: Final[tuple[Setting, ...]] = (
    Setting(
        "DATA_DIR",
        "folder",
        "./var",
        "path",
        "Folder of the SQLite file; made when it is missing.",
    ),
    Setting(
        "DATABASE_URL",
        "database",
        None,
        "URL",
        "sqlite:///FILE or postgresql://USER:PASSWORD@HOST/NAME. Unset: a file in DATA_DIR.",
        secret=True,
    ),
    Setting(
        "BASE_URL",
        "url",
        None,
        "URL",
        "Public address of the service; every link is made from it. Unset: host and port.",
    ),
    Setting(
        "WORKERS",
        "count",
        "1",
        "processes",
        "Server processes; more than 1 on PostgreSQL only: SQLite has one writer.",
        most=64,
    ),
    Setting(
        "BLOCKING_THREADS",
        "count",
        "64",
        "threads",
        "Requests that one process serves at the same time; a slow client holds one.",
        most=1024,
    ),
    Setting(
        "MAX_BODY_BYTES",
        "count",
        "5242880",
        "bytes",
        "Largest body that is read; a larger one is answered 413.",
        least=1024,
        most=1_073_741_824,
    ),
    Setting(
        "MAX_ITEM_DEPTH",
        "count",
        "32",
        "levels",
        "Deepest nesting of items in a form or a response.",
        most=100,
    ),
    Setting(
        "LOG_LEVEL", "level", "info", "word", "Least level logged: debug, info, warning, error."
    ),
)
