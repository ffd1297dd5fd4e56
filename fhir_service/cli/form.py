"""form: checks, outlines and publishes Questionnaires and their terminology, from files.

http://hl7.org/fhir/R4/questionnaire.html
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
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
@click.option(
    "--format",
    "format_",
    type=click.Choice(("text", "json")),
    default="text",
    show_default=True,
    help="Lines to read, or one OperationOutcome.",
)
@click.option(
    "--grade",
    type=click.FloatRange(1, 20),
    default=6.0,
    show_default=True,
    help="The school grade that patients' texts should be read by.",
)
def check(files: tuple[Path, ...], format_: str, grade: float) -> None:
    """Check Questionnaire files: every finding with its place and how to mend it.

    Advice on plain words comes besides. Exit status 1 when one has an error.
    """
    from fhir_service.cli import form_check  # noqa: PLC0415  `--help` needs none of it

    bodies = {path: path.read_bytes() for path in files}
    known = form_check.Files(_forms(bodies))
    found = {path: form_check.findings(body, known, grade) for path, body in bodies.items()}
    if format_ == "json":
        click.echo(json.dumps(form_check.as_outcome(found), ensure_ascii=False, indent=2))
    else:
        for path, issues in found.items():
            form_check.show(path, issues)
    if any(form_check.is_broken(issues) for issues in found.values()):
        raise click.exceptions.Exit(1)


def _forms(bodies: Mapping[Path, bytes]) -> Iterator[dict[str, Any]]:
    """The forms that can be read. Raises Failed for a file that is another resource."""
    from fhir_service.fhir.reading import read_json  # noqa: PLC0415  costs CPU

    for path, body in bodies.items():
        try:
            form = read_json(body)
        except NotUnderstood:
            continue  # told with the findings of that file
        if form.get("resourceType") != "Questionnaire":
            raise Failed(f"{path} is no Questionnaire.")
        yield form


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
