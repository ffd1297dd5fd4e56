"""check: whether the mappings, shipped and of the site, say only what their forms bear out.

http://hl7.org/fhir/R4/questionnaire.html
"""

from __future__ import annotations

from pathlib import Path

import click

from fhir_service.cli import installation
from fhir_service.cli.findings import show
from fhir_service.cli.main import Failed
from fhir_service.fhir.issues import Refusal


@click.command("check")
@click.argument("form", nargs=-1, type=click.Path(exists=True, dir_okay=False, path_type=Path))
def command(form: tuple[Path, ...]) -> None:
    """Check the mappings against the forms, and the EHR targets; status 1 when one is wrong.

    FORM: Questionnaires of the site's own that FHIR_SERVICE_SUMMARY_DIR has mappings for.
    """
    from fhir_service.catalogue.cross_checks import mapping_findings  # noqa: PLC0415  costs CPU
    from fhir_service.catalogue.extraction_checks import extraction_findings  # noqa: PLC0415
    from fhir_service.catalogue.extraction_mappings import (  # noqa: PLC0415
        load_extraction_mappings,
    )
    from fhir_service.catalogue.questionnaires import form_templates  # noqa: PLC0415
    from fhir_service.catalogue.shipped import folder  # noqa: PLC0415
    from fhir_service.catalogue.summary_files import summary_folders  # noqa: PLC0415
    from fhir_service.catalogue.summary_mappings import (  # noqa: PLC0415
        MappingFault,
        load_summary_mapping,
    )
    from fhir_service.fhir.reading import read_json  # noqa: PLC0415
    from fhir_service.sdc.compiled import compile_form  # noqa: PLC0415

    try:
        forms = [compile_form(read_json(path.read_bytes())) for path in (*form_templates(), *form)]
        mapping = load_summary_mapping(*summary_folders(installation.settings().summary_dir))
    except MappingFault as fault:
        raise Failed(str(fault)) from None
    except Refusal as refusal:
        raise Failed(f"a form can not be read: {refusal.says}") from None
    extraction = load_extraction_mappings(folder("mappings") / "extraction")
    found = (*mapping_findings(mapping, forms), *extraction_findings(extraction, forms))
    broken = show("mappings", found)
    click.echo(f"{len(forms)} forms, {len(mapping.rules)} rules: {'broken' if broken else 'good'}")
    wrong = _targets()
    if broken or wrong:
        raise click.exceptions.Exit(1)


def _targets() -> bool:
    """Whether one of the EHR targets that ship, or of the site's own, is wrong; which is told."""
    from fhir_service.catalogue.ehr_targets import load_target, target_names  # noqa: PLC0415
    from fhir_service.catalogue.shipped import folder  # noqa: PLC0415  costs CPU
    from fhir_service.catalogue.summary_mappings import MappingFault  # noqa: PLC0415

    own = installation.settings().ehr_targets_dir
    folders = [*([own] if own else []), folder("mappings") / "ehr-targets"]
    names, wrong = target_names(*folders), False
    for name in names:
        try:
            load_target(name, *folders)
        except MappingFault as fault:
            click.echo(f"ehr-targets: {fault}")
            wrong = True
    click.echo(f"{len(names)} EHR targets: {'broken' if wrong else 'good'}")
    return wrong
