"""Findings, a line each, for a terminal. http://hl7.org/fhir/R4/operationoutcome.html"""

from __future__ import annotations

from collections.abc import Iterable

import click

from fhir_service.fhir.issues import Issue


def show(name: str, issues: Iterable[Issue]) -> bool:
    """Print each finding on what ``name`` names; whether one of them is an error."""
    broken = False
    for issue in issues:
        broken = broken or issue.severity in {"fatal", "error"}
        place = f" {issue.expression}" if issue.expression else ""
        item = f" [{issue.link_id}]" if issue.link_id else ""
        click.echo(f"{name}: {issue.severity}: {issue.key}:{place}{item} {issue.says}")
    return broken
