"""Tests, made once per form, that tell in a few steps that no rule has a word against an item.

A test only ever says yes; what it does not know is asked of the rules. An answer that passes is
also lexically sound. http://hl7.org/fhir/R4/questionnaireresponse.html
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from msgspec import UNSET, UnsetType

from fhir_service.fhir.primitives import is_code, is_uri
from fhir_service.sdc import extensions as ext
from fhir_service.sdc.plain_quantities import HANDLED, quantity_check
from fhir_service.sdc.response_model import Coding, ResponseAnswer, ResponseItem
from fhir_service.sdc.response_walk import is_day, is_number

if TYPE_CHECKING:
    from fhir_service.sdc.enablement import Enablement, Scopes
    from fhir_service.sdc.items import Option
    from fhir_service.sdc.plans import Entry, Plan

Given = Sequence[ResponseAnswer]
Test = Callable[[Given], int]
"""How many properties an item with these answers has, all below it counted; 0 where they are
not plainly right and have to be looked at. There is one answer at least. Of the item itself its
linkId and its answers are counted, and nothing is asked. What an answer has besides (items, a
version) is not counted: then the count of all properties tells that the rules have to be asked.
"""

Offered = Mapping[Coding, int]
"""By Coding that chooses an option the properties of an item that is answered by it."""

_SPAN = (ext.MIN_VALUE, ext.MAX_VALUE)
_HANDLED: Mapping[str, tuple[str, ...]] = {
    "date": _SPAN,
    "integer": (ext.SLIDER_STEP,),
    "quantity": HANDLED,
}
"""The limits (urls of extensions) that the test of a field compares itself."""

_DAY = len("YYYY-MM-DD")

_ITEM = 2
"""The properties of an item: linkId and answer."""

_ONE = _ITEM + 1
"""Those of an item with one answer of a primitive type."""

_WORDED = _ONE + 3
"""Those of an item with one answer of system, code and display."""

_KEPT = 1_000
"""So many tests of each type are shared by all items that ask the same: what a large form asks
stays in the processor's cache."""


def offered(options: Sequence[Option]) -> Offered:
    """All Codings that choose an option by system and code, with its words or without."""
    return {
        Coding(system=value["system"], code=value["code"], display=display): (
            _ONE + 2 + (display is not UNSET)
        )
        for option in options
        if option.kind == "Coding"
        for value in (option.value,)
        if is_code(value.get("code")) and is_uri(value.get("system"))
        for display in _words(option)
    }


def _words(option: Option) -> list[str | UnsetType]:
    return [UNSET, *(label for label in option.labels.values() if label.strip())]


def test_for(plan: Plan) -> Test | None:
    """The test of an item; None where every answer has to be asked of the rules."""
    item = plan.item
    if not plan.quick_but_for(_HANDLED.get(plan.field or "", ())):
        return None
    if any(option.kind == "Coding" for option in item.options):
        if item.repeats:
            return _choices(plan.offered, plan.alone, item.max_occurs)
        return _choice(plan.offered)
    make = None if item.options else _MADE.get(plan.field or "")
    return None if make is None else make(plan)


def passes(plan: Plan, item: ResponseItem) -> int:
    """How many properties an item has that is plainly right; 0 for one that has to be looked at.

    What has an extension, an id or two values has more of them than are counted.
    """
    given = item.answers
    if (
        plan.tested is None
        or given is UNSET
        or item.items is not UNSET
        or item.definition is not UNSET
        or item.text not in plan.words
        or (plan.children and any(answer.items is not UNSET for answer in given))
    ):
        return 0
    found = plan.tested(given)
    return found if item.text is UNSET or not found else found + 1


def quickly(plan: Plan, item: ResponseItem, enablement: Enablement, scopes: Scopes) -> int:
    """How many properties an item has that is enabled and plainly right, with all in it; else 0.

    What is around it must be enabled, and what stands before it, in the form's order, be met.
    """
    if plan.expressions is not None or not (plan.flat or plan.tested):
        return 0
    if plan.sources and not enablement.enabled(plan, scopes):
        return 0
    if not plan.flat:
        return passes(plan, item)
    if (
        item.answers is not UNSET
        or item.items is UNSET
        or item.definition is not UNSET
        or (item.text is not UNSET and item.text not in plan.words)
    ):
        return 0
    inner = {**scopes, plan.link_id: item} if plan.repeats else scopes
    found = _all_pass(plan, item.items, enablement, inner)
    return found and found + (_ITEM if item.text is UNSET else _ITEM + 1)


def entry_passes(
    plan: Plan, entry: Entry, item: ResponseItem, enablement: Enablement, scopes: Scopes
) -> int:
    """As ``quickly`` gives it, of a question that has an entry."""
    _, test, _, asks, _ = entry
    given, text = item.answers, item.text
    if given is UNSET or (text is not UNSET and text not in plan.words):
        return 0
    if asks is not None and not _enabled(plan, asks, enablement, scopes):
        return 0
    found = test(given)
    return found if text is UNSET or not found else found + 1


def _all_pass(  # noqa: PLR0911  each way out is the end of it
    plan: Plan, items: Sequence[ResponseItem], enablement: Enablement, scopes: Scopes
) -> int:
    """How many properties the items in a group without groups have, all plainly right; else 0."""
    table, children, seen = plan.table, plan.children, enablement.seen
    last, found, met = -1, 0, 0
    for item in items:
        entry = table.get(item.link_id)
        if entry is None:
            return 0
        index, test, wanted, asks, child = entry
        given, text = item.answers, item.text
        if index <= last or given is UNSET:
            return 0
        last = index
        if text is not UNSET:
            if text not in children[item.link_id].words:
                return 0
            found += 1
        count = test(given)
        if count == 0:
            return 0
        found += count
        met += wanted
        if child is not None:
            seen[child.link_id] = item
            if asks is not None and not _enabled(child, asks, enablement, scopes):
                return 0
    if met == len(plan.demanding) or _no_more(plan, items, enablement, scopes):
        return found
    return 0


def _enabled(child: Plan, asks: Any, enablement: Enablement, scopes: Scopes) -> bool:
    if asks:
        source = enablement.seen.get(asks[0])
        if source is not None and source.answers is not UNSET:
            met: bool | None = asks[1](source.answers)
            if met is not None:
                return met
    return enablement.enabled(child, scopes)


def _no_more(
    plan: Plan, items: Sequence[ResponseItem], enablement: Enablement, scopes: Scopes
) -> bool:
    """Whether what is wanted and was not sent is not asked for."""
    sent = {item.link_id for item in items}
    return all(
        child.link_id in sent or (child.sources and not enablement.enabled(child, scopes))
        for child in plan.demanding
    )


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
    del plan
    return _any_boolean


def _any_boolean(given: Given) -> int:
    try:
        (answer,) = given
    except ValueError:
        return 0
    return 0 if answer.boolean is UNSET else _ONE


def _integer(plan: Plan) -> Test | None:
    step = ext.value(plan.item.extensions, ext.SLIDER_STEP)
    return _integer_within(*plan.span) if plan.span is not None and step in (None, 1) else None


@lru_cache(_KEPT)
def _integer_within(low: int, high: int) -> Test:
    def test(given: Given) -> int:
        try:
            (answer,) = given
        except ValueError:
            return 0
        value = answer.integer
        return _ONE if value is not UNSET and low <= value <= high else 0

    return test


def _string(plan: Plan) -> Test:
    return _string_within(plan.longest, plan.item.type != "text")


@lru_cache(_KEPT)
def _string_within(longest: int, one_line: bool) -> Test:
    def test(given: Given) -> int:
        try:
            (answer,) = given
        except ValueError:
            return 0
        value = answer.string
        if value is UNSET or len(value) > longest or value.isspace():
            return 0
        return 0 if one_line and ("\n" in value or "\r" in value) else _ONE

    return test


def _date(plan: Plan) -> Test | None:
    days = _days(plan)
    return None if days is None else _date_within(*days)


@lru_cache(_KEPT)
def _date_within(first: str, last: str) -> Test:
    def test(given: Given) -> int:
        try:
            (answer,) = given
        except ValueError:
            return 0
        value = answer.date
        if value is UNSET or not is_day(value):
            return 0
        return _ONE if first <= value <= last else 0

    return test


def _decimal(plan: Plan) -> Test:
    del plan
    return _any_decimal


def _any_decimal(given: Given) -> int:
    try:
        (answer,) = given
    except ValueError:
        return 0
    # a decimal is kept as its JSON text, which is no number only where it is no decimal
    value = answer.decimal
    return _ONE if value is not UNSET and is_number(value) else 0


def _quantity(plan: Plan) -> Test | None:
    check = quantity_check(plan.item.extensions)
    if check is None:
        return None

    def test(given: Given) -> int:
        try:
            (answer,) = given
        except ValueError:
            return 0
        quantity = answer.quantity
        return 0 if quantity is UNSET else check(quantity)

    return test


def _by_code(known: Offered) -> Mapping[Any, tuple[Any, Any, int, Offered]]:
    """By code the system, the words, a number, and all Codings that choose this option.

    Codes that stand in several systems are left out.
    """
    made: dict[Any, tuple[Any, Any, int, Offered]] = {}
    for number, code in enumerate(dict.fromkeys(one.code for one in known)):
        same = {one: known[one] for one in known if one.code == code}
        if len({one.system for one in same}) == 1:
            words = [one.display for one in same if one.display is not UNSET]
            made[code] = next(iter(same)).system, words[0] if words else UNSET, number, same
    return made


def _choice(known: Offered) -> Test:
    by_code = _by_code(known)

    def test(given: Given) -> int:
        try:
            (answer,) = given
        except ValueError:
            return 0
        coding = answer.coding
        if coding is UNSET:
            return 0
        option = by_code.get(coding.code)
        if option and coding.display == option[1] and coding.system == option[0]:
            return _WORDED
        return known.get(coding, 0)

    return test


def _choices(known: Offered, alone: frozenset[Any], most: int | None) -> Test:
    by_code = _by_code(known)
    exclusive = frozenset(one[2] for code, one in by_code.items() if (one[0], code) in alone)

    def test(given: Given) -> int:
        chosen = set()
        found = _ITEM
        for answer in given:
            coding = answer.coding
            if coding is UNSET:
                return 0
            option = by_code.get(coding.code)
            if option is None:
                return 0
            if coding.display == option[1] and coding.system == option[0]:
                found += _WORDED - _ITEM
            else:
                properties = option[3].get(coding)
                if properties is None:
                    return 0
                found += properties - _ITEM
            chosen.add(option[2])
        count = len(given)
        if len(chosen) != count or (most is not None and count > most):
            return 0
        return found if count == 1 or chosen.isdisjoint(exclusive) else 0

    return test


_MADE: Mapping[str, Callable[[Plan], Test | None]] = {
    "boolean": _boolean,
    "integer": _integer,
    "string": _string,
    "date": _date,
    "decimal": _decimal,
    "quantity": _quantity,
}
