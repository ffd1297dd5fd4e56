"""Random responses that fit a random form: by construction, only what is enabled is answered.

What is enabled is worked out here a second time, straight from the text of R4, on plain JSON.
http://hl7.org/fhir/R4/questionnaire-definitions.html#Questionnaire.item.enableWhen
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from operator import eq, ge, gt, le, lt
from random import Random
from typing import Any

import msgspec

from fhir_service.sdc import extensions as ext
from tests.support.random_forms import URL, walk
from tests.support.random_questions import MASSES, Json, limit, some_answers

_encode = msgspec.json.Encoder(decimal_format="number").encode
_ORDERS: dict[str, Callable[[Any, Any], bool]] = {
    "=": eq,
    ">": gt,
    "<": lt,
    ">=": ge,
    "<=": le,
}


def as_bytes(resource: Json) -> bytes:
    """The resource as it is sent; decimals with all their digits."""
    return _encode(resource)


@dataclass
class _Frame:
    """One instance of what repeats, or the whole response: what was answered inside so far."""

    known: set[str]
    given: dict[str, list[Json]] = field(default_factory=dict)


@dataclass
class _Filler:
    random: Random
    frames: list[_Frame]

    def enabled(self, item: Json) -> bool:
        conditions = item.get("enableWhen", [])
        if not conditions:
            return True
        each = [self.met(one) for one in conditions]
        return any(each) if item.get("enableBehavior") == "any" else all(each)

    def met(self, condition: Json) -> bool:
        question = condition["question"]
        frame = next(one for one in reversed(self.frames) if question in one.known)
        return _met(condition, frame.given.get(question, []))

    def record(self, link_id: str, answer: Json) -> None:
        for frame in self.frames:
            if link_id in frame.known:
                frame.given.setdefault(link_id, []).append(answer)

    def items(self, items: list[Json]) -> list[Json]:
        return [made for item in items if self.enabled(item) for made in self.item(item)]

    def item(self, item: Json) -> list[Json]:
        if item["type"] == "group":
            return self.group(item)
        if item["type"] == "display":
            return [self.named(item)] if self.random.random() < 0.2 else []
        if not item.get("required") and self.random.random() < 0.25:
            return [self.named(item)] if self.random.random() < 0.2 else []
        return [self.question(item)]

    def named(self, item: Json) -> Json:
        made: Json = {"linkId": item["linkId"]}
        words = [item["text"]] if "text" in item else []
        words += ["¿" + item["text"].replace("Question", "Pregunta")] if "_text" in item else []
        if words and self.random.random() < 0.5:
            made["text"] = self.random.choice(words)
        if "definition" in item and self.random.random() < 0.5:
            made["definition"] = item["definition"]
        return made

    def count(self, item: Json) -> int:
        if not item.get("repeats"):
            return 1
        least = max(limit(item, ext.MIN_OCCURS) or 0, 1)
        return self.random.randint(least, max(limit(item, ext.MAX_OCCURS) or 3, least))

    def group(self, item: Json) -> list[Json]:
        if not item.get("required") and self.random.random() < 0.2:
            return []
        return [self.instance(item) for _ in range(self.count(item))]

    def instance(self, item: Json) -> Json:
        if item.get("repeats"):
            self.frames.append(_Frame({one["linkId"] for one in walk([item])}))
        inner = self.items(item["item"])
        if item.get("repeats"):
            self.frames.pop()
        return self.named(item) | ({"item": inner} if inner else {})

    def question(self, item: Json) -> Json:
        answers = some_answers(self.random, item, self.count(item))
        return self.named(item) | {"answer": [self.answer(item, one) for one in answers]}

    def answer(self, item: Json, answer: Json) -> Json:
        inner: list[Json] = []
        if item.get("repeats") and "item" in item:
            self.frames.append(_Frame({one["linkId"] for one in walk([item])}))
        self.record(item["linkId"], answer)
        if "item" in item:
            inner = self.items(item["item"])
            if item.get("repeats"):
                self.frames.pop()
        return answer | ({"item": inner} if inner else {})


def _met(condition: Json, given: list[Json]) -> bool:
    operator = condition["operator"]
    asked = next(
        (key[len("answer") :], value)
        for key, value in condition.items()
        if key.startswith("answer")
    )
    if operator == "exists":
        return bool(given) is asked[1]
    pairs = [_comparable(answer, *asked) for answer in given]
    if operator == "!=":
        return all(pair is not None and pair[0] != pair[1] for pair in pairs)
    test = _ORDERS[operator]
    return any(pair is not None and bool(test(*pair)) for pair in pairs)


def _comparable(answer: Json, kind: str, asked: Any) -> tuple[Any, Any] | None:
    """Both sides as values that Python compares rightly; None where it is not known.

    Another type of answer equals nothing, and has no order.
    """
    value = answer.get(f"value{kind}")
    if value is None:
        return (
            None if kind in ("Date", "DateTime", "Time", "Quantity") else ((0, "other"), (1, ""))
        )
    if kind in ("Date", "Time"):
        one, other = (tuple(text.replace(":", "-").split("-")) for text in (value, asked))
        shared = min(len(one), len(other))
        known = len(one) == len(other) or one[:shared] != other[:shared]
        return (one[:shared], other[:shared]) if known else None
    return _plain(kind, value), _plain(kind, asked)


def _plain(kind: str, value: Any) -> Any:
    if kind == "DateTime":
        return datetime.fromisoformat(value)
    if kind == "Quantity":
        return Decimal(value["value"]) * MASSES[value["code"]]
    if kind == "Coding":
        return value.get("system"), value.get("code")
    return value.get("reference") if kind == "Reference" else value


def a_response(random: Random, form: Json) -> Json:
    """A completed response to the form that keeps every rule of it."""
    filler = _Filler(random, [_Frame({item["linkId"] for item in walk(form["item"])})])
    made: Json = {
        "resourceType": "QuestionnaireResponse",
        "questionnaire": f"{URL}|1.0.0",
        "status": "completed",
        "subject": {"reference": "Patient/ada-example"},
        "authored": "2026-11-20T09:30:00+01:00",
    }
    items = filler.items(form["item"])
    return made | ({"item": items} if items else {})
