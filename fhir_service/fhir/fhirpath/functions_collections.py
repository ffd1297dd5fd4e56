"""Filtering, projecting, subsetting, combining, aggregating and walking the tree.

http://hl7.org/fhirpath/N1/#filtering-and-projection to #tree-navigation; sum, min, max and avg:
https://build.fhir.org/ig/HL7/sdc/expressions.html#fhirpath-supplements
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from fhir_service.fhir.fhirpath import comparing
from fhir_service.fhir.fhirpath.arithmetic import add, divide
from fhir_service.fhir.fhirpath.comparing import order
from fhir_service.fhir.fhirpath.environment import Run
from fhir_service.fhir.fhirpath.errors import ExpressionError
from fhir_service.fhir.fhirpath.nodes import Collection, children, plain
from fhir_service.fhir.fhirpath.quantity import Quantity
from fhir_service.fhir.fhirpath.registry import Term, function, integer, lazy, truth


@lazy("select", 1)
def select(run: Run, items: Collection, projection: Term) -> Collection:
    """What the projection gives for each item, one after the other."""
    run.spend(len(items))
    focus, number = run.focus, run.number
    made: Collection = []
    for place, item in enumerate(items):
        run.focus, run.number = [item], place
        made += projection(run)
    run.spend(len(made))
    run.focus, run.number = focus, number
    return made


@lazy("repeat", 1)
def repeat(run: Run, items: Collection, projection: Term) -> Collection:
    """What the projection gives for the items, for what it gave, and so on; each once."""
    seen: set[Any] = set()
    made: Collection = []
    while items:
        fresh = []
        for item in select(run, items, projection):
            mark = comparing.key(run, item)
            if mark not in seen:
                seen.add(mark)
                fresh.append(item)
        made += fresh
        items = fresh
    return made


@function("single")
def single(_run: Run, items: Collection) -> Collection:
    """The only item; an error where there are several."""
    if len(items) > 1:
        raise ExpressionError("Several items stand where single() allows one.")
    return items


@function("first")
def first(_run: Run, items: Collection) -> Collection:
    """The first item."""
    return items[:1]


@function("last")
def last(_run: Run, items: Collection) -> Collection:
    """The last item."""
    return items[-1:]


@function("tail")
def tail(_run: Run, items: Collection) -> Collection:
    """All but the first."""
    return items[1:]


@function("skip", 1)
def skip(_run: Run, items: Collection, count: Collection) -> Collection:
    """All but the first few."""
    return items[max(0, integer(count) or 0) :]


@function("take", 1)
def take(_run: Run, items: Collection, count: Collection) -> Collection:
    """The first few."""
    return items[: max(0, integer(count) or 0)]


@function("intersect", 1)
def intersect(run: Run, items: Collection, other: Collection) -> Collection:
    """The items that are in both, each once."""
    wanted = comparing.keys(run, other)
    return [item for item in comparing.distinct(run, items) if comparing.key(run, item) in wanted]


@function("exclude", 1)
def exclude(run: Run, items: Collection, other: Collection) -> Collection:
    """The items that are not in the other, order and doubles kept."""
    unwanted = comparing.keys(run, other)
    run.spend(len(items))
    return [item for item in items if comparing.key(run, item) not in unwanted]


@function("union", 1)
def union(run: Run, items: Collection, other: Collection) -> Collection:
    """The items of both, each once."""
    return comparing.distinct(run, [*items, *other])


@function("combine", 1)
def combine(run: Run, items: Collection, other: Collection) -> Collection:
    """The items of both, doubles kept."""
    run.spend(len(items) + len(other))
    return [*items, *other]


@lazy("iif", 2, 3)
def iif(run: Run, items: Collection, test: Term, then: Term, *otherwise: Term) -> Collection:
    """One of two expressions; the other is not evaluated."""
    if len(items) > 1 and items is not run.focus:
        raise ExpressionError("iif() stands on one item at most.")
    focus = run.focus
    if items:
        run.focus = items
    found = test(run)
    if len(found) == 1 and type(plain(found[0])) is not bool:
        raise ExpressionError("The first argument of iif() must be true, false or empty.")
    chosen = (then,) if truth(found) else otherwise
    made = chosen[0](run) if chosen else []
    run.focus = focus
    return made


@lazy("aggregate", 1, 2)
def aggregate(run: Run, items: Collection, step: Term, *start: Term) -> Collection:
    """What the step makes of the items in turn, ``$total`` being what it made before."""
    focus, number, total = run.focus, run.number, run.total
    made = start[0](run) if start else []
    for place, item in enumerate(items):
        run.spend(1 + len(made))
        run.focus, run.number, run.total = [item], place, made
        made = step(run)
    run.focus, run.number, run.total = focus, number, total
    return made


@lazy("trace", 1, 2)
def trace(run: Run, items: Collection, name: Term, *_projection: Term) -> Collection:
    """The items unchanged. Nothing is written down, for answers never go to a log."""
    name(run)
    return items


@function("children")
def children_(run: Run, items: Collection) -> Collection:
    """All children of all items."""
    made = [child for item in items for child in children(item)]
    run.spend(len(made))
    return made


@function("descendants")
def descendants(run: Run, items: Collection) -> Collection:
    """All children, their children, and so on, in the order of the document."""
    made: Collection = []
    waiting = children_(run, items)
    waiting.reverse()
    while waiting:
        item = waiting.pop()
        made.append(item)
        if type(item.value) is dict or item.beside is not None:
            inner = children(item)
            run.spend(1 + len(inner))
            inner.reverse()
            waiting += inner
    return made


def _values(items: Collection) -> list[Any]:
    return [value for value in (plain(item) for item in items) if value is not None]


@function("sum")
def sum_(run: Run, items: Collection) -> Collection:
    """The sum of numbers or quantities; nothing for no item, which is never 0."""
    run.spend(len(items))
    values = _values(items)
    if not values:
        return []
    total = _summable(values[0])
    for value in values[1:]:
        found = add(run, [total], [_summable(value)])
        if not found:
            return []
        total = found[0]
    return [total]


def _summable(value: Any) -> Any:
    if isinstance(value, bool | str) or not isinstance(value, int | Decimal | Quantity):
        raise ExpressionError("Only numbers and quantities can be added up.")
    return value


@function("avg")
def avg(run: Run, items: Collection) -> Collection:
    """The mean of numbers or quantities; nothing for no item."""
    values = _values(items)
    return divide(run, sum_(run, items), [len(values)]) if values else []


@function("min")
def min_(run: Run, items: Collection) -> Collection:
    """The least of numbers, texts, dates or quantities; nothing where two do not compare."""
    return _most(run, items, -1)


@function("max")
def max_(run: Run, items: Collection) -> Collection:
    """The greatest of numbers, texts, dates or quantities; nothing where two do not compare."""
    return _most(run, items, 1)


def _most(run: Run, items: Collection, way: int) -> Collection:
    run.spend(len(items))
    values = _values(items)
    if not values:
        return []
    best = values[0]
    for value in values[1:]:
        found = order(value, best)
        if found is None:
            return []
        if found == way:
            best = value
    return [best]
