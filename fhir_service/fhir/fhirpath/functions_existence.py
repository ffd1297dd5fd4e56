"""Whether there is something, how much, and of what kind.

http://hl7.org/fhirpath/N1/#existence, http://hl7.org/fhir/R4/fhirpath.html#functions
"""

from __future__ import annotations

from fhir_service.fhir.fhirpath.comparing import distinct, keys
from fhir_service.fhir.fhirpath.environment import Run
from fhir_service.fhir.fhirpath.errors import ExpressionError
from fhir_service.fhir.fhirpath.nodes import Collection, Node, plain
from fhir_service.fhir.fhirpath.registry import Term, function, lazy, truth


@function("empty")
def empty(_run: Run, items: Collection) -> Collection:
    """Whether there is nothing."""
    return [not items]


@lazy("exists", 0, 1)
def exists(run: Run, items: Collection, *criteria: Term) -> Collection:
    """Whether there is something, that meets the criteria where they are given."""
    return [bool(where(run, items, *criteria) if criteria else items)]


@lazy("where", 1)
def where(run: Run, items: Collection, criteria: Term) -> Collection:
    """The items that meet the criteria."""
    run.spend(len(items))
    focus, number = run.focus, run.number
    kept = []
    for place, item in enumerate(items):
        run.focus, run.number = [item], place
        if truth(criteria(run)):
            kept.append(item)
    run.focus, run.number = focus, number
    return kept


@lazy("all", 1)
def all_(run: Run, items: Collection, criteria: Term) -> Collection:
    """Whether every item meets the criteria; true for none."""
    return [len(where(run, items, criteria)) == len(items)]


def _booleans(items: Collection) -> list[bool]:
    values = [plain(item) for item in items]
    if not all(type(value) is bool for value in values):
        raise ExpressionError("Here every item must be a Boolean.")
    return values


@function("allTrue")
def all_true(_run: Run, items: Collection) -> Collection:
    """Whether all are true."""
    return [all(_booleans(items))]


@function("anyTrue")
def any_true(_run: Run, items: Collection) -> Collection:
    """Whether any is true."""
    return [any(_booleans(items))]


@function("allFalse")
def all_false(_run: Run, items: Collection) -> Collection:
    """Whether all are false."""
    return [not any(_booleans(items))]


@function("anyFalse")
def any_false(_run: Run, items: Collection) -> Collection:
    """Whether any is false."""
    return [not all(_booleans(items))]


@function("subsetOf", 1)
def subset_of(run: Run, items: Collection, other: Collection) -> Collection:
    """Whether each item is also in the other collection."""
    return [keys(run, items) <= keys(run, other)]


@function("supersetOf", 1)
def superset_of(run: Run, items: Collection, other: Collection) -> Collection:
    """Whether each item of the other collection is also in this one."""
    return [keys(run, items) >= keys(run, other)]


@function("count")
def count(_run: Run, items: Collection) -> Collection:
    """How many items there are."""
    return [len(items)]


@function("distinct")
def distinct_(run: Run, items: Collection) -> Collection:
    """Each item once."""
    return distinct(run, items)


@function("isDistinct")
def is_distinct(run: Run, items: Collection) -> Collection:
    """Whether no item stands twice."""
    return [len(distinct(run, items)) == len(items)]


@function("not")
def not_(_run: Run, items: Collection) -> Collection:
    """The opposite of a truth value."""
    value = truth(items)
    return [] if value is None else [not value]


@function("hasValue")
def has_value(_run: Run, items: Collection) -> Collection:
    """Whether there is one item, a primitive with a value and not with extensions alone."""
    return [len(items) == 1 and _primitive_value(items[0]) is not None]


@function("getValue")
def get_value(_run: Run, items: Collection) -> Collection:
    """The value of a single primitive, as a type of FHIRPath."""
    if len(items) != 1 or _primitive_value(items[0]) is None:
        return []
    return [plain(items[0])]


def _primitive_value(item: object) -> object:
    if type(item) is not Node:
        return item
    return None if isinstance(item.value, dict | list) else item.value
