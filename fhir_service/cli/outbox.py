"""outbox: what the EHR is owed, to be read by the operator.

https://microservices.io/patterns/data/transactional-outbox.html
"""

from __future__ import annotations

import click

from fhir_service.cli import installation
from fhir_service.cli.main import Failed


@click.group("outbox")
def command() -> None:
    """See what the EHR is owed."""


@command.command("list")
@click.option("--state", default=None, help="Only entries in this state, such as due.")
def list_(state: str | None) -> None:
    """List the entries, oldest first: number, state, response and version, since when."""
    from fhir_service.store.outbox import entries  # noqa: PLC0415  costs CPU

    count = 0
    with installation.service() as service:
        for one in entries(service.store, state):
            count += 1
            click.echo(
                f"{one.number}\t{one.state}\tQuestionnaireResponse/{one.resource_id}"
                f"/_history/{one.resource_version}\t{one.created.isoformat(timespec='seconds')}"
            )
    click.echo(f"{count} entries", err=True)


@command.command("show")
@click.argument("number", type=int)
def show(number: int) -> None:
    """Show one entry."""
    from fhir_service.store.outbox import entry  # noqa: PLC0415  costs CPU

    with installation.service() as service:
        one = entry(service.store, number)
    if one is None:
        raise Failed(f"there is no outbox entry {number}")
    click.echo(f"number:    {one.number}")
    click.echo(f"response:  QuestionnaireResponse/{one.resource_id}")
    click.echo(f"version:   {one.resource_version}")
    click.echo(f"state:     {one.state}")
    click.echo(f"created:   {one.created.isoformat()}")
    click.echo(f"due:       {one.due.isoformat()}")
    click.echo(f"attempts:  {one.attempts}")
    click.echo(f"reason:    {one.reason or '-'}")
