"""ehr: which route a target would take at the live EHR, what it changed, and our keys there.

http://hl7.org/fhir/R4/capabilitystatement.html
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import click

from fhir_service.cli import installation
from fhir_service.cli.main import Failed

if TYPE_CHECKING:
    from pathlib import Path

    from fhir_service.wiring import Service
    from fhir_service.workflow.ehr import Ehr
    from fhir_service.workflow.plan import Planned


@click.group("ehr")
def command() -> None:
    """See what the EHR takes, what it changed, and our keys there."""


@command.command("targets")
def targets() -> None:
    """List the targets: those that ship, and the site's own."""
    from fhir_service.catalogue.ehr_targets import load_target, target_names  # noqa: PLC0415

    with installation.service() as service:
        folders = _folders(service)
    for name in target_names(*folders):
        click.echo(f"{name}\t{load_target(name, *folders).title}")


@command.command("plan")
@click.argument("name", required=False)
def plan(name: str | None) -> None:
    """Print from the live CapabilityStatement which route target NAME would take.

    With which fields, and what would be lost. Nothing is sent. Exit status 1 where no route is
    possible.
    """
    from fhir_service.catalogue.ehr_targets import load_target  # noqa: PLC0415  costs CPU
    from fhir_service.catalogue.summary_mappings import MappingFault  # noqa: PLC0415
    from fhir_service.workflow.ehr import EhrTrouble  # noqa: PLC0415
    from fhir_service.workflow.plan import plan as made_of  # noqa: PLC0415

    with installation.service() as service:
        try:
            target = load_target(name or service.settings.ehr_target, *_folders(service))
            statement = service.site.ehr.capabilities() if service.site.ehr else None
        except MappingFault as wrong:
            raise Failed(str(wrong)) from None
        except EhrTrouble as trouble:
            raise Failed(f"the EHR could not be asked: {trouble}") from None
    made = made_of(target, statement)
    said = (statement or {}).get("software", {})
    click.echo(f"target:  {target.name} ({target.title})")
    click.echo(f"EHR:     {said.get('name', '-')} {said.get('version', '')}".rstrip())
    for number, one in enumerate(made.planned, 1):
        chosen = "TAKEN" if one is made.chosen else "possible" if one.possible else "not possible"
        click.echo(f"\nroute {number}: {one.route.kind} - {chosen}")
        _show(one)
    for remark in target.remarks:
        click.echo(f"\nnote: {remark}")
    if made.chosen is None:
        click.echo("\nNo route is possible: nothing would be delivered.")
        raise click.exceptions.Exit(1)


@command.command("changes")
@click.option("--read", is_flag=True, help="Ask the EHR now, instead of telling what is kept.")
def changes(*, read: bool) -> None:
    """Tell what the EHR declares otherwise than before; it is asked once a day by itself."""
    from fhir_service.store.ehr_statements import StoredStatements  # noqa: PLC0415  costs CPU
    from fhir_service.workflow.ehr import EhrTrouble  # noqa: PLC0415
    from fhir_service.workflow.today import KINDS, read_today  # noqa: PLC0415
    from fhir_service.workflow.today import changes as between  # noqa: PLC0415

    with installation.service() as service:
        ehr = _must_have_ehr(service)
        statements = StoredStatements(service.store)
        if read:
            try:
                read_today(ehr, statements, service.site.clock.now())
            except EhrTrouble as trouble:
                raise Failed(f"the EHR could not be asked: {trouble}") from None
        for kind in KINDS:
            kept = statements.newest(ehr.base, kind, 1000)
            if not kept:
                click.echo(f"{kind}: never read yet; use --read")
                continue
            click.echo(f"{kind}: last read {kept[0].last_seen.isoformat(timespec='minutes')}")
            for later, earlier in pairwise(kept):
                for line in between(kind, earlier.json(), later.json()):
                    click.echo(f"  {later.first_seen.isoformat(timespec='minutes')}  {line}")


@command.group("keys")
def keys() -> None:
    """Our keys at the EHR, published at /auth/ehr/jwks."""


@keys.command("list")
def list_keys() -> None:
    """List the keys that are published; the one that signs is marked."""
    with installation.service() as service:
        if service.settings.ehr_key is not None:
            click.echo("The key is the operator's own (EHR_KEY).")
            return
        mine = service.ehr_keys()
        signing = mine.signing()["kid"]
        for key in mine.published():
            click.echo(f"{key['kid']}\t{key['alg']}\t{'signs' if key['kid'] == signing else ''}")


@keys.command("rotate")
def rotate() -> None:
    """Make a new key: published at once, it signs an hour later; the one before stays good."""
    with installation.service() as service:
        if service.settings.ehr_key is not None:
            raise Failed("the key is the operator's own; change EHR_KEY.")
        click.echo(service.ehr_keys().rotate())


def _show(one: Planned) -> None:
    for title, lines in (
        ("because", one.because),
        ("sends", one.fields if one.possible else ()),
        ("lost", one.lost if one.possible else ()),
    ):
        for line in lines:
            click.echo(f"  {title + ':':9}{line}")


def _folders(service: Service) -> list[Path]:
    from fhir_service.catalogue.shipped import folder  # noqa: PLC0415  costs CPU

    own = service.settings.ehr_targets_dir
    return [*([own] if own else []), folder("mappings") / "ehr-targets"]


def _must_have_ehr(service: Service) -> Ehr:
    if service.site.ehr is None:
        raise Failed("no EHR is configured; set FHIR_SERVICE_EHR_BASE.")
    return service.site.ehr
