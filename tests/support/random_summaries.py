"""Random summaries: a random form, a mapping of it, answers to it now and before, some hostile.

``expected`` works out anew, from plain JSON alone, what must be read in every rendering.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from random import Random
from typing import Any, Final
from zoneinfo import ZoneInfo

from fhir_service.fhir.reading import read_json
from fhir_service.sdc.compiled import compile_form
from fhir_service.summary.facts import Source, Summary, summarise
from fhir_service.summary.mapping import SummaryMapping
from tests.support.random_answers import a_response, as_bytes
from tests.support.random_forms import a_form
from tests.support.random_mappings import a_mapping

Json = dict[str, Any]

NOW: Final = datetime(2026, 11, 20, 16, 0, tzinfo=UTC)
ZONE: Final = ZoneInfo("America/Chicago")
HOSTILE: Final = (
    "<script>alert(1)</script>",
    'x" onmouseover="alert(1)',
    "</q></li></ul><h2>Reviewed</h2>",
    "{{ 7*7 }} {% raw %} #panic() $x$ *bold* @label \\ //",
    "{\\rtf1 \\b |^~\\&\\.br\\ =HYPERLINK(1) MSH|PID|",
    "=cmd|' /C calc'!A0",
    "evil \u202egnp.exe\u202c and \u2066isolate\u2069",
    "W" + "abcdefghij" * 40 + "X",
    "word " * 400,
    "first line\nsecond line\n\n\n\n\nseventh line",
    "naïve café, ¿dolor? – “so” … 5\u00a0mg",
    "]]> & &amp; <!-- --> '",
    "=" * 80,
    "nul \u0007 bell \u001b[31m red",
)


@dataclass(frozen=True)
class Case:
    """A summary with what it was made of."""

    summary: Summary
    form: Json
    response: Json
    earlier: tuple[Json, ...]
    mapping: SummaryMapping
    again: Callable[[], Summary]


def a_case(random: Random, size: int = 20) -> Case:
    """One case; about half of its texts are hostile in one of four cases."""
    raw = a_form(random, size)
    form = compile_form(read_json(as_bytes(raw)))
    mapping = a_mapping(random, form)
    evil = random.random() < 0.25
    responses = [_answers(random, raw, evil=evil) for _ in range(random.choice([1, 1, 2, 3]))]
    response, *earlier = responses
    before = [
        Source(form, one | {"authored": f"2026-0{n}-02T10:00:00Z"}, f"earlier-{n}", 1, NOW)
        for n, one in enumerate(earlier, start=1)
    ]
    replaced = None
    if random.random() < 0.2:
        response = {**response, "status": "amended"}
        replaced = Source(form, _answers(random, raw, evil=evil), "response-1", 1, NOW)
    source = Source(form, response, "response-1", 2, NOW, replaced=replaced)

    def again() -> Summary:
        return summarise([source], mapping, patient=None, now=NOW, zone=ZONE, earlier=before)

    others = [*earlier, *([dict(replaced.response)] if replaced else [])]
    return Case(again(), raw, response, tuple(others), mapping, again)


def _answers(random: Random, form: Json, *, evil: bool) -> Json:
    made = a_response(random, form)
    if evil:
        _spoil(random, made)
    return read_json(as_bytes(made))


def _spoil(random: Random, holder: Json) -> None:
    for item in holder.get("item", ()):
        for answer in item.get("answer", ()):
            if "valueString" in answer and random.random() < 0.5:
                answer["valueString"] = random.choice(HOSTILE[:-1])
            _spoil(random, answer)
        _spoil(random, item)


def expected(case: Case) -> Iterator[tuple[str, bool]]:
    """The words of each answered question and answer, in the order of the form.

    True beside those that are the patient's own.
    """
    texts = {one["linkId"]: one.get("text", one["linkId"]) for one in _all(case.form)}
    yield from _expected(case.response, texts)


def _expected(holder: Mapping[str, Any], texts: Mapping[str, str]) -> Iterator[tuple[str, bool]]:
    for item in holder.get("item", ()):
        answers = item.get("answer", ())
        if answers or "item" in item:  # what is only displayed was not asked
            yield texts[item["linkId"]], False
        for answer in answers:
            yield from _said(answer)
        for answer in answers:
            yield from _expected(answer, texts)
        yield from _expected(item, texts)


def _said(answer: Mapping[str, Any]) -> Iterator[tuple[str, bool]]:
    ((name, value),) = [one for one in answer.items() if one[0].startswith("value")]
    if name in ("valueString", "valueUri"):
        yield value, True
    elif name == "valueBoolean":
        yield "Yes" if value else "No", False
    elif name == "valueCoding":
        yield value.get("display", value["code"]), False
    elif name == "valueQuantity":
        yield f"{value['value']} {value.get('unit') or value['code']}", False
    elif name == "valueAttachment":
        yield value.get("title") or value.get("url") or value["contentType"], False
    elif name == "valueReference":
        yield value["reference"], False
    else:
        yield str(value), False


def _all(holder: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for item in holder.get("item", ()):
        yield item
        yield from _all(item)
