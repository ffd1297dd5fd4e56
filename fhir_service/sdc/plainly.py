"""Tests, made once per form, that tell in a few steps that no rule has a word against an item.

A test only ever says yes; what it does not know is asked of the rules. An answer that passes is
also lexically sound. http://hl7.org/fhir/R4/questionnaireresponse.html
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

from msgspec import UNSET

from fhir_service.fhir.primitives import is_code, is_uri
from fhir_service.sdc import extensions as ext
from fhir_service.sdc.plain_quantities import HANDLED, quantity_check
from fhir_service.sdc.response_model import ResponseAnswer, ResponseItem
from fhir_service.sdc.response_walk import is_number

if TYPE_CHECKING:
    from fhir_service.sdc.items import Option
    from fhir_service.sdc.plans import Plan

Test = Callable[[ResponseItem], int]
"""How many values an item holds that is plainly right; 0 for one that has to be looked at."""

Offered = frozenset[tuple[Any, Any, Any]]

_SPAN = (ext.MIN_VALUE, ext.MAX_VALUE)
_HANDLED: Mapping[str, tuple[str, ...]] = {
    "date": _SPAN,
    "integer": (ext.SLIDER_STEP,),
    "quantity": HANDLED,
}
"""The limits (urls of extensions) that the test of a field compares itself."""

_DAY = len("YYYY-MM-DD")


def offered(options: Sequence[Option]) -> Offered:
    """(system, code, display) of all Codings that choose an option, UNSET where one may miss."""
    return frozenset(
        (value["system"], value["code"], display)
        for option in options
        if option.kind == "Coding"
        for value in (option.value,)
        if is_code(value.get("code")) and is_uri(value.get("system"))
        for display in (UNSET, *(label for label in option.labels.values() if label.strip()))
    )


def test_for(plan: Plan) -> Test | None:
    """The test of an item; None where every answer has to be asked of the rules."""
    item = plan.item
    if not plan.quick_but_for(_HANDLED.get(plan.field or "", ())):
        return None
    if any(option.kind == "Coding" for option in item.options):
        if item.repeats:
            return _choices(plan.words, plan.offered, plan.alone, item.max_occurs)
        return _choice(plan.words, plan.offered)
    make = None if item.options else _MADE.get(plan.field or "")
    return None if make is None else make(plan)


def _days(plan: Plan) -> tuple[str, str] | None:
    """The first and the last day; None where a limit is no single full date."""
    days = []
    for url, default in zip(_SPAN, ("0001-01-01", "9999-12-31"), strict=True):
        given = plan.item.extensions.get(url, ())
        day = given[0].get("valueDate") if given else default
        if len(given) > 1 or not isinstance(day, str) or len(day) != _DAY:
            return None
        days.append(day)
    return days[0], days[1]


def _boolean(plan: Plan) -> Test:
    words = plan.words

    def test(item: ResponseItem) -> int:
        given = item.answers
        if (
            given is UNSET
            or len(given) != 1
            or item.text not in words
            or item.items is not UNSET
            or item.definition is not UNSET
        ):
            return 0
        answer = given[0]
        return 1 if answer.boolean is not UNSET and answer.items is UNSET else 0

    return test


def _integer(plan: Plan) -> Test | None:
    if plan.span is None:
        return None
    words, (low, high) = plan.words, plan.span
    step = ext.value(plan.item.extensions, ext.SLIDER_STEP)
    if step not in (None, 1):
        return None

    def test(item: ResponseItem) -> int:
        given = item.answers
        if (
            given is UNSET
            or len(given) != 1
            or item.text not in words
            or item.items is not UNSET
            or item.definition is not UNSET
        ):
            return 0
        answer = given[0]
        value = answer.integer
        return 1 if value is not UNSET and low <= value <= high and answer.items is UNSET else 0

    return test


def _string(plan: Plan) -> Test:
    words, longest, one_line = plan.words, plan.longest, plan.item.type != "text"

    def test(item: ResponseItem) -> int:
        given = item.answers
        if (
            given is UNSET
            or len(given) != 1
            or item.text not in words
            or item.items is not UNSET
            or item.definition is not UNSET
        ):
            return 0
        answer = given[0]
        value = answer.string
        if value is UNSET or len(value) > longest or value.isspace() or answer.items is not UNSET:
            return 0
        return 0 if one_line and ("\n" in value or "\r" in value) else 1

    return test


def _date(plan: Plan) -> Test | None:
    days = _days(plan)
    if days is None:
        return None
    words, (first, last), read = plan.words, days, date.fromisoformat

    def test(item: ResponseItem) -> int:
        given = item.answers
        if (
            given is UNSET
            or len(given) != 1
            or item.text not in words
            or item.items is not UNSET
            or item.definition is not UNSET
        ):
            return 0
        answer = given[0]
        value = answer.date
        if value is UNSET or len(value) != _DAY or answer.items is not UNSET:
            return 0
        try:
            read(value)
        except ValueError:
            return 0
        return 1 if value[7] == "-" and first <= value <= last else 0

    return test


def _decimal(plan: Plan) -> Test:
    words = plan.words

    def test(item: ResponseItem) -> int:
        given = item.answers
        if (
            given is UNSET
            or len(given) != 1
            or item.text not in words
            or item.items is not UNSET
            or item.definition is not UNSET
        ):
            return 0
        answer = given[0]
        if answer.decimal is UNSET or answer.items is not UNSET:
            return 0
        # a decimal is kept as its JSON text, which is no number only where it is no decimal
        return 1 if is_number(answer.decimal) else 0

    return test


def _quantity(plan: Plan) -> Test | None:
    words, check = plan.words, quantity_check(plan.item.extensions)
    if check is None:
        return None

    def test(item: ResponseItem) -> int:
        given = item.answers
        if (
            given is UNSET
            or len(given) != 1
            or item.text not in words
            or item.items is not UNSET
            or item.definition is not UNSET
        ):
            return 0
        answer = given[0]
        if answer.quantity is UNSET or answer.items is not UNSET:
            return 0
        return check(answer.quantity)

    return test


def _choice(words: frozenset[Any], known: Offered) -> Test:
    def test(item: ResponseItem) -> int:
        given = item.answers
        if (
            given is UNSET
            or len(given) != 1
            or item.text not in words
            or item.items is not UNSET
            or item.definition is not UNSET
        ):
            return 0
        answer = given[0]
        coding = answer.coding
        if coding is UNSET or answer.items is not UNSET:
            return 0
        return 1 if (coding.system, coding.code, coding.display) in known else 0

    return test


def _choices(
    words: frozenset[Any], known: Offered, alone: frozenset[Any], most: int | None
) -> Test:
    def several(given: Sequence[ResponseAnswer]) -> int:
        chosen = set()
        for answer in given:
            coding = answer.coding
            if coding is UNSET or answer.items is not UNSET:
                return 0
            system, code = coding.system, coding.code
            if (system, code, coding.display) not in known:
                return 0
            chosen.add((system, code))
        count = len(given)
        if len(chosen) != count or (most is not None and count > most):
            return 0
        return count if count == 1 or chosen.isdisjoint(alone) else 0

    def test(item: ResponseItem) -> int:
        given = item.answers
        if (
            given is UNSET
            or item.text not in words
            or item.items is not UNSET
            or item.definition is not UNSET
        ):
            return 0
        return several(given)

    return test


_MADE: Mapping[str, Callable[[Plan], Test | None]] = {
    "boolean": _boolean,
    "integer": _integer,
    "string": _string,
    "date": _date,
    "decimal": _decimal,
    "quantity": _quantity,
}
