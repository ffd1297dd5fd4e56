"""serve: the store brought up to date, the shipped forms published, then the doors opened.

https://github.com/emmett-framework/granian
"""

from __future__ import annotations

import gc
import importlib
import os
import signal
import socket
import tempfile
import threading
import time
from collections.abc import Callable
from functools import partial
from multiprocessing import util
from typing import TYPE_CHECKING, Any, Final

import click

from fhir_service import __version__
from fhir_service.cli import installation
from fhir_service.cli.deliverers import deliverers
from fhir_service.cli.main import Failed
from fhir_service.cli.sweeping import sweep_beside
from fhir_service.settings import Settings

if TYPE_CHECKING:
    from pathlib import Path

    from fhir_service.wiring import Service

APPLICATION: Final = "fhir_service.web.app"
"""The doors, by name, as any WSGI server is told them: neighbours do not import each other."""

GRACE_SECONDS: Final = 30
"""How long requests in progress may take after the signal to stop."""


@click.command("serve")
@click.option(
    "--host", default=installation.DEFAULT_HOST, show_default=True, help="Address to listen on."
)
@click.option(
    "--port",
    type=click.IntRange(1, 65535),
    default=installation.DEFAULT_PORT,
    show_default=True,
    help="Port to listen on.",
)
@click.option("--end-with-parent", is_flag=True, hidden=True)
def command(host: str, port: int, *, end_with_parent: bool) -> None:
    """Serve the FHIR interface until SIGTERM or Ctrl-C.

    Makes or upgrades the database, publishes the forms that ship, then answers. A request that
    is being answered at the signal is answered.
    """
    if end_with_parent:
        _end_with(os.getppid())
    settings = installation.settings()
    must_be_free(host, port)
    address = settings.base_url or installation.address_of(
        host, port, secure=settings.tls_certificate is not None
    )
    if settings.workers > 1:
        _count_together()
    gc.disable()  # what is imported lives on; looking through it costs a fifth of the start
    prepare(settings, address)
    gc.freeze()
    gc.enable()
    run(settings, host, port, address)


def must_be_free(host: str, port: int) -> None:
    """Raises Failed when nobody can listen there: another does, or the address is not ours.

    Asked first because the server shares its port with a second copy of itself without a word.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as refused:
            raise Failed(
                f"can not listen on {host} port {port}: {refused.strerror or refused};"
                " choose another with --host and --port."
            ) from None


def prepare(settings: Settings, address: str) -> None:
    """Bring the store up to date and publish what ships."""
    from fhir_service.wiring import build  # noqa: PLC0415  costs CPU, and `--help` needs none of it

    importlib.import_module(APPLICATION)  # before the workers part, so that they share it
    installation.remember_address(settings, address)
    service = build(settings, address)
    try:
        _must_know_target(service)
        _must_read_own_summary(service)
        service.publish_shipped()
    finally:
        service.close()
    _tell_of_owners(settings.summary_dir)


def _must_know_target(service: Service) -> None:
    """Raise Failed where the EHR's target is not known, or its file is wrong."""
    if not service.settings.has_target:
        return
    from fhir_service.catalogue.summary_mappings import MappingFault  # noqa: PLC0415  costs CPU

    try:
        service.target()
    except MappingFault as wrong:
        raise Failed(str(wrong)) from None


def _must_read_own_summary(service: Service) -> None:
    """Raise Failed where the site's own mappings are wrong; those that ship are tested."""
    if service.settings.summary_dir is None:
        return
    from fhir_service.catalogue.summary_mappings import MappingFault  # noqa: PLC0415  costs CPU

    try:
        service.site.mapping()
    except MappingFault as wrong:
        raise Failed(f"SUMMARY_DIR: {wrong}") from None


def _tell_of_owners(own: Path | None) -> None:
    """Say which red flags reach nobody: a flag that nobody answers for is no safety net."""
    from fhir_service.catalogue.owners import levels_without_owner  # noqa: PLC0415  costs CPU
    from fhir_service.catalogue.summary_files import summary_folders  # noqa: PLC0415

    alone = levels_without_owner(*summary_folders(own))
    if alone:
        click.echo(
            f"No owner is named for {', '.join(alone)}: patients see the advice on screen, and "
            "the team gets no flag. Name owners in owners.toml of FHIR_SERVICE_SUMMARY_DIR.",
            err=True,
        )


def _count_together() -> None:
    """Let the workers' figures meet in a new folder, so that /metrics tells of them all.

    The client library looks for it when it is imported, and the folder goes with this process.
    https://prometheus.github.io/client_python/multiprocess/
    """
    folder = tempfile.TemporaryDirectory(prefix="fhir-service-metrics-")
    util.Finalize(folder, folder.cleanup, exitpriority=0)
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = folder.name


def run(settings: Settings, host: str, port: int, address: str) -> None:
    """Serve until told to stop; granian's workers, each with its own service."""
    from granian.constants import (  # noqa: PLC0415  only this command needs it
        Interfaces,
        SSLProtocols,
    )
    from granian.log import LogLevels  # noqa: PLC0415
    from granian.server import Server  # noqa: PLC0415

    server = Server(
        f"{APPLICATION}:create_app",
        address=host,
        port=port,
        interface=Interfaces.WSGI,
        workers=settings.workers,
        blocking_threads=settings.blocking_threads,
        log_level=LogLevels.error,
        log_dictconfig={"handlers": _HANDLERS},
        respawn_failed_workers=True,
        workers_kill_timeout=GRACE_SECONDS,
        websockets=False,
        ssl_cert=settings.tls_certificate,
        ssl_key=settings.tls_key,
        ssl_protocol_min=SSLProtocols.tls12,
    )
    where = "SQLite" if settings.on_sqlite else "PostgreSQL"
    server.on_startup(
        lambda: click.echo(
            f"fhir-service {__version__} serves {address}/fhir ({where}); Ctrl-C ends it.",
            err=True,
        )
    )
    with deliverers(settings.delivery_workers if settings.has_target else 0):
        server.serve(target_loader=partial(application, settings, address), wrap_loader=False)


def application(settings: Settings, address: str) -> Callable[..., Any]:
    """The WSGI application of one worker; its service is closed when the worker ends."""
    from fhir_service.wiring import build  # noqa: PLC0415  costs CPU

    _end_with(os.getppid())
    service = build(settings, address)
    util.Finalize(None, service.close, exitpriority=10)
    util.Finalize(
        None, sweep_beside(service.site), exitpriority=11
    )  # first, while the store is open
    made: Callable[..., Any] = importlib.import_module(APPLICATION).create_app(service)
    return made


def _end_with(parent: int) -> None:
    """End this process in good order soon after its parent is gone, however that ended."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(0.5)
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, name="end-with-parent", daemon=True).start()


_HANDLERS: Final = {
    "console": {
        "formatter": "generic",
        "class": "logging.StreamHandler",
        "stream": "ext://sys.stderr",
    },
    "access": {
        "formatter": "access",
        "class": "logging.StreamHandler",
        "stream": "ext://sys.stderr",
    },
}
