"""The summary as one self-contained page: no script, nothing fetched, good on paper.

Every value links to the question and answer that it came from. https://www.w3.org/TR/WCAG22/
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

from fhir_service.render.page_parts import Parts
from fhir_service.render.text import sheet
from fhir_service.summary.model import WHOLE, Look, Summary
from fhir_service.summary.visible import visible

TEMPLATES = Path(__file__).resolve().parent / "templates"


def html(summary: Summary, look: Look = WHOLE) -> str:
    """The page. Every word of the patient is escaped; hidden marks are shown as ``<U+202E>``."""
    part = Parts(look)
    return _template().render(summary=summary, sheet=sheet(summary), look=look, part=part)


@cache
def _template() -> Template:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["visible"] = visible
    return environment.get_template("summary.html.jinja")
