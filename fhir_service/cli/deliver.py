"""deliver: a worker that brings what is owed to the EHR, until it is told to stop.

https://microservices.io/patterns/data/polling-publisher.html
"""

from __future__ import annotations

import gc
import json
import os
import signal
import socket
import sys
import threading
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import click

from fhir_service.cli import installation
from fhir_service.cli.main import Failed
from fhir_service.fhir.issues import Unavailable
from fhir_service.workflow.ehr import EhrTrouble

if TYPE_CHECKING:
    from fhir_service.workflow.deliver import Courier
    from fhir_service.workflow.outbox import Entry, Outcome

IDLE_SECONDS: Final = 1.0
TROUBLED_SECONDS: Final = 5.0


@click.command("deliver")
@click.option("--once", is_flag=True, help="End when nothing is due any more.")
@click.option("--end-with-parent", is_flag=True, hidden=True)
def command(*, once: bool, end_with_parent: bool) -> None:
    """Deliver what the EHR is owed, until SIGTERM or Ctrl-C. Several may run at the same time.

    What is being sent at the signal is sent to its end.
    """
    from fhir_service.catalogue.summary_mappings import MappingFault  # noqa: PLC0415  costs CPU

    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    parent = os.getppid() if end_with_parent else None
    with installation.service() as service:
        if not service.settings.has_target:
            raise Failed("no EHR is configured; set FHIR_SERVICE_EHR_BASE, or EHR_FOLDER.")
        worker = f"{socket.gethostname()}:{os.getpid()}"
        try:
            courier = replace(service.courier(worker, tell_changes), tell=tell_outcome)
        except MappingFault as wrong:
            raise Failed(str(wrong)) from None
        gc.collect()
        gc.freeze()  # what was imported lives on; looking through it costs on every delivery
        _work(courier, stop, parent, once=once)


def tell_changes(changed: tuple[str, ...]) -> None:
    """Say on standard error what the EHR declares otherwise than yesterday."""
    for line in changed:
        click.echo(f"The EHR changed: {line}", err=True)


def tell_outcome(entry: Entry, outcome: Outcome) -> None:
    """One line of JSON on standard error, as the server logs: no patient, no answer."""
    line = {"event": "delivery", "entry": entry.number, "state": outcome.state}
    said = {"reason": outcome.reason, "status": outcome.status}
    told = {**line, **{name: value for name, value in said.items() if value is not None}}
    click.echo(json.dumps(told), err=True)


def _work(courier: Courier, stop: threading.Event, parent: int | None, *, once: bool) -> None:
    while not stop.is_set():
        if parent is not None and os.getppid() != parent:
            return
        try:
            with suppress(EhrTrouble):
                courier.day.plan()  # once a day the EHR is asked, also when nothing is owed
            handled = courier.work()
        except Unavailable:
            click.echo("The store can not be used just now; delivery waits.", err=True)
            stop.wait(TROUBLED_SECONDS)
            continue
        if handled:
            continue
        if once:
            return
        stop.wait(IDLE_SECONDS)


def spawn() -> list[str]:
    """The command that starts a worker beside this process."""
    return [sys.executable, "-m", "fhir_service", "deliver", "--end-with-parent"]
