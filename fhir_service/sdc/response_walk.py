"""The walk over decoded items that msgspec can not make: one value an answer, forms, depth.

http://hl7.org/fhir/R4/questionnaireresponse.html
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import date
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


def properties_in(body: bytes) -> int:
    """How many properties stand in JSON that was decoded; never less than there are.

    A quotation mark inside a string has a backslash before it. More are counted where a string
    begins with a colon.
    """
    bare = body.translate(None, _BLANKS)  # a blank may stand between a name and its colon
    found = bare.count(b'":')
    return found - bare.count(b'\\":') if b"\\" in bare else found


_BLANKS = b" \t\r\n"


@lru_cache(4096)
def coding_properties(system: Any, code: Any, display: Any) -> int:
    """How many properties a Coding of these has; 0 for what has to be looked at."""
    if (
        (code is not UNSET and not is_code(code))
        or (system is not UNSET and not is_uri(system))
        or (display is not UNSET and display.isspace())
    ):
        return 0
    return sum(one is not UNSET for one in (system, code, display))


def look_at(items: Sequence[ResponseItem], levels: int) -> int:
    """Look at these items, without extensions, and all below; how many properties they have.

    Raises Doubt for what is not plainly sound, and TooDeep where they and the items in them make
    more than ``levels`` levels. What has an extension, an id or two values has more properties
    than are counted here.
    """
    if levels < 1:
        raise TooDeep
    found = 0
    for item in items:
        if item.answers is not UNSET:
            for answer in item.answers:
                found += look_at_answer(answer)
                if answer.items is not UNSET:
                    found += look_at(answer.items, levels - 1)
        if item.items is not UNSET:
            found += look_at(item.items, levels - 1)
        found += look_at_words(item)
    return found


def look_at_answer(answer: ResponseAnswer) -> int:
    """Look at an answer by itself, which must have a value; how many properties it has.

    Those of the items under it are not counted, but that they are there is.
    """
    found = 1 if answer.items is UNSET else 2
    coding = answer.coding
    if coding is not UNSET:
        inner = coding_properties(coding.system, coding.code, coding.display)
        if inner == 0:
            raise Doubt
        if coding.version is not UNSET:
            inner += 1
        return found + inner + (coding.user_selected is not UNSET)
    if answer.string is not UNSET:
        if answer.string.isspace():
            raise Doubt
    elif answer.boolean is UNSET and answer.integer is UNSET:
        return found + _other(answer)
    return found


def _other(answer: ResponseAnswer) -> int:
    """As ``_rare`` does, the commoner types first."""
    quantity = answer.quantity
    if quantity is not UNSET:
        inner = quantity_properties(quantity)
        if inner == 0:
            raise Doubt
        return inner
    if answer.decimal is not UNSET:
        _must_be_number(answer.decimal)
    elif answer.date is not UNSET:
        if answer.date not in _days_met:
            _date(answer.date)
    else:
        return _rare(answer)
    return 0


def look_at_words(item: ResponseItem) -> int:
    """Look at an item by itself; how many properties it has."""
    if item.link_id.isspace() or (item.text is not UNSET and item.text.isspace()):
        raise Doubt
    found = 1 if item.text is UNSET else 2
    if item.definition is not UNSET:
        if not is_uri(item.definition):
            raise Doubt
        found += 1
    return found + (item.answers is not UNSET) + (item.items is not UNSET)


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
    """Look at an answer of the rarer types, or without value; the properties in its value."""
    for value, check in zip(_rare_values(answer), _RARE_CHECKS, strict=True):
        if value is not UNSET:
            check(value)
            return _properties(value) if isinstance(value, dict) else 0
    raise Doubt


def _properties(value: Any) -> int:
    """How many properties there are in a JSON value."""
    if isinstance(value, dict):
        return len(value) + sum(map(_properties, value.values()))
    return sum(map(_properties, value)) if isinstance(value, list) else 0


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
    if coding_properties(coding.system, coding.code, coding.display) == 0:
        raise Doubt


def is_number(raw: Raw) -> bool:
    """Whether the JSON text of a value is plainly a number.

    Of what next to nothing is (1e-9999), the exponent may be beyond all counting: it is not plain.
    """
    text = bytes(raw)
    if b"-" <= text < b":" and len(text) <= _SHORT and _E not in text and _BIG_E not in text:
        return True  # JSON's syntax was seen to before: what begins so is a number
    try:
        number = float(text)
    except ValueError:
        return False
    return -math.inf < number < math.inf and (number != 0 or b"e" not in text.lower())


_SHORT = 30
"""A number of so few signs, without exponent, is in the range of every float."""

_E, _BIG_E = b"eE"


def _must_be_number(raw: Raw) -> None:
    if not is_number(raw):
        raise Doubt


def _quantity(quantity: Quantity) -> None:
    if not quantity_properties(quantity):
        raise Doubt


def quantity_properties(quantity: Quantity) -> int:
    """How many properties a Quantity has; 0 when it is not plainly sound."""
    value = quantity.value
    if value is UNSET or not is_number(value):
        return 0
    found = _unit_properties(quantity.system, quantity.code, quantity.unit)
    return found if quantity.comparator is UNSET or not found else found + 1


@lru_cache(4096)
def _unit_properties(system: Any, code: Any, unit: Any) -> int:
    """The properties of a Quantity of this unit, its value counted; 0 for an unsound unit."""
    if (
        (code is not UNSET and not is_code(code))
        or (system is not UNSET and not is_uri(system))
        or (unit is not UNSET and unit.isspace())
    ):
        return 0
    return 1 + sum(one is not UNSET for one in (system, code, unit))


def _date(value: str) -> None:
    if not (is_day(value) or CHECKS["date"](value)):
        raise Doubt


_DAY = len("YYYY-MM-DD")
_MOST_DAYS = 40_000
_days_met: set[str] = set()
"""Days that are in the calendar; a century has fewer than are kept."""


def is_day(value: str) -> bool:
    """Whether it is a day of the calendar, YYYY-MM-DD."""
    if value in _days_met:
        return True
    try:
        date.fromisoformat(value)
    except ValueError:
        return False
    if len(value) != _DAY or value[7] != "-":
        return False
    if len(_days_met) < _MOST_DAYS:
        _days_met.add(value)
    return True


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
    yield _deep(level[0][0], levels, None)


def items_too_deep(
    items: Sequence[ResponseItem], levels: int, known: Collection[int]
) -> Iterator[Issue]:
    """The first of decoded items, or of those in them, that lies deeper than ``levels``.

    ``known`` are the numbers of those of which it is known that nothing does.
    """
    level: list[tuple[_Trail, ResponseItem]] = [
        ((None, None, number), item) for number, item in enumerate(items) if number not in known
    ]
    for _ in range(levels):
        level = [deeper for trail, item in level for deeper in _below(trail, item)]
    if not level:
        return
    trail, item = level[0]
    yield _deep(trail, levels, item.link_id)


def _below(trail: _Trail, item: ResponseItem) -> Iterator[tuple[_Trail, ResponseItem]]:
    for number, answer in enumerate(item.answers or ()):
        for inner, one in enumerate(answer.items or ()):
            yield (trail, number, inner), one
    for number, one in enumerate(item.items or ()):
        yield (trail, None, number), one


def _deep(trail: _Trail, levels: int, link_id: str | None) -> Issue:
    says = f"Items lie in each other deeper than {levels} levels."
    place = _place_of(trail)
    return Issue("items-too-deep", "too-costly", says, expression=place, link_id=link_id)


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
