"""client: register the programs that may ask for tokens, list them, remove them.

https://hl7.org/fhir/smart-app-launch/client-confidential-asymmetric.html#registering-a-client-communicating-public-keys
"""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from fhir_service.cli import installation
from fhir_service.cli.main import Failed

if TYPE_CHECKING:
    from fhir_service.workflow.oauth.model import AuthMethod, Client


@click.group("client")
def command() -> None:
    """Register the programs that may ask for tokens, list or remove them."""


@command.command("add")
@click.argument("client_id")
@click.option("--name", default=None, help="What people are shown on the consent page.")
@click.option("--scope", required=True, help="All that it may ever be given, in SMART scopes.")
@click.option(
    "--backend", is_flag=True, help="A backend service: client_credentials, system scopes."
)
@click.option(
    "--cds-hooks", is_flag=True, help="A CDS client: its id is the issuer (iss) of its JWTs."
)
@click.option(
    "--jwks",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="File with its public keys (JWK Set).",
)
@click.option("--jwks-url", default=None, help="https address of its public keys.")
@click.option("--secret", is_flag=True, help="Make a shared secret, and print it once.")
@click.option("--public", is_flag=True, help="A public app: it can keep no secret.")
@click.option("--redirect-uri", multiple=True, help="An app's address; may be given repeatedly.")
@click.option("--launch-url", default=None, help="Where the app is launched from here.")
@click.option("--introspects", is_flag=True, help="It may ask about tokens of others.")
def add(client_id: str, scope: str, **given: Any) -> None:
    """Register a client.

    A backend service gives --backend and its keys; an EHR that calls our CDS services
    --cds-hooks and its keys; an app gives --redirect-uri and its keys,
    --secret or --public.
    """
    from fhir_service.workflow.oauth.registering import (  # noqa: PLC0415  costs CPU
        must_be_sound,
        new_client_secret,
    )

    with installation.service() as service:
        client = _client(client_id, scope, given)
        client = replace(client, created=service.site.clock.now())
        secret = None
        if client.auth == "client_secret":
            secret, kept = new_client_secret()
            client = replace(client, secret_sha256=kept)
        must_be_sound(client)
        service.authorizations.register(client)
        click.echo(f"Registered {client.id}: {', '.join(client.grants)}; {client.auth}.", err=True)
        click.echo(f"Token endpoint: {service.site.base_url}/auth/token", err=True)
        if secret is not None:
            click.echo("Its secret follows, this once:", err=True)
            click.echo(secret)


@command.command("list")
def list_() -> None:
    """List the clients: id, how they show who they are, grants, scopes, name."""
    with installation.service() as service:
        found = service.authorizations.clients()
        for one in found:
            click.echo(f"{one.id}\t{one.auth}\t{','.join(one.grants)}\t{one.scope}\t{one.name}")
    click.echo(f"{len(found)} clients", err=True)


@command.command("remove")
@click.argument("client_id")
def remove(client_id: str) -> None:
    """Remove a client: it gets no token any more, and those it has end within seconds."""
    from fhir_service.smart.tokens import LONGEST_SECONDS  # noqa: PLC0415  costs CPU

    with installation.service() as service:
        until = service.site.clock.now() + timedelta(seconds=LONGEST_SECONDS)
        if not service.authorizations.remove(client_id, until):
            raise Failed(f"there is no client {client_id}")
    click.echo(f"Removed {client_id}.", err=True)


def _client(client_id: str, scope: str, given: dict[str, Any]) -> Client:
    """The client as it was described. Raises Failed where the options do not go together."""
    from datetime import UTC, datetime  # noqa: PLC0415  with this command only

    from fhir_service.workflow.oauth.model import Client  # noqa: PLC0415

    grants = ["client_credentials"] if given["backend"] else []
    grants += ["cds-hooks"] if given["cds_hooks"] else []
    grants += ["authorization_code"] if given["redirect_uri"] else []
    return Client(
        id=client_id,
        name=given["name"] or client_id,
        auth=_auth(given),
        grants=tuple(grants),
        scope=" ".join(scope.split()),
        created=datetime.now(UTC),
        redirect_uris=tuple(given["redirect_uri"]),
        jwks=_jwks(given["jwks"]),
        jwks_url=given["jwks_url"],
        launch_url=given["launch_url"],
        introspects=given["introspects"],
    )


def _auth(given: dict[str, Any]) -> AuthMethod:
    ways: dict[AuthMethod, bool] = {
        "private_key_jwt": bool(given["jwks"] or given["jwks_url"]),
        "client_secret": given["secret"],
        "none": given["public"],
    }
    chosen = [way for way, is_given in ways.items() if is_given]
    if len(chosen) != 1 or (given["jwks"] and given["jwks_url"]):
        raise Failed("give exactly one of --jwks, --jwks-url, --secret and --public")
    return chosen[0]


def _jwks(file: Path | None) -> dict[str, Any] | None:
    """The public keys of the file. Private ones are refused: they are the client's alone."""
    if file is None:
        return None
    try:
        said = json.loads(file.read_bytes())
    except ValueError:
        raise Failed(f"{file} is not JSON") from None
    if isinstance(said, dict) and "kty" in said:
        said = {"keys": [said]}
    keys = said.get("keys") if isinstance(said, dict) else None
    if not isinstance(keys, list) or not all(isinstance(key, dict) for key in keys):
        raise Failed(f"{file} is no JWK Set")
    if any("d" in key or "k" in key for key in keys):
        raise Failed(f"{file} holds private keys; register the public ones, and keep those away")
    return {"keys": keys}


@command.command("launch")
@click.argument("client_id")
@click.option("--patient", required=True, help="Id of the patient whom the app opens with.")
@click.option("--encounter", default=None, help="Id of the encounter.")
def launch(client_id: str, patient: str, encounter: str | None) -> None:
    """Print the address that launches an app with a patient, good once and for five minutes."""
    from urllib.parse import urlencode  # noqa: PLC0415  with this command only

    from fhir_service.workflow.oauth.authorizing import new_launch  # noqa: PLC0415

    with installation.service() as service:
        client = service.authorizations.client(client_id)
        if client is None or client.launch_url is None:
            raise Failed(f"there is no client {client_id} with a launch URL")
        made = new_launch(service.authority, patient, encounter)
        query = urlencode({"iss": service.authority.fhir_base, "launch": made})
        join = "&" if "?" in client.launch_url else "?"
        click.echo(f"{client.launch_url}{join}{query}")


@command.command("key")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--rs384", is_flag=True, help="RSA for RS384, instead of P-384 for ES384.")
def key(file: Path, *, rs384: bool) -> None:
    """Make a private key for a client in a new FILE; print its public half as a JWK Set.

    The file is the client's alone: register what is printed.
    """
    import os  # noqa: PLC0415  with this command only
    import secrets  # noqa: PLC0415

    from fhir_service.smart.assertions import (  # noqa: PLC0415  costs CPU
        new_client_key,
        public_client_keys,
    )

    made = new_client_key(secrets.token_hex(8), "RS384" if rs384 else "ES384")
    try:
        opened = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise Failed(f"{file} is there already; name a new file") from None
    with os.fdopen(opened, "w", encoding="utf-8") as out:
        json.dump(made, out)
    click.echo(json.dumps(public_client_keys([made])))


@command.command("assertion")
@click.argument("client_id")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--token-url", default=None, help="[default: that of this installation]")
def assertion(client_id: str, file: Path, token_url: str | None) -> None:
    """Print an assertion signed with the private key in FILE: for trying, or for a script.

    It opens the token endpoint once, within four minutes.
    """
    import secrets  # noqa: PLC0415  with this command only
    import time  # noqa: PLC0415

    from fhir_service.smart.assertions import (  # noqa: PLC0415  costs CPU
        client_assertion,
        read_client_key,
    )

    try:
        private = read_client_key(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as wrong:
        raise Failed(f"{file} {wrong}") from None
    address = token_url or f"{installation.remembered_address_of()}/auth/token"
    now = int(time.time())
    jti = secrets.token_urlsafe(16)
    click.echo(client_assertion(private, client_id=client_id, audience=address, jti=jti, now=now))
