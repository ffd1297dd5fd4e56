"""The form's conditions as a style sheet: questions come and go at once, without a script.

Only what a style sheet can decide exactly is in it: conditions on what is chosen on the same step.
All others are decided by the server when the page is sent. Browsers without :has() show all.
https://www.w3.org/TR/selectors-4/#relational
"""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from itertools import product
from typing import Final

from fhir_service.sdc.compiled import Form
from fhir_service.sdc.items import Condition, Item
from fhir_service.sdc.plans import Plan, Source
from fhir_service.web.filling.showing import scale_of
from fhir_service.web.filling.steps import Step, everything

MOST: Final = 64
"""Alternatives of one item's conditions that a style sheet has at most."""

_ORDERED: Final = {
    "=": lambda a, b: a == b,
    "!=": lambda a, b: a == b,
    ">": lambda a, b: a > b,
    "<": lambda a, b: a < b,
    ">=": lambda a, b: a >= b,
    "<=": lambda a, b: a <= b,
}

Way = tuple[str, ...]
"""Parts of a selector that must all hold."""


class _NotHere(Exception):
    """A style sheet can not decide this."""


def style_of(form: Form, steps: tuple[Step, ...]) -> tuple[str, frozenset[str]]:
    """(style sheet, the linkIds of the items that it shows and hides)."""
    rules, decided = [], set()
    for step in steps:
        for top in step.items:
            for item in everything(top):
                ways = _ways(form, step, item) if item.enable_when else None
                if ways is not None:
                    decided.add(item.link_id)
                    mark = f'[data-i="{form.order[item.link_id]}"]'
                    shown = ",".join(f"form{''.join(way)} {mark}" for way in ways)
                    rules.append(f"{mark}{{display:none}}")
                    if shown:
                        rules.append(f"{shown}{{display:block}}")
    if not rules:
        return "", frozenset()
    return "@supports selector(:has(a)){" + "".join(rules) + "}\n", frozenset(decided)


def mark_of(style: str) -> str:
    """The mark of a style sheet's content, for its address."""
    return sha256(style.encode()).hexdigest()[:12]


def _ways(form: Form, step: Step, item: Item) -> list[Way] | None:
    plan = form.plans[item.link_id]
    try:
        return list(_of_item(form, step, plan, ()))
    except _NotHere:
        return None


def _of_item(form: Form, step: Step, plan: Plan, seen: tuple[str, ...]) -> Iterator[Way]:
    """The ways in which an item's own conditions are met."""
    if plan.link_id in seen or plan.asking or any(one.repeats for one in plan.ancestors):
        raise _NotHere
    seen = (*seen, plan.link_id)
    if plan.item.enable_behavior == "any":
        found = list(_any(form, step, plan, seen))
    else:
        each = [list(_of_condition(form, step, plan, one, seen)) for one in plan.sources]
        found = [sum(parts, ()) for parts in _product(each)]
    if len(found) > MOST:
        raise _NotHere
    yield from dict.fromkeys(found)


def _product(each: list[list[Way]]) -> Iterator[tuple[Way, ...]]:
    count = 1
    for ways in each:
        count *= len(ways)
    if count > MOST:
        raise _NotHere
    yield from product(*each)


def _any(form: Form, step: Step, plan: Plan, seen: tuple[str, ...]) -> Iterator[Way]:
    """Several choices of one question are told together: that is shorter, and means the same."""
    together: dict[str, list[str]] = {}
    others: list[Way] = []
    for source in plan.sources:
        if source.condition.operator == "=" and source.plan and not _besides(plan, source.plan):
            marks = _marks(form, step, source)
            together.setdefault(source.condition.question, []).extend(marks)
        else:
            others += _of_condition(form, step, plan, source, seen)
    for marks in together.values():
        if marks:
            yield (f":has({','.join(dict.fromkeys(marks))})",)
    yield from others


def _besides(plan: Plan, source: Plan) -> list[Plan]:
    """What a question hangs on that does not lie around the item that asks for it as well."""
    return [one for one in source.conditional if one not in plan.ancestors]


def _of_condition(
    form: Form, step: Step, plan: Plan, source: Source, seen: tuple[str, ...]
) -> Iterator[Way]:
    if source.plan is None or not source.flat:
        raise _NotHere
    marks, operator = _marks(form, step, source), source.condition.operator
    denies = operator == "!=" or (operator == "exists" and source.condition.value is False)
    besides = _besides(plan, source.plan)
    if denies and besides:
        raise _NotHere  # a question that is not asked has no answer, whatever is ticked in it
    if not marks and not denies:
        return
    own = (
        ((f":not(:has({','.join(marks)}))" if denies else f":has({','.join(marks)})"),)
        if marks
        else ()
    )
    around = [list(_of_item(form, step, one, seen)) for one in besides]
    for parts in _product(around):
        yield (*own, *sum(parts, ()))


def _marks(form: Form, step: Step, source: Source) -> list[str]:
    """The choices with which a condition is met (of a denial: with which it is not)."""
    plan = source.plan
    if plan is None or plan.link_id not in step.link_ids or not source.flat:
        raise _NotHere
    item = plan.item
    if item.hidden or item.read_only or item.type == "open-choice" or plan.expressive:
        raise _NotHere
    number = form.order[item.link_id]
    tokens = _tokens(item, source.condition)
    return [f'[data-o="{number}.{token}"]:checked' for token in tokens]


def _tokens(item: Item, condition: Condition) -> list[str]:
    steps = scale_of(item)
    if item.type == "boolean":
        known = {"true": True, "false": False}
        return [t for t, v in known.items() if _met(condition, "boolean", v)]
    if steps is not None:
        return [str(one) for one in steps if _met(condition, "integer", one)]
    if item.type == "choice" and item.options:
        return [
            str(n) for n, one in enumerate(item.options) if _met(condition, one.kind, one.value)
        ]
    raise _NotHere


def _met(condition: Condition, kind: str, value: object) -> bool:
    if condition.operator == "exists":
        return True
    if kind == "Coding" and condition.kind == "Coding":
        if condition.operator not in ("=", "!="):
            raise _NotHere
        return _coding(value) == _coding(condition.value)
    if kind != condition.kind or (kind == "boolean" and condition.operator not in ("=", "!=")):
        raise _NotHere
    return bool(_ORDERED[condition.operator](value, condition.value))


def _coding(value: object) -> tuple[object, object]:
    given = value if isinstance(value, dict) else {}
    if not given.get("code"):
        raise _NotHere
    return given.get("system"), given["code"]
