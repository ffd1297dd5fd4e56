"""The walk over decoded items that msgspec can not make: one value an answer, forms, depth.

http://hl7.org/fhir/R4/questionnaireresponse.html
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from operator import attrgetter
from typing import Any

from msgspec import UNSET, Raw

from fhir_service.fhir.issues import Issue
from fhir_service.fhir.primitives import CHECKS, is_calendar_day, is_code, is_uri
from fhir_service.fhir.shape_check import check_shape
from fhir_service.sdc.response_model import FIELDS, Coding, Quantity, ResponseAnswer, ResponseItem


class Doubt(Exception):
    """The fast way can not tell that this is sound."""


class TooDeep(Doubt):
    """Items lie in each other deeper than is read here."""


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


def look_at(items: Sequence[ResponseItem], levels: int) -> int:
    """Look at these items, without extensions, and all below; how many values they hold.

    A value is a property whose name begins with "value". Raises Doubt for what is not plainly
    sound, and TooDeep where they and the items in them make more than ``levels`` levels.
    """
    if levels < 1:
        raise TooDeep
    values = 0
    for item in items:
        if item.answers is not UNSET:
            for answer in item.answers:
                values += look_at_answer(answer)
                if answer.items is not UNSET:
                    values += look_at(answer.items, levels - 1)
        if item.items is not UNSET:
            values += look_at(item.items, levels - 1)
        look_at_words(item)
    return values


def look_at_answer(answer: ResponseAnswer) -> int:
    """Look at an answer by itself, which must have a value; how many values lie in it."""
    coding = answer.coding
    if coding is not UNSET:
        if not _is_coding(coding.system, coding.code, coding.display):
            raise Doubt
    elif answer.string is not UNSET:
        if answer.string.isspace():
            raise Doubt
    elif answer.boolean is UNSET and answer.integer is UNSET:
        return 1 + _rare(answer)
    return 1


def look_at_words(item: ResponseItem) -> None:
    """Look at an item by itself."""
    if item.link_id.isspace() or (item.text is not UNSET and item.text.isspace()):
        raise Doubt
    if item.definition is not UNSET and not is_uri(item.definition):
        raise Doubt


def look_closely_at(items: Sequence[ResponseItem], levels: int) -> None:
    """Look at these items and all below, which may have extensions, and answers no value.

    Raises as ``look_at`` does.
    """
    if levels < 1:
        raise TooDeep
    for item in items:
        for answer in item.answers or ():
            _thorough(answer)
            look_closely_at(answer.items or (), levels - 1)
        look_closely_at(item.items or (), levels - 1)
        look_at_words(item)
        _extensions(item)


def index_of(items: Sequence[ResponseItem]) -> dict[str, ResponseItem]:
    """Every item by linkId; the first where one stands twice."""
    index: dict[str, ResponseItem] = {}
    _fill(index, items)
    return index


def _fill(index: dict[str, ResponseItem], items: Sequence[ResponseItem]) -> None:
    for item in items:
        index.setdefault(item.link_id, item)
        if item.answers is not UNSET:
            for answer in item.answers:
                if answer.items is not UNSET:
                    _fill(index, answer.items)
        if item.items is not UNSET:
            _fill(index, item.items)


def _rare(answer: ResponseAnswer) -> int:
    """Check an answer of the rarer types, or without value; how many values lie in its value."""
    for value, check in zip(_rare_values(answer), _RARE_CHECKS, strict=True):
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


def is_number(raw: Raw) -> bool:
    """Whether the JSON text of a value is plainly a number.

    Of what next to nothing is (1e-9999), the exponent may be beyond all counting: it is not plain.
    """
    try:
        number = float(raw)
    except ValueError:
        return False
    return -math.inf < number < math.inf and (number != 0 or b"e" not in bytes(raw).lower())


def _must_be_number(raw: Raw) -> None:
    if not is_number(raw):
        raise Doubt


def _quantity(quantity: Quantity) -> None:
    if not quantity_values(quantity):
        raise Doubt


def quantity_values(quantity: Quantity) -> int:
    """How many values an answer has with this Quantity; 0 when that is not plainly sound."""
    if quantity.value is UNSET or not _is_unit(quantity.system, quantity.code, quantity.unit):
        return 0
    return 2 if is_number(quantity.value) else 0


@lru_cache(4096)
def _is_unit(system: Any, code: Any, unit: Any) -> bool:
    return (
        (code is UNSET or is_code(code))
        and (system is UNSET or is_uri(system))
        and (unit is UNSET or not unit.isspace())
    )


def _date(value: str) -> None:
    if not CHECKS["date"](value):
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
    "date": _date,
    "quantity": _quantity,
    "decimal": _must_be_number,
    "date_time": _day,
    "time": _sound,
    "uri": _sound,
    "attachment": _loose("Attachment"),
    "reference": _loose("Reference"),
}


_rare_values = attrgetter(*_CHECKS)
_RARE_CHECKS = tuple(_CHECKS.values())


def too_deep(raw: Mapping[str, Any], levels: int) -> Iterator[Issue]:
    """The first item of a response, read as dictionaries, that lies deeper than ``levels``."""
    level: list[tuple[_Trail, Mapping[str, Any]]] = [(None, raw)]
    for _ in range(levels + 1):
        level = [deeper for trail, one in level for deeper in _inside(trail, one)]
        if not level:
            return
    says = f"Items lie in each other deeper than {levels} levels."
    yield Issue("items-too-deep", "too-costly", says, expression=_place_of(level[0][0]))


_Trail = tuple[Any, int | None, int] | None
"""(trail above, number of the answer or None, number of the item)."""


def _inside(trail: _Trail, raw: Mapping[str, Any]) -> list[tuple[_Trail, Mapping[str, Any]]]:
    """The items in an item, under its answers or under itself, each with the way there."""
    found: list[tuple[_Trail, Mapping[str, Any]]] = []
    if "answer" in raw:
        for number, answer in _objects(raw["answer"]):
            if "item" in answer:
                items = _objects(answer["item"])
                found += [((trail, number, inner), item) for inner, item in items]
    if "item" in raw:
        found += [((trail, None, number), item) for number, item in _objects(raw["item"])]
    return found


def _place_of(trail: _Trail) -> str:
    steps = []
    while trail is not None:
        trail, answer, item = trail
        steps.append(f".item[{item}]" if answer is None else f".answer[{answer}].item[{item}]")
    return "QuestionnaireResponse" + "".join(reversed(steps))


def _objects(value: Any) -> Iterator[tuple[int, Mapping[str, Any]]]:
    for number, one in enumerate(value if isinstance(value, list) else ()):
        if isinstance(one, dict):
            yield number, one
