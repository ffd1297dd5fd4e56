"""Operators between two expressions.

http://hl7.org/fhirpath/N1/#operations
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Final

from fhir_service.fhir.fhirpath import arithmetic
from fhir_service.fhir.fhirpath.comparing import (
    distinct,
    equal,
    equivalent,
    is_in,
    order,
)
from fhir_service.fhir.fhirpath.environment import Run
from fhir_service.fhir.fhirpath.errors import ExpressionError
from fhir_service.fhir.fhirpath.limits import COST_OF_UNITS
from fhir_service.fhir.fhirpath.nodes import Collection, Node
from fhir_service.fhir.fhirpath.registry import Term, truth

Operator = Callable[[Run, Term, Term], Collection]

_CHEAP: Final = frozenset({int, str, Decimal})


def _maybe(value: bool | None) -> Collection:
    return [] if value is None else [value]


def and_(run: Run, left: Term, right: Term) -> Collection:
    """``and`` over true, false and not known."""
    one = truth(left(run))
    if one is False:
        return [False]
    other = truth(right(run))
    if other is False:
        return [False]
    return [True] if one and other else []


def or_(run: Run, left: Term, right: Term) -> Collection:
    """``or`` over true, false and not known."""
    one = truth(left(run))
    if one:
        return [True]
    other = truth(right(run))
    if other:
        return [True]
    return [] if one is None or other is None else [False]


def xor(run: Run, left: Term, right: Term) -> Collection:
    """``xor``: not known where one side is."""
    one, other = truth(left(run)), truth(right(run))
    return [] if one is None or other is None else [one != other]


def implies(run: Run, left: Term, right: Term) -> Collection:
    """``implies`` over true, false and not known."""
    one = truth(left(run))
    if one is False:
        return [True]
    other = truth(right(run))
    if other:
        return [True]
    return [] if one is None or other is None else [False]


def equals(run: Run, left: Term, right: Term) -> Collection:
    """``=``"""
    return _maybe(equal(run, left(run), right(run)))


def differs(run: Run, left: Term, right: Term) -> Collection:
    """``!=``"""
    found = equal(run, left(run), right(run))
    return [] if found is None else [not found]


def is_equivalent(run: Run, left: Term, right: Term) -> Collection:
    """``~``"""
    return [equivalent(run, left(run), right(run))]


def is_not_equivalent(run: Run, left: Term, right: Term) -> Collection:
    """``!~``"""
    return [not equivalent(run, left(run), right(run))]


def _ordered(holds: Callable[[int], bool]) -> Operator:
    def compare(run: Run, left: Term, right: Term) -> Collection:
        one, other = left(run), right(run)
        if not one or not other:
            return []
        if len(one) > 1 or len(other) > 1:
            raise ExpressionError("Several items stand where one is compared.")
        mine, yours = one[0], other[0]
        number = mine.value if type(mine) is Node else mine
        if type(number) is int and type(yours) is int:
            return [holds((number > yours) - (number < yours))]
        if type(mine) not in _CHEAP:
            run.spend(COST_OF_UNITS)
        found = order(one[0], other[0])
        return [] if found is None else [holds(found)]

    return compare


def union(run: Run, left: Term, right: Term) -> Collection:
    """``|``: the items of both, each once."""
    return distinct(run, [*left(run), *right(run)])


def within(run: Run, left: Term, right: Term) -> Collection:
    """``in``: whether the item on the left is among those on the right."""
    return _member(run, left(run), right(run))


def contains(run: Run, left: Term, right: Term) -> Collection:
    """``contains``: whether the item on the right is among those on the left."""
    among = left(run)
    return _member(run, right(run), among)


def _member(run: Run, item: Collection, among: Collection) -> Collection:
    if not item:
        return []
    if len(item) > 1:
        raise ExpressionError("Several items stand where one is looked for.")
    return [is_in(run, item[0], among)]


def _computed(operation: Callable[[Run, Collection, Collection], Collection]) -> Operator:
    return lambda run, left, right: operation(run, left(run), right(run))


OPERATORS: Final[Mapping[str, Operator]] = {
    "and": and_,
    "or": or_,
    "xor": xor,
    "implies": implies,
    "=": equals,
    "!=": differs,
    "~": is_equivalent,
    "!~": is_not_equivalent,
    "<": _ordered(lambda found: found < 0),
    "<=": _ordered(lambda found: found <= 0),
    ">": _ordered(lambda found: found > 0),
    ">=": _ordered(lambda found: found >= 0),
    "|": union,
    "in": within,
    "contains": contains,
    "+": _computed(arithmetic.add),
    "-": _computed(arithmetic.subtract),
    "*": _computed(arithmetic.multiply),
    "/": _computed(arithmetic.divide),
    "div": _computed(arithmetic.whole_quotient),
    "mod": _computed(arithmetic.remainder),
    "&": _computed(arithmetic.joined),
}
"""Every operator but ``is`` and ``as``."""
