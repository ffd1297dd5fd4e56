"""A Summary as one card: a line, the flags and questions in short, and the way to the page.

https://cds-hooks.hl7.org/2.0/#card-attributes
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID, uuid5
from zoneinfo import ZoneInfo

from fhir_service.summary.mapping import Level
from fhir_service.summary.model import Fact, Section, Summary, Value
from fhir_service.summary.visible import visible

SUMMARY_BELOW: Final = 140
"""A card's summary has fewer characters."""

_CARDS: Final = UUID("0f1a7c52-2a3b-5d0c-9a52-6f7b0c9d1e44")
"""The name space of the ids of cards: the same answers make the same card."""

_MOST_WORDS: Final = 300
_MARKDOWN: Final = re.compile(r"([\\`*_{}\[\]()#+!|~@])")
_MADE_A_LINK: Final = re.compile(r":(?=\S)|(?<=www)\.", re.IGNORECASE)
_BEGINS_A_BLOCK: Final = re.compile(r"^(\d*)([\-=.])")
_ENTITIES: Final = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}


@dataclass(frozen=True, slots=True)
class Ways:
    """Where the card leads: the summary's page, and our SMART launch where the EHR has one."""

    page: str
    launch: str | None = None


def card(
    summary: Summary, levels: tuple[Level, ...], response: str, version: int, ways: Ways
) -> dict[str, Any]:
    """The card of one visit, by its newest response."""
    flags = tuple(_of_style(summary, "flags", ruled=True))
    questions = tuple(_of_style(summary, "questions"))
    made: dict[str, Any] = {
        "uuid": str(uuid5(_CARDS, f"{response}/{version}")),
        "summary": _line(summary, flags, questions),
        "indicator": _indicator(flags, levels),
        "detail": "\n".join(_detail(summary, flags, questions)),
        "source": {"label": "Patient's pre-visit answers"},
        "links": [{"label": "Open the summary", "url": ways.page, "type": "absolute"}],
    }
    if ways.launch is not None:
        context = json.dumps({"response": response}, separators=(",", ":"))
        made["links"].insert(
            0,
            {
                "label": "Open the summary, signed in",
                "url": ways.launch,
                "type": "smart",
                "appContext": context,
            },
        )
    return made


def escaped(words: str) -> str:
    """Somebody's words as GitHub-flavoured Markdown that shows them as they are, in one line.

    Markup and links stay text in readers that know HTML and in those that do not; control and
    direction marks are made visible. Cut after 300 characters, which an ellipsis tells.
    """
    one_line = " ".join(visible(words).split())
    if len(one_line) > _MOST_WORDS:
        one_line = one_line[: _MOST_WORDS - 1] + "…"
    plain = _MARKDOWN.sub(r"\\\1", one_line)
    plain = _MADE_A_LINK.sub(lambda match: f"\\{match[0]}", plain)
    plain = _BEGINS_A_BLOCK.sub(r"\1\\\2", plain)
    return "".join(_ENTITIES.get(sign, sign) for sign in plain)


def _of_style(summary: Summary, style: str, *, ruled: bool = False) -> Iterator[Fact]:
    for section in summary.sections:
        if section.kind.style == style:
            yield from (fact for fact in section.facts if fact.rule or not ruled)


def _indicator(flags: tuple[Fact, ...], levels: tuple[Level, ...]) -> str:
    """Critical where a level that the clinic marked as an emergency was met."""
    emergencies = {level.words for level in levels if level.emergency}
    if any(flag.label in emergencies for flag in flags):
        return "critical"
    return "warning" if flags else "info"


def _line(summary: Summary, flags: tuple[Fact, ...], questions: tuple[Fact, ...]) -> str:
    sent = summary.made.astimezone(ZoneInfo(summary.zone))
    said = [f"Patient's answers of {sent:%Y-%m-%d}"]
    if flags:
        said.append(f"{visible(flags[0].label)}, {_counted(len(flags), 'red flag')}")
    asked = sum(len(fact.values) for fact in questions)
    if asked:
        said.append(_counted(asked, "question"))
    line = " ".join("; ".join(said).split())
    return line if len(line) < SUMMARY_BELOW else line[: SUMMARY_BELOW - 2] + "…"


def _counted(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _detail(
    summary: Summary, flags: tuple[Fact, ...], questions: tuple[Fact, ...]
) -> Iterator[str]:
    if summary.banner:
        yield f"*{escaped(summary.banner[0])}*"
    titles = {section.kind.style: section.kind.title for section in summary.sections}
    if flags:
        yield f"\n**{escaped(titles['flags'])}**\n"
        for flag in flags:
            yield f"- {_flag(flag)}"
    shown = [fact for fact in questions if not fact.folded]
    if shown:
        yield f"\n**{escaped(titles['questions'])}**\n"
        for fact in shown:
            yield f"- {_values(fact.values)}"
    for section in _first_quotes(summary):
        yield f"\n**{escaped(section.kind.title)}**\n"
        for fact in section.facts:
            yield f"- {escaped(fact.label)}\\: {_values(fact.values)}"


def _first_quotes(summary: Summary) -> Iterator[Section]:
    """The patient's worry, in her own words."""
    quotes = [section for section in summary.sections if section.kind.style == "quotes"]
    yield from quotes[:1]


def _flag(flag: Fact) -> str:
    grounds = [
        f"{escaped(cell.label)}\\: {_values(cell.values)}" if cell.label else _values(cell.values)
        for cell in flag.cells
    ]
    says = [escaped(flag.says)] if flag.says else []
    return f"**{escaped(flag.label)}** {'; '.join([*grounds, *says])}"


def _values(values: tuple[Value, ...]) -> str:
    return ", ".join(escaped(f"{v.words} {v.unit}" if v.unit else v.words) for v in values)


def answer(*cards: Mapping[str, Any]) -> dict[str, Any]:
    """What a call is answered with; without a card there is nothing to say."""
    return {"cards": list(cards)}
