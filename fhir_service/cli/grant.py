"""grant: what people allowed apps to see, listed and ended by the operator.

https://hl7.org/fhir/smart-app-launch/best-practices.html and
https://www.rfc-editor.org/rfc/rfc9700#section-4.14.2
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from fhir_service.cli import installation
from fhir_service.cli.main import Failed

if TYPE_CHECKING:
    from datetime import datetime

    from fhir_service.workflow.oauth.model import Grant

MOST = 200


@click.group("grant")
def command() -> None:
    """List or end what people allowed apps to see."""


@command.command("list")
@click.option("--patient", default=None, help="Those that reach one patient.")
@click.option("--client", default=None, help="Those of one client.")
def list_(patient: str | None, client: str | None) -> None:
    """List the newest grants: id, state, client, patient, since when, until when, scopes."""
    with installation.service() as service:
        found = service.authorizations.grants(patient, client, MOST)
        now = service.site.clock.now()
        for one in found:
            until = f"until {one.refresh_until:%F}" if one.refresh_until else "not renewed"
            reaches = f"Patient/{one.patient}" if one.patient else "-"
            click.echo(
                f"{one.id}  {_state(one, now):7}  {one.client}  {reaches}"
                f"  since {one.created:%F}  {until}  {one.scope}"
            )
    click.echo(f"{len(found)} grants", err=True)


@command.command("revoke")
@click.argument("id_", metavar="[ID]", required=False)
@click.option("--patient", default=None, help="All that reach one patient.")
def revoke(id_: str | None, patient: str | None) -> None:
    """End the grant with this ID, or all of one patient, as when a phone is lost.

    Its refresh token is good no more; its access tokens end within seconds.
    """
    if (id_ is None) == (patient is None):
        raise click.UsageError("give the ID of a grant, or --patient")
    with installation.service() as service:
        ended = service.authority.end_grants(id_, patient)
    if id_ is not None and not ended:
        raise Failed(f"there is no grant {id_} that is still good")
    click.echo(f"{ended} ended", err=True)


@command.command("end-token")
def end_token() -> None:
    """End one access token, read from standard input: it opens nothing within seconds.

    For a token that came into wrong hands, the operator's own too. On a command line it would
    stand in the list of processes.
    """
    token = sys.stdin.readline().strip()
    with installation.service() as service:
        service.authority.revoke_token(service.door.claims(token))
    click.echo("ended", err=True)


def _state(grant: Grant, now: datetime) -> str:
    """Whether tokens may still be made of it; one without renewal only ever makes its first."""
    if grant.revoked:
        return "revoked"
    if grant.refresh_until is None:
        return "once"
    return "good" if grant.refresh_until > now else "over"
