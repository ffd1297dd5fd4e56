"""Sheets that are hard to get on one screen: with history and plots, in Spanish, of many words."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Final

from fhir_service.render.html import html
from fhir_service.summary.facts import Summary, summarise
from fhir_service.summary.model import Look
from tests.support.summaries import (
    ADA,
    FORMS,
    NOW,
    ZONE,
    earlier_typical,
    example,
    followed,
    mapping,
    source,
    typical,
)

STYLE: Final = "/static/summary.css?v=0123456789abcdef"
LINKS: Final = (
    ("answers", "All answers"),
    ("pdf", "PDF"),
    ("text", "Text for a note"),
    ("/summary/", "All visits"),
)
NAMES: Final = ("typical", "followed", "everything", "spanish", "long")
_MORE: Final = " and so it goes on, from the morning until the night, ever since we last spoke" * 8


def sheet_page(name: str) -> str:
    """The sheet of one screen as /summary/ serves it."""
    return html(summary_named(name), Look("sheet", "answers", STYLE, LINKS))


def summary_named(name: str) -> Summary:
    """The summary of one of ``NAMES``."""
    if name == "typical":
        return typical()
    if name in ("followed", "everything"):
        return followed("typical" if name == "followed" else name)
    sources = [source(form, example(form), number) for number, form in enumerate(FORMS, start=1)]
    if name == "long":
        sources = [replace(one, response=_longer(one.response)) for one in sources]
    return summarise(
        sources,
        mapping(),
        patient=ADA,
        now=NOW,
        zone=ZONE,
        language="es" if name == "spanish" else "en",
        earlier=earlier_typical(),
    )


def _longer(told: Any) -> Any:
    """The same answers, each of the patient's own with many more words."""
    if isinstance(told, dict):
        return dict(_members(told))
    return [_longer(one) for one in told] if isinstance(told, list) else told


def _members(told: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, value in told.items():
        yield name, value + _MORE if name == "valueString" else _longer(value)
