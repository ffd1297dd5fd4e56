"""keys: the keys that access tokens and id_tokens are signed with.

https://www.rfc-editor.org/rfc/rfc7517
"""

from __future__ import annotations

import click

from fhir_service.cli import installation


@click.group("keys")
def command() -> None:
    """List or rotate the keys that tokens are signed with."""


@command.command("list")
def list_() -> None:
    """List the keys that verify tokens, those in use first of their kind."""
    with installation.service() as service:
        for key in service.site.keys.published():
            click.echo(f"{key['kid']}\t{key['alg']}")


@command.command("rotate")
@click.option("--at-once", is_flag=True, help="A key has leaked: its tokens end.")
def rotate(*, at_once: bool) -> None:
    """Sign with new keys from now on.

    The old ones verify until the last token that was signed with them has ended. A running
    service follows within ten seconds.
    """
    with installation.service() as service:
        for kid in service.keys.rotate(at_once=at_once):
            click.echo(kid)
