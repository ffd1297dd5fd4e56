"""form: checks, outlines and publishes Questionnaires and their terminology, from files.

http://hl7.org/fhir/R4/questionnaire.html
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import click

from fhir_service.cli import installation
from fhir_service.cli.findings import show
from fhir_service.cli.main import Failed
from fhir_service.fhir.issues import NotUnderstood, Refusal

PUBLISHED: Final = ("Questionnaire", "ValueSet", "CodeSystem", "ConceptMap")

file = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group("form")
def command() -> None:
    """Check, outline or publish forms."""


@command.command("check")
@click.argument("files", nargs=-1, required=True, type=file)
def check(files: tuple[Path, ...]) -> None:
    """Check Questionnaire files, a line for each finding; exit status 1 when one has an error."""
    from fhir_service.sdc.form_rules import check_questionnaire  # noqa: PLC0415  costs CPU

    broken = False
    for path in files:
        try:
            found = check_questionnaire(_resource(path, "Questionnaire"))
        except NotUnderstood as refusal:
            found = refusal.issues
        wrong = show(str(path), found)
        click.echo(f"{path}: {'broken' if wrong else 'good'}")
        broken = broken or wrong
    if broken:
        raise click.exceptions.Exit(1)


@command.command("outline")
@click.argument("file", type=file)
def outline(file: Path) -> None:
    """Print a Questionnaire in words: each item, its limits, conditions and options."""
    from fhir_service.catalogue.outline import outline as in_words  # noqa: PLC0415  costs CPU

    click.echo(in_words(_resource(file, "Questionnaire")), nl=False)


@command.command("publish")
@click.argument("files", nargs=-1, required=True, type=file)
def publish(files: tuple[Path, ...]) -> None:
    """Publish forms, value sets, code systems and concept maps, in the order given.

    One with an id is stored under it. An active version never changes: the same content again
    is fine, other content is refused; then nothing more is published.
    """
    from fhir_service.workflow import publish as use_case  # noqa: PLC0415  costs CPU
    from fhir_service.workflow.install import OURSELVES  # noqa: PLC0415

    read = [(path, _resource(path, *PUBLISHED)) for path in files]
    with installation.service() as service:
        for path, resource in read:
            type_, id_ = resource["resourceType"], resource.get("id")
            try:
                if id_ is None:
                    kept = use_case.create(service.site, OURSELVES, type_, path.read_bytes())
                else:
                    kept = use_case.update(service.site, OURSELVES, type_, id_, path.read_bytes())
            except Refusal as refusal:
                show(str(path), refusal.issues)
                raise Failed(f"{path} was not published: {refusal.says}") from None
            show(str(path), kept.findings)
            stored = kept.stored
            done = "published as" if kept.changed else "was there already:"
            click.echo(f"{path}: {done} {type_}/{stored.id}, version {stored.version}")


def _resource(path: Path, *types: str) -> dict[str, Any]:
    from fhir_service.fhir.reading import read_json  # noqa: PLC0415  costs CPU

    resource = read_json(path.read_bytes())
    if resource.get("resourceType") not in types:
        raise Failed(f"{path} is no {' or '.join(types)}.")
    return resource
