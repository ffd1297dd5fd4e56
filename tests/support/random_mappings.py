"""Random mappings of a random form to a page: any question in any section, in any style.

The first section holds the flags, the last what was left open, as in the mapping that ships.
"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from random import Random
from typing import Any, Final

from fhir_service.sdc.compiled import Form
from fhir_service.sdc.items import Item
from fhir_service.summary.mapping import (
    Condition,
    FormMapping,
    Level,
    Line,
    Loss,
    Measure,
    Questions,
    Respondent,
    Row,
    RowCell,
    Rule,
    SafetyList,
    SectionKind,
    Style,
    SummaryMapping,
)

_STYLES: Final[tuple[Style, ...]] = ("quotes", "table", "lines", "run")
_LEVELS: Final = (
    Level("soon", 1, "SOON", "message", "team", owner="Nurse", emergency=True),
    Level("later", 2, "LATER", "message", "team"),
)
_CODED: Final = {"choice", "open-choice"}
_NUMBERS: Final = {"integer", "decimal"}


def a_mapping(random: Random, form: Form) -> SummaryMapping:
    """A mapping of this form's questions, sound by its construction."""
    asked = [one for one in form.by_link_id.values() if one.type not in {"group", "display"}]
    sections = _sections(random)
    inner = [one.id for one in sections[1:-1]]
    groups = [one for one in form.by_link_id.values() if one.type == "group" and one.repeats]
    rows = tuple(row for one in groups if (row := _row(random, one, inner)) is not None)
    mapping = FormMapping(
        url=form.url or "",
        version=form.version or "",
        lines=tuple(_line(random, one, inner, rows) for one in asked if random.random() < 0.7),
        rows=rows,
        losses=tuple(_losses(random, asked, inner)),
        measures=tuple(_measure(random, one, rows) for one in asked if random.random() < 0.4),
        questions=_questions(random, asked, inner),
        respondent=_respondent(random, asked),
        safety=_safety(random, asked),
    )
    codes = [code for one in asked for code in _codes(one)]
    return SummaryMapping(
        title="Random summary",
        sections=sections,
        forms=(mapping,),
        levels=_LEVELS,
        rules=tuple(_rules(random, form, asked)),
        unsure=tuple(random.sample(codes, min(len(codes), 1))),
        declined=tuple(random.sample(codes, min(len(codes), 1))),
        flags_shown=random.randint(1, 3),
        changes=random.choice([None, *inner]),
        changes_shown=random.randint(1, 5),
    )


def _sections(random: Random) -> tuple[SectionKind, ...]:
    first = SectionKind("s0", "Section 0", "http://loinc.org", "104605-1", "Alert", "flags")
    styles: list[Style] = ["questions", "changes", *random.choices(_STYLES, k=4)]
    random.shuffle(styles)
    kinds = [first]
    for number, style in enumerate([*styles, "run"], start=1):
        further = style not in ("questions", "changes") and random.random() < 0.3
        title, code = f"Section {number}", f"1018{number}-3"
        kinds.append(
            SectionKind(f"s{number}", title, "http://loinc.org", code, title, style, further)
        )
    return tuple(kinds)


def _codes(item: Item) -> list[str]:
    return [one.value["code"] for one in item.options if isinstance(one.value, dict)]


def _words(random: Random, item: Item) -> dict[str, str]:
    if item.type == "boolean" and random.random() < 0.5:
        return {"true": "affirmed", "false": "negated"}
    return {code: f"short-{code}" for code in _codes(item) if random.random() < 0.4}


def _line(random: Random, item: Item, sections: list[str], rows: tuple[Row, ...]) -> Line:
    return Line(
        section=random.choice(sections),
        link_id=item.link_id,
        label=f"Label {item.link_id}",
        words=_words(random, item),
        important=random.random() < 0.2,
        besides=random.choice(rows).group if rows and random.random() < 0.3 else None,
        further=random.random() < 0.2,
    )


def _row(random: Random, group: Item, sections: list[str]) -> Row | None:
    inside = [one for one in group.items if one.type not in {"group", "display"}]
    if not inside:
        return None
    head, *rest = inside
    cells = [
        RowCell(
            one.link_id,
            f"Column {one.link_id}",
            _words(random, one),
            note=random.random() < 0.2,
            bare=random.random() < 0.3,
        )
        for one in rest
    ]
    return Row(
        section=random.choice(sections),
        group=group.link_id,
        label=f"Row {group.link_id}",
        head=head.link_id,
        cells=tuple(cells),
        words=_words(random, head),
        first=tuple(_codes(head)[:1]),
        differing=random.random() < 0.3,
    )


def _losses(random: Random, asked: list[Item], sections: list[str]) -> list[Loss]:
    amounts = [one.link_id for one in asked if one.type == "quantity"]
    if len(amounts) < 2:
        return []
    return [Loss(random.choice(sections), "Loss", *random.sample(amounts, 2))]


def _measure(random: Random, item: Item, rows: tuple[Row, ...]) -> Measure:
    made = Measure(item.link_id, f"Measure {item.link_id}", words=_words(random, item))
    codes = _codes(item)
    if codes and random.random() < 0.5:
        made = replace(made, scale=tuple(codes))
    elif item.type in _NUMBERS:
        made = replace(made, high=Decimal(10))
    row = next((row for row in rows if item.link_id in [one.link_id for one in row.cells]), None)
    if row is not None:
        return replace(made, group=row.group, head=row.head)
    return replace(made, listed=item.repeats and random.random() < 0.5)


def _questions(random: Random, asked: list[Item], sections: list[str]) -> Questions | None:
    said = [one.link_id for one in asked if one.type in {"string", "text", *_CODED}]
    if len(said) < 3 or random.random() < 0.3:
        return None
    random.shuffle(said)
    return Questions(
        section=random.choice(sections),
        ranked=tuple(said[:1]),
        picked=tuple(said[1:2]),
        own=tuple(said[2:3]),
    )


def _respondent(random: Random, asked: list[Item]) -> Respondent | None:
    coded = [one for one in asked if _codes(one)]
    if not coded or random.random() < 0.5:
        return None
    chosen = random.choice(coded)
    helper = _codes(chosen)[0]
    return Respondent(chosen.link_id, None, {helper: "the helper"}, helper, "answered by a helper")


def _safety(random: Random, asked: list[Item]) -> SafetyList | None:
    coded = [one for one in asked if len(_codes(one)) > 1]
    if not coded or random.random() < 0.5:
        return None
    chosen = random.choice(coded)
    return SafetyList(chosen.link_id, _codes(chosen)[0])


def _rules(random: Random, form: Form, asked: list[Item]) -> list[Rule]:
    able = [one for one in asked if _condition(random, one) is not None]
    chosen = random.sample(able, min(len(able), random.randint(0, 5)))
    return [
        Rule(
            id=f"R{number}",
            url=form.url or "",
            version=form.version or "",
            level=random.choice(_LEVELS).id,
            title=f"Title {number}",
            says=f"Says {number}",
            advice=f"Advice {number}",
            when=_condition(random, one) or Condition(),
            messages=(),
            sources=(),
        )
        for number, one in enumerate(chosen)
    ]


def _condition(random: Random, item: Item) -> Condition | None:
    codes: list[Any] = _codes(item)
    if codes:
        return Condition(item.link_id, any_of=tuple(random.sample(codes, 1)))
    if item.type in _NUMBERS:
        return Condition(item.link_id, at_least=Decimal(random.randint(0, 5)))
    return Condition(item.link_id, is_=random.random() < 0.5) if item.type == "boolean" else None
