"""The summary as plain text: 80 columns, our words in ASCII, the patient's as they are.

Made to be pasted into a note: no colour, no sign that carries a meaning of its own.
https://www.rfc-editor.org/rfc/rfc3676
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from fhir_service.render.fitting import Page, fit
from fhir_service.render.wrapping import WIDTH, wrapped
from fhir_service.summary.model import (
    Asked,
    Cell,
    Change,
    Fact,
    FormAnswers,
    Section,
    Summary,
    Value,
)
from fhir_service.summary.visible import plain, visible

FIRST_LINES = 45
SHEET_LINES = 46
SHEET_FURTHER_LINES = 33

_RANKED = {"flags", "questions", "changes", "table"}
_CLOSED = (".", "?", "!", '."', '?"', '!"')

_STATES = {
    "not-answered": "- not answered",
    "declined": "- would rather not answer",
    "not-asked": "- not asked (ruled out by another answer)",
}


def text(summary: Summary) -> str:
    """The whole summary: the page of 45 lines, what had no room on it, then every answer."""
    lines = _head(summary)
    page = fit(summary, FIRST_LINES - len(lines), None, _count)
    for section in page.first:
        lines.extend(_section(section, section.facts))
    below = page.joined(page.rest, page.further)
    lines += ["", "=" * WIDTH]
    lines.extend(_titled("APPENDIX: FURTHER, for reference and for the staff", below))
    if summary.earlier:
        lines += ["", "APPENDIX: EARLIER ANSWERS that this summary compares with"]
        for form in summary.earlier:
            lines.extend(_form(form))
    lines += ["", "APPENDIX: ALL ANSWERS, in the order of each form"]
    for form in summary.appendix:
        lines.extend(_form(form))
    return "\n".join(lines) + "\n"


def sheet(summary: Summary) -> Page:
    """What stands on one sheet of paper, or on one screen."""
    return fit(summary, SHEET_LINES, SHEET_FURTHER_LINES, _count)


def _count(section: Section, facts: Sequence[Fact]) -> int:
    return len([*_section(section, facts)])


def _head(summary: Summary) -> list[str]:
    return [
        *wrapped(f"{summary.title.upper()}: {visible(summary.patient_line)}"),
        *_banner(summary),
    ]


def _titled(head: str, sections: Sequence[Section]) -> Iterator[str]:
    """A part below the page, section by section; nothing where there is none."""
    if sections:
        yield from ("", head)
    for section in sections:
        yield from _section(section, section.facts)


def _banner(summary: Summary) -> Iterator[str]:
    standing = " ".join(line for line in summary.banner[:2])
    yield from wrapped(standing)
    for line in summary.banner[2:]:
        yield from wrapped(plain(visible(line)))


def _section(section: Section, facts: Sequence[Fact]) -> Iterator[str]:
    head = f"{section.kind.title.upper()}"
    ranked = section.kind.style in _RANKED and len(facts) > 1
    if ranked:
        first, *rest = _paragraphs(facts)
        if section.kind.style == "table":
            yield from wrapped(f"{head}: {_run(first)}")
        else:
            yield head
            rest = [first, *rest]
        for several in rest:
            yield from wrapped(_run(several), "- ")
    else:
        yield from wrapped(f"{head}: {_run(facts)}")


def _paragraphs(facts: Sequence[Fact]) -> list[list[Fact]]:
    """What is important, tabled or long stands on a line of its own; short facts share one."""
    made: list[list[Fact]] = []
    running = False
    for fact in facts:
        own = fact.important or bool(fact.cells) or fact.change is not None
        alone = own and not fact.folded
        if alone or not running:
            made.append([fact])
        else:
            made[-1].append(fact)
        running = not alone
    return made


def _run(facts: Sequence[Fact]) -> str:
    """Facts one after the other, a full stop between them where none is."""
    told = [_fact(fact) for fact in facts]
    if len(told) == 1:
        return told[0]
    return " ".join(one if one.endswith(_CLOSED) else f"{one}." for one in told)


def _fact(fact: Fact) -> str:
    """One fact in one run of words: label, values, what belongs to them, what it means."""
    label = plain(fact.label)
    if fact.change is not None:
        return _changed(fact, fact.change)
    parts = [label if not label or label.endswith(".") else f"{label}:"]
    parts.append("; ".join(_value(value) for value in fact.values))
    told = _cells(fact.cells)
    if told and fact.values:
        parts[-1] += ":"
    parts.append(told)
    if fact.says:
        loose = fact.rule or not (fact.values or told)
        gap = "- " if fact.rule and told else ""
        parts.append(f"{gap}{plain(fact.says)}" if loose else f"({plain(fact.says)})")
    return " ".join(part for part in parts if part)


def _changed(fact: Fact, change: Change) -> str:
    """A change: what it is, in which direction, now and before with the day."""
    now = "; ".join(_value(value) for value in fact.values)
    before = "; ".join(_value(value) for value in change.before)
    told = f"{change.direction}, {now}" if now else change.direction
    return f"{plain(visible(fact.label))}: {told} ({before} on {change.on})"


def _cells(cells: Sequence[Cell]) -> str:
    told = []
    for cell in cells:
        if cell.values:
            values = ", ".join(_value(value) for value in cell.values)
            told.append(values if cell.bare else f"{plain(cell.label)}: {values}")
    return "; ".join(told)


def _value(value: Value) -> str:
    words = visible(value.words)
    if value.kind == "patient-words":
        return f'"{words}"'
    return plain(f"{words} {value.unit}" if value.unit else words)


def _form(form: FormAnswers) -> Iterator[str]:
    yield ""
    yield from wrapped(plain(visible(f"{form.title} {form.form_version} ({form.url})")))
    yield from wrapped(
        f"Response {form.response}, version {form.response_version}, {form.status}; answered "
        f"{visible(form.authored)}; received {form.received}; by {visible(form.answered_by)}"
    )
    for asked in form.asked:
        yield from _asked(asked)


def _asked(asked: Asked) -> Iterator[str]:
    indent = "  " * (asked.depth + 1)
    question = plain(visible(asked.text))
    if asked.calculated:
        question += " (calculated)"
    if asked.state == "not-in-form":
        question = f"[not in the form: {asked.link_id}] {visible(asked.text)}"
    if asked.state in _STATES:
        question = f"{question} {_STATES[asked.state]}"
    yield from wrapped(question, indent)
    for value in asked.values:
        sent = f' (sent as "{visible(value.sent)}")' if value.sent else ""
        yield from wrapped(f"{_value(value)}{sent}", f"{indent}  > ")
