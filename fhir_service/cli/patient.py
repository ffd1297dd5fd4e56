"""patient: gives out, or erases, all that is stored of one patient.

https://gdpr-info.eu/art-15-gdpr/ and https://gdpr-info.eu/art-17-gdpr/
"""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING

import click
import orjson

from fhir_service.cli import installation
from fhir_service.cli.main import Failed

if TYPE_CHECKING:
    from fhir_service.wiring import Service
    from fhir_service.workflow.ports import Stored, Told


@click.group("patient")
def command() -> None:
    """Export or erase what is stored of a patient."""


@command.command("export")
@click.argument("patient")
@click.argument("folder", type=click.Path(path_type=Path))
def export(patient: str, folder: Path) -> None:
    """Write all that is stored of PATIENT (an id) into a new FOLDER.

    Each version is a file of its own, byte for byte as it was received; versions.jsonl tells
    number, time and method of each, audit.jsonl who did what, links.jsonl which links to a form
    she was given (their addresses are kept nowhere).
    """
    from fhir_service.store.people import export_patient  # noqa: PLC0415  costs CPU
    from fhir_service.workflow.ports import Stored  # noqa: PLC0415

    with installation.service() as service:
        folder.mkdir(mode=0o700)
        versions = lines = 0
        with (
            (folder / "versions.jsonl").open("xb") as index,
            (folder / "audit.jsonl").open("xb") as audit,
        ):
            for one in export_patient(service.store, patient):
                if isinstance(one, Stored):
                    index.write(_version(folder, one))
                    versions += 1
                else:
                    audit.write(orjson.dumps(dataclasses.asdict(one)) + b"\n")
                    lines += 1
        with (folder / "links.jsonl").open("xb") as given:
            for link in service.store.reading().links.of_patient(patient):
                given.write(orjson.dumps(dataclasses.asdict(link)) + b"\n")
        _tell(service, "$export", patient)
    click.echo(f"{folder}: {versions} versions, {lines} audit lines")


@command.command("erase")
@click.argument("patient")
@click.option("--yes", is_flag=True, help="Erase without asking.")
def erase(patient: str, *, yes: bool) -> None:
    """Remove all that is stored of PATIENT (an id); audit lines stay, they hold no answers.

    Backups made before still hold it.
    """
    from fhir_service.store.people import erase_patient  # noqa: PLC0415  costs CPU

    asked = f"Erase all that is stored of patient {patient}, for good?"
    if not yes and not click.confirm(asked):
        raise Failed("nothing was erased")
    with installation.service() as service:
        erased = erase_patient(service.store, patient, _told(service, "$erase", patient))
    if not erased.versions:
        raise Failed(f"nothing is stored of patient {patient}")
    click.echo(
        f"erased {erased.resources} resources in {erased.versions} versions"
        f" and {erased.outbox} outbox entries; {erased.audit_lines_kept} audit lines stay"
    )


def _version(folder: Path, stored: Stored) -> bytes:
    """Write one version's file; its line in the index."""
    place = folder / stored.resource_type
    place.mkdir(exist_ok=True)
    name = None
    if not stored.deleted:
        name = f"{stored.id}_{stored.version}.json"  # an id may be "..": never a name by itself
        with (place / name).open("xb") as file:
            file.write(stored.body)
    told = {
        "resourceType": stored.resource_type,
        "id": stored.id,
        "version": stored.version,
        "lastUpdated": stored.last_updated,
        "method": stored.method,
        "file": f"{stored.resource_type}/{name}" if name else None,
    }
    return orjson.dumps(told) + b"\n"


def _told(service: Service, interaction: str, patient: str) -> Told:
    from fhir_service.workflow.ports import Told  # noqa: PLC0415  costs CPU

    return Told(service.site.clock.now(), interaction, client="operator", patient=patient)


def _tell(service: Service, interaction: str, patient: str) -> None:
    told = _told(service, interaction, patient)
    service.store.write(lambda record: record.tell(told))
