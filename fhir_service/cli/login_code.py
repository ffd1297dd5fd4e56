"""login-code: lets one member of staff in, once, where no EHR does it.

https://pages.nist.gov/800-63-4/sp800-63b.html
"""

from __future__ import annotations

import click

from fhir_service.cli import installation


@click.command("login-code")
@click.option("--name", required=True, help="Who is let in, as the audit and the page name them.")
@click.option("--minutes", type=click.IntRange(1, 60), default=10, show_default=True)
@click.option("--outbox", is_flag=True, help="She may retry, release and close what is owed.")
def command(name: str, minutes: int, *, outbox: bool) -> None:
    """Print a code for /login, alone, on standard output.

    It is good once, for a few minutes, and locked after five wrong tries. Who logs in with it
    reads the summaries of all patients: hand it to that person alone.
    """
    from fhir_service.workflow import login_codes  # noqa: PLC0415  costs CPU

    with installation.service() as service:
        click.echo(login_codes.create(service.site, name, minutes, outbox=outbox))
        click.echo(f"enter it at {service.site.base_url}/login", err=True)
