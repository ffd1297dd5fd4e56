"""The installation that a command works on: its settings, its service, its address.

https://12factor.net/admin-processes
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from fhir_service.settings import Settings, read_settings

if TYPE_CHECKING:
    from fhir_service.wiring import Service

DEFAULT_HOST: Final = "127.0.0.1"
DEFAULT_PORT: Final = 8080
_ADDRESS = "address"
_ANYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104  told apart, not bound


def settings() -> Settings:
    """The settings of the environment. Raises BadSettings."""
    return read_settings(os.environ)


@contextmanager
def service(given: Settings | None = None) -> Iterator[Service]:
    """The service of the environment's settings, or of these; closed at the end."""
    from fhir_service.wiring import build  # noqa: PLC0415  `--help` needs none of it

    chosen = given or settings()
    opened = build(chosen, remembered_address(chosen))
    try:
        yield opened
    finally:
        opened.close()


def address_of(host: str, port: int, *, secure: bool = False) -> str:
    """The address that a service on this host and port is reached at from this machine."""
    host = _ANYWHERE.get(host, host)
    name = f"[{host}]" if ":" in host else host
    return f"{'https' if secure else 'http'}://{name}:{port}"


def remember_address(chosen: Settings, address: str) -> None:
    """Note where the service is served: a token made beside it must name that address."""
    chosen.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    note = chosen.data_dir / _ADDRESS
    fresh = chosen.data_dir / f"{_ADDRESS}.{os.getpid()}"
    fresh.write_text(f"{address}\n", encoding="utf-8")
    fresh.replace(note)


def remembered_address(chosen: Settings) -> str:
    """Where the service of this data directory is served, or was last; else the default."""
    note: Path = chosen.data_dir / _ADDRESS
    try:
        return note.read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        return address_of(DEFAULT_HOST, DEFAULT_PORT)


def remembered_address_of() -> str:
    """The public address of the installation of this environment, its store not opened."""
    chosen = settings()
    return chosen.base_url or remembered_address(chosen)
