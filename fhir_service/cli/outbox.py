"""outbox: what the EHR is owed, read and moved on by the operator or the integration team.

https://microservices.io/patterns/data/transactional-outbox.html
"""

from __future__ import annotations

import click

from fhir_service.cli import installation
from fhir_service.cli.main import Failed
from fhir_service.workflow.outbox import STATES, Attempt, Entry


@click.group("outbox")
def command() -> None:
    """See, retry, release or close what the EHR is owed. No answer is shown."""


@command.command("list")
@click.option("--state", type=click.Choice(STATES), default=None, help="Only these.")
def list_(state: str | None) -> None:
    """List the entries, oldest first: number, state, response and version, since when, why."""
    from fhir_service.store.outbox import entries  # noqa: PLC0415  costs CPU

    count = 0
    with installation.service() as service:
        for one in entries(service.store, state):
            count += 1
            click.echo(
                f"{one.number}\t{one.state}\tQuestionnaireResponse/{one.resource_id}"
                f"/_history/{one.resource_version}\t{one.created.isoformat(timespec='seconds')}"
                f"\t{one.reason or '-'}"
            )
    click.echo(f"{count} entries", err=True)


@command.command("show")
@click.argument("number", type=int)
def show(number: int) -> None:
    """Show one entry, and every attempt to deliver it."""
    from fhir_service.store.deliveries import attempts  # noqa: PLC0415  costs CPU
    from fhir_service.store.outbox import entry  # noqa: PLC0415

    with installation.service() as service:
        one = entry(service.store, number)
        ledger = attempts(service.store, number)
    if one is None:
        raise Failed(f"there is no outbox entry {number}")
    click.echo("\n".join(_told(one)))
    for attempt in ledger:
        click.echo(_line(attempt))


@command.command("retry")
@click.argument("numbers", type=int, nargs=-1)
@click.option("--state", type=click.Choice(("refused", "given-up", "unknown")), default=None)
def retry(numbers: tuple[int, ...], state: str | None) -> None:
    """Look at entries again at once, by number, or all of a state.

    An unknown one is read back where the EHR allows, never sent blindly.
    """
    from fhir_service.store.outbox import entries  # noqa: PLC0415  costs CPU
    from fhir_service.store.outbox import retry as again  # noqa: PLC0415

    with installation.service() as service:
        chosen = list(numbers)
        if state is not None:
            chosen += [one.number for one in entries(service.store, state)]
        if not chosen:
            raise Failed("name entries by number, or a --state")
        for number in chosen:
            one = again(service.store, number, service.site.clock.now())
            click.echo(f"{one.number}\t{one.state}")


@command.command("release")
@click.argument("number", type=int)
@click.option("--encounter", default=None, help="The EHR's id of the Encounter to file it to.")
def release(number: int, encounter: str | None) -> None:
    """Send an entry though the visit is over, or though it may have arrived: you have looked."""
    from fhir_service.store.outbox import release as let_go  # noqa: PLC0415  costs CPU

    with installation.service() as service:
        one = let_go(service.store, number, service.site.clock.now(), encounter)
    click.echo(f"{one.number}\t{one.state}")


@command.command("filed")
@click.argument("number", type=int)
@click.option("--ehr-id", default=None, help="The id of the note at the EHR, where it is known.")
def filed(number: int, ehr_id: str | None) -> None:
    """Say that an entry is in the chart, so that it is not sent any more."""
    from fhir_service.store.outbox import filed as close  # noqa: PLC0415  costs CPU

    with installation.service() as service:
        one = close(service.store, number, service.site.clock.now(), ehr_id)
    click.echo(f"{one.number}\t{one.state}")


@command.command("extracted")
@click.argument("number", type=int)
def extracted(number: int) -> None:
    """Send what is extracted from an entry's response, where target and EHR take it.

    After a lost answer it may be asked for again: nothing is made twice.
    """
    from fhir_service.store.deliveries import StoredLedger  # noqa: PLC0415  costs CPU
    from fhir_service.store.outbox import entry  # noqa: PLC0415
    from fhir_service.workflow.ehr import EhrTrouble  # noqa: PLC0415
    from fhir_service.workflow.send_extracted import send_extracted  # noqa: PLC0415

    with installation.service() as service:
        one = entry(service.store, number)
        if one is None:
            raise Failed(f"there is no outbox entry {number}")
        if service.site.ehr is None:
            raise Failed("no EHR is configured; set FHIR_SERVICE_EHR_BASE.")
        ledger = StoredLedger(service.store, service.site.clock.now, "operator")
        try:
            statement = service.site.ehr.capabilities()
            sent = send_extracted(service.site, service.target(), statement, ledger, one)
        except EhrTrouble as trouble:
            raise Failed(f"not sent, or not known whether it was: {trouble}") from None
    click.echo(f"{sent.created} created, {sent.found} were there")


def _told(one: Entry) -> list[str]:
    there = f"{one.ehr_type or ''}/{one.ehr_id}" if one.ehr_id else "-"
    return [
        f"number:    {one.number}",
        f"response:  QuestionnaireResponse/{one.resource_id}",
        f"version:   {one.resource_version}",
        f"state:     {one.state}",
        f"created:   {one.created.isoformat()}",
        f"due:       {one.due.isoformat()}",
        f"deadline:  {one.deadline.isoformat() if one.deadline else '-'}",
        f"attempts:  {one.attempts}",
        f"reason:    {one.reason or '-'}",
        f"encounter: {one.encounter or '-'}",
        f"at EHR:    {there}",
    ]


def _line(one: Attempt) -> str:
    ended = one.ended.isoformat(timespec="seconds") if one.ended else "not known"
    status = "-" if one.status is None else str(one.status)
    return (
        f"attempt:   {one.began.isoformat(timespec='seconds')} to {ended}, by {one.route}, "
        f"{one.result or 'open'}, HTTP {status}, {one.reason or '-'}, {one.size} bytes, "
        f"SHA-256 {one.sha256}"
    )
