"""token: an access token of the embedded authorization server, for the operator.

https://hl7.org/fhir/smart-app-launch/scopes-and-launch-context.html
"""

from __future__ import annotations

import click

from fhir_service.cli import installation


@click.command("token")
@click.option("--scope", required=True, help='SMART scopes, such as "system/*.cruds".')
@click.option("--patient", default=None, help="Id of the one patient that patient/ scopes reach.")
@click.option(
    "--expires-in",
    type=click.IntRange(1, 31_536_000),
    default=None,
    help="Seconds the token is good for.  [default: FHIR_SERVICE_TOKEN_LIFETIME]",
)
def command(scope: str, patient: str | None, expires_in: int | None) -> None:
    """Print an access token, alone, on standard output.

    Works beside a running service on the same data directory or database. Give it no longer
    than it is needed; `fhir-service grant end-token` ends it before its time.
    """
    with installation.service() as service:
        lifetime = expires_in or service.settings.token_lifetime
        click.echo(service.door.new_token(scope, patient, lifetime))
