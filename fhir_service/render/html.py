"""The summary as one self-contained page: no script, nothing fetched, good on paper.

Every value links to the question and answer that it came from. https://www.w3.org/TR/WCAG22/
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template
from markupsafe import Markup

from fhir_service.render.sparkline import sparkline
from fhir_service.render.text import sheet
from fhir_service.summary.model import WHOLE, Change, Fact, Look, Summary, Value
from fhir_service.summary.visible import visible

_TEMPLATES = Path(__file__).resolve().parent / "templates"


def html(summary: Summary, look: Look = WHOLE) -> str:
    """The page. Every word of the patient is escaped; hidden marks are shown as ``<U+202E>``."""
    return _template().render(summary=summary, sheet=sheet(summary), look=look)


@cache
def _template() -> Template:
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["visible"] = visible
    environment.filters["sparkline"] = _drawn
    environment.filters["anchored"] = _anchors
    environment.filters["runs"] = _runs
    return environment.get_template("summary.html.jinja")


def _drawn(change: Change) -> Markup:
    """The drawing, which escapes what it says itself."""
    return Markup(sparkline(change))  # noqa: S704  made of numbers and escaped words


def _anchors(fact: Fact) -> list[str]:
    """Where the answers lie that the line rests on and does not show."""
    shown = {one.anchor for one in replace(fact, grounds=()).derived_from}
    return [one for one in dict.fromkeys(each.anchor for each in fact.grounds) if one not in shown]


def _runs(values: Sequence[Value]) -> list[tuple[str, str, list[Value]]]:
    """Neighbours that come from one answer line, with its anchor, or the place in the chart."""
    runs: list[tuple[str, str, list[Value]]] = []
    for value in values:
        origin = value.origin
        key = (origin.anchor, origin.place if origin.chart else "") if origin else ("", "")
        if runs and runs[-1][:2] == key:
            runs[-1][2].append(value)
        else:
            runs.append((*key, [value]))
    return runs
