"""link: makes, lists and revokes links by which a patient fills one form without login.

https://cheatsheetseries.owasp.org/cheatsheets/Forgot_Password_Cheat_Sheet.html#url-tokens
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import click

from fhir_service.cli import installation

if TYPE_CHECKING:
    from fhir_service.workflow.caller import Caller


@click.group("link")
def command() -> None:
    """Make, list or revoke links that need no login."""


@command.command("create")
@click.option("--patient", required=True, help="Id of a Patient that is stored, with birthDate.")
@click.option("--form", "questionnaire", required=True, help="Canonical of the form: url|version.")
@click.option("--days", type=click.IntRange(1, 366), default=14, show_default=True)
@click.option("--uses", type=click.IntRange(1, 100), default=10, show_default=True)
@click.option("--language", default=None, help="Language of the page, such as es.")
@click.option("--response", default=None, help="Id of a response to go on with.")
def create(
    *,
    patient: str,
    questionnaire: str,
    days: int,
    uses: int,
    language: str | None,
    response: str | None,
) -> None:
    """Print a new link, alone, on standard output.

    It opens one form for one patient, for who knows the date of birth. Send it to her alone; it
    can not be shown again.
    """
    from fhir_service.workflow import links  # noqa: PLC0415  costs CPU

    with installation.service() as service:
        expires = service.site.clock.now() + timedelta(days=days)
        terms = links.Terms(expires, uses, language, response)
        made = links.create_link(
            service.site, operator(), patient=patient, questionnaire=questionnaire, terms=terms
        )
        click.echo(made.address)
        click.echo(f"link {made.id}, response {made.response}, until {made.expires:%F}", err=True)


@command.command("list")
@click.option("--patient", default=None, help="Those of one patient.")
def list_(patient: str | None) -> None:
    """List the newest links with their state; their addresses are not kept."""
    with installation.service() as service:
        reader = service.store.reading().links
        found = reader.of_patient(patient) if patient else reader.newest(200)
        now = service.site.clock.now()
        for link in found:
            click.echo(
                f"{link.id}  {link.state(now):8} until {link.expires:%F}  {link.uses_left:3} uses"
                f"  Patient/{link.patient}  {link.questionnaire}"
            )


@command.command("revoke")
@click.argument("id_", metavar="ID")
def revoke(id_: str) -> None:
    """Close the link with this ID, and the sessions that it opened."""
    from fhir_service.workflow import links  # noqa: PLC0415  costs CPU

    with installation.service() as service:
        was_open = links.revoke_link(service.site, operator(), id_)
    click.echo("revoked" if was_open else "it was revoked before", err=True)


def operator() -> Caller:
    """Who runs a command: it may do what every system may."""
    from fhir_service.smart.access import Access  # noqa: PLC0415  costs CPU
    from fhir_service.smart.scopes import read_scopes  # noqa: PLC0415
    from fhir_service.workflow.caller import Caller  # noqa: PLC0415

    return Caller("operator", None, Access(read_scopes("system/*.cruds")))
