"""The walk over decoded items that msgspec can not make: one value an answer, forms, depth.

http://hl7.org/fhir/R4/questionnaireresponse.html
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

from msgspec import UNSET, Raw

from fhir_service.fhir.issues import Issue
from fhir_service.fhir.primitives import DECIMAL, is_calendar_day, is_code, is_uri
from fhir_service.fhir.reading import ITEM_LEVELS
from fhir_service.fhir.shape_check import check_shape
from fhir_service.sdc.response_model import FIELDS, Coding, Quantity, ResponseAnswer, ResponseItem

_decimal = re.compile(DECIMAL)


class Doubt(Exception):
    """The fast way can not tell that this is sound."""


@lru_cache(4096)
def _is_coding(system: Any, code: Any, display: Any) -> bool:
    """Whether these make a Coding; False also for none of them, which is for others to look at."""
    if system is UNSET and code is UNSET and display is UNSET:
        return False
    return (
        (code is UNSET or is_code(code))
        and (system is UNSET or is_uri(system))
        and (display is UNSET or not display.isspace())
    )


class Walk:
    """One walk over the items of a response, which are decoded.

    ``index`` has every item by linkId, the last where one stands twice. ``values`` counts the
    properties whose name begins with "value" when each answer has one value. Raises Doubt for
    what is not plainly sound. ``checked`` leaves the checks out; ``extended`` looks for
    extensions too, in which case a value may be missing.
    """

    __slots__ = ("checked", "extended", "index", "values")

    def __init__(self, *, extended: bool = False, checked: bool = False) -> None:
        self.index: dict[str, ResponseItem] = {}
        self.values = 0
        self.extended = extended
        self.checked = checked

    def over(self, items: Sequence[ResponseItem], depth: int = 1) -> None:
        """Take in these items and all below them."""
        if depth > ITEM_LEVELS:
            raise Doubt
        index = self.index
        look = self.skip if self.checked else self.thorough if self.extended else self.plain
        for item in items:
            index[item.link_id] = item
            if item.answers is not UNSET:
                look(item.answers, depth)
            if item.items is not UNSET:
                self.over(item.items, depth + 1)
            if item.text is UNSET or item.text.isspace() or item.definition is not UNSET:
                _words(item)
        if self.extended and not self.checked:
            for item in items:
                _extensions(item)

    def plain(self, answers: Sequence[ResponseAnswer], depth: int) -> None:
        """Answers without extensions: each has a value, in the form of its type."""
        self.values += len(answers)
        for answer in answers:
            coding = answer.coding
            if coding is not UNSET:
                if not _is_coding(coding.system, coding.code, coding.display):
                    raise Doubt
            elif answer.string is not UNSET:
                if answer.string.isspace():
                    raise Doubt
            elif answer.boolean is UNSET and answer.integer is UNSET:
                self.values += _rare(answer)
            if answer.items is not UNSET:
                self.over(answer.items, depth + 1)

    def thorough(self, answers: Sequence[ResponseAnswer], depth: int) -> None:
        """Answers that may have extensions."""
        for answer in answers:
            _thorough(answer)
            if answer.items is not UNSET:
                self.over(answer.items, depth + 1)

    def skip(self, answers: Sequence[ResponseAnswer], depth: int) -> None:
        """Answers that were checked before."""
        for answer in answers:
            if answer.items is not UNSET:
                self.over(answer.items, depth + 1)


def _words(item: ResponseItem) -> None:
    if item.text is not UNSET and item.text.isspace():
        raise Doubt
    if item.definition is not UNSET and not is_uri(item.definition):
        raise Doubt


def _rare(answer: ResponseAnswer) -> int:
    """Check an answer of the rarer types, or without value; gives how many values lie in it."""
    for name, check in _CHECKS.items():
        value = getattr(answer, name)
        if value is not UNSET:
            check(value)
            return int(isinstance(value, Quantity) and value.value is not UNSET)
    raise Doubt


def _thorough(answer: ResponseAnswer) -> None:
    """An answer that may have extensions, and then no value."""
    given = [(name, value) for name in FIELDS if (value := getattr(answer, name)) is not UNSET]
    if len(given) > 1 or (not given and answer.extension is UNSET):
        raise Doubt
    _extensions(answer)
    for name, value in given:
        if isinstance(value, Coding | Quantity):
            _extensions(value)
        if name in _CHECKS:
            _CHECKS[name](value)


def _extensions(element: ResponseItem | ResponseAnswer | Coding | Quantity) -> None:
    found = list(element.extension or ())
    if isinstance(element, ResponseItem | ResponseAnswer):
        found.extend(element.modifier_extension or ())
    for extension in found:
        if any(check_shape(extension, "Extension", "")):
            raise Doubt


def _coding(coding: Coding) -> None:
    if not _is_coding(coding.system, coding.code, coding.display):
        raise Doubt


def _must_be_number(raw: Raw) -> None:
    text = bytes(raw)
    if not _decimal.match(text) or not math.isfinite(float(text)):
        raise Doubt


def _quantity(quantity: Quantity) -> None:
    if quantity.value is not UNSET:
        _must_be_number(quantity.value)
    if quantity.code is not UNSET and not is_code(quantity.code):
        raise Doubt
    if quantity.system is not UNSET and not is_uri(quantity.system):
        raise Doubt
    if quantity.value is UNSET:
        raise Doubt


def _day(value: str) -> None:
    if not is_calendar_day(value):
        raise Doubt


def _sound(_: object) -> None:
    """What its pattern has checked."""


def _not_blank(value: str) -> None:
    if value.isspace():
        raise Doubt


def _loose(type_: str) -> Callable[[Any], None]:
    def check(value: Any) -> None:
        if any(check_shape(value, type_, "")):
            raise Doubt

    return check


_CHECKS: Mapping[str, Callable[[Any], None]] = {
    "string": _not_blank,
    "coding": _coding,
    "date": _day,
    "quantity": _quantity,
    "decimal": _must_be_number,
    "date_time": _day,
    "time": _sound,
    "uri": _sound,
    "attachment": _loose("Attachment"),
    "reference": _loose("Reference"),
}


def too_deep(raw: Mapping[str, Any]) -> Iterator[Issue]:
    """The first item of a response, read as dictionaries, that lies deeper than is read here."""
    level = [("QuestionnaireResponse", raw)]
    for _ in range(ITEM_LEVELS + 1):
        level = [deeper for place, one in level for deeper in _inside(place, one)]
    for place, _ in level[:1]:
        says = f"Items lie in each other deeper than {ITEM_LEVELS} levels."
        yield Issue("items-too-deep", "too-costly", says, expression=place)


def _inside(place: str, raw: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The items in an item, under its answers or under itself."""
    for number, answer in _objects(raw.get("answer")):
        for inner, item in _objects(answer.get("item")):
            yield f"{place}.answer[{number}].item[{inner}]", item
    for number, item in _objects(raw.get("item")):
        yield f"{place}.item[{number}]", item


def _objects(value: Any) -> Iterator[tuple[int, Mapping[str, Any]]]:
    for number, one in enumerate(value if isinstance(value, list) else ()):
        if isinstance(one, Mapping):
            yield number, one
