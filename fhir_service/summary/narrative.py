"""The XHTML narrative of a section: paragraphs, lists and tables alone, nothing hidden in style.

A reader may see only this, so it says everything that the section says. It holds no script, no
style, no link and no image. http://hl7.org/fhir/R4/narrative.html
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from fhir_service.summary.model import Asked, Cell, Fact, FormAnswers, Section, Summary, Value
from fhir_service.summary.visible import visible

_XHTML = "http://www.w3.org/1999/xhtml"
_STATES = {
    "not-answered": "not answered",
    "declined": "would rather not answer",
    "not-asked": "not asked, ruled out by another answer",
}


def div(body: str, language: str) -> str:
    """A narrative's div around XHTML that is already escaped."""
    tag = _text(language)
    return f'<div xmlns="{_XHTML}" lang="{tag}" xml:lang="{tag}">{body}</div>'


def section_div(section: Section, language: str) -> str:
    """The narrative of one section; each line has an id, by which the proof names it."""
    lines = (
        f'<li id="{line_id(section, number)}">{fact_words(one)}</li>'
        for number, one in enumerate(section.facts, start=1)
    )
    return div("<ul>" + "".join(lines) + "</ul>", language)


def line_id(section: Section, number: int) -> str:
    """The id of the line with this number (from 1), unlike that of any other section's."""
    return f"{section.kind.id}-{number}"


def banner_div(summary: Summary) -> str:
    """The narrative of the whole: whose it is, who answered when, and what it is not."""
    lines = (summary.patient_line, *summary.banner)
    return div("".join(f"<p>{_text(line)}</p>" for line in lines), summary.language)


def answers_div(form: FormAnswers, language: str) -> str:
    """Every answer of one response, in the order of its form, as one table."""
    about = (
        f"{form.title} {form.form_version}; response {form.response}, version "
        f"{form.response_version}, {form.status}; answered {form.authored}; received "
        f"{form.received}; by {form.answered_by}"
    )
    rows = "".join(_row(asked) for asked in form.asked)
    head = "<thead><tr><th>Question</th><th>Answer</th></tr></thead>"
    return div(f"<p>{_text(about)}</p><table>{head}<tbody>{rows}</tbody></table>", language)


def _row(asked: Asked) -> str:
    question = _text(asked.text) + (" (calculated)" if asked.calculated else "")
    if asked.state == "not-in-form":
        question = f"Not in the form: {_text(asked.link_id)} {question}"
    if asked.state == "group":
        return f"<tr><td><b>{question}</b></td><td></td></tr>"
    answers = "<br/>".join(_answer(value) for value in asked.values)
    return f"<tr><td>{question}</td><td>{answers or _STATES.get(asked.state, '')}</td></tr>"


def _answer(value: Value) -> str:
    sent = f" (sent as &quot;{_text(value.sent)}&quot;)" if value.sent else ""
    return f"{_value(value)}{sent}"


def fact_words(fact: Fact) -> str:
    """One fact as XHTML inside a list item."""
    parts = [f"<b>{_text(fact.label)}</b>"] if fact.label else []
    if fact.change is not None:
        change = fact.change
        now = f", {_listed(fact.values)}" if fact.values else ""
        parts.append(f"{change.direction}{now} ({_listed(change.before)} on {_text(change.on)})")
        return " ".join(parts)
    if fact.values:
        parts.append(_listed(fact.values))
    told = "; ".join(_cells(fact.cells))
    if told:
        parts.append(f"- {told}" if fact.values else told)
    if fact.says:
        parts.append(_text(fact.says))
    return " ".join(parts)


def _cells(cells: Sequence[Cell]) -> Iterable[str]:
    for cell in cells:
        if cell.values:
            label = "" if cell.bare or not cell.label else f"{_text(cell.label)}: "
            yield f"{label}{_listed(cell.values)}"


def _listed(values: Sequence[Value]) -> str:
    return "; ".join(_value(value) for value in values)


def _value(value: Value) -> str:
    words = _text(value.words)
    if value.kind == "patient-words":
        return f"&quot;{words}&quot;"
    return f"{words} {_text(value.unit)}" if value.unit else words


def _text(words: str) -> str:
    return escape(visible(words)).replace("\n", "<br/>")
