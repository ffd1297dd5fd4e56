"""The facts as a JSON list: each line with its section, words, values and what it was made from.

Made for programs that check or count; the same facts as in every rendering.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from fhir_service.summary.model import Change, Fact, Origin, Summary, Value


def listing(summary: Summary) -> dict[str, Any]:
    """Banner, facts in the order of the page, and all answers in the order of their forms."""
    return {
        "title": summary.title,
        "language": summary.language,
        "made": summary.made.isoformat(timespec="milliseconds"),
        "banner": [summary.patient_line, *summary.banner],
        "facts": [
            _fact(fact, section.kind.title)
            for section in summary.sections
            for fact in section.facts
        ],
        "answers": [
            {
                "questionnaire": f"{form.url}|{form.form_version}",
                "response": form.response,
                "version": form.response_version,
                "status": form.status,
                "items": [
                    {
                        "linkId": asked.link_id,
                        "text": asked.text,
                        "state": asked.state,
                        "values": [_value(value) for value in asked.values],
                    }
                    for asked in form.asked
                ],
            }
            for form in (*summary.appendix, *summary.earlier)
        ],
    }


def _fact(fact: Fact, title: str) -> dict[str, Any]:
    cells = [
        {"label": cell.label, "values": [_value(value) for value in cell.values]}
        for cell in fact.cells
    ]
    told = {
        "section": fact.section,
        "sectionTitle": title,
        "kind": fact.kind,
        "label": fact.label,
        "values": [_value(value) for value in fact.values],
        "parts": cells,
        "says": fact.says,
        "rule": fact.rule,
        "change": _change(fact.change) if fact.change is not None else None,
        "derivedFrom": [_origin(origin) for origin in fact.derived_from],
    }
    return {key: one for key, one in told.items() if one not in ("", [], None)}


def _change(change: Change) -> dict[str, Any]:
    return {
        "direction": change.direction,
        "before": [_value(value) for value in change.before],
        "on": change.on,
        "course": list(_course(change)),
    }


def _course(change: Change) -> Iterator[dict[str, Any]]:
    for point in change.course:
        yield {
            "when": point.when.isoformat(),
            "level": None if point.level is None else str(point.level),
            "words": point.words,
        }


def _value(value: Value) -> dict[str, Any]:
    told = {
        "words": value.words,
        "kind": value.kind,
        "unit": value.unit,
        "sentAs": value.sent,
        "mark": value.mark,
        "from": _origin(value.origin) if value.origin is not None else None,
    }
    return {key: one for key, one in told.items() if one not in ("", None)}


def _origin(origin: Origin) -> dict[str, Any]:
    if origin.chart:
        return {"chart": origin.place}
    return {
        "response": f"QuestionnaireResponse/{origin.response}/_history/{origin.version}",
        "linkId": origin.link_id,
        "path": origin.place,
    }
