"""settings: every environment variable that the service reads. https://12factor.net/config"""

from __future__ import annotations

import click

from fhir_service.cli import installation
from fhir_service.settings import shown


@click.command("settings")
def command() -> None:
    """List every setting with its value, default, unit and meaning; no password is shown."""
    for setting, value in shown(installation.settings()):
        click.echo(f"{setting.variable} = {value}")
        click.echo(f"    {setting.meaning}")
        click.echo(f"    default: {setting.default or '(not set)'}; unit: {setting.unit}")
