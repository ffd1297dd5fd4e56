"""The table of functions, and how arguments are given to them.

http://hl7.org/fhirpath/N1/#functions
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from fhir_service.fhir.fhirpath.environment import Run
from fhir_service.fhir.fhirpath.errors import ExpressionError
from fhir_service.fhir.fhirpath.limits import COST_OF_CALL
from fhir_service.fhir.fhirpath.nodes import Collection, Node, plain

Term = Callable[[Run], Collection]
"""A compiled expression: gives its collection for where the run stands."""

Step = Callable[[Run, Collection], Collection]
"""A compiled step of a path: from one collection to the next."""


@dataclass(frozen=True, slots=True)
class Function:
    """A function. ``lazy`` ones get their arguments as Terms, to evaluate them for each item."""

    call: Callable[..., Collection]
    least: int
    most: int
    lazy: bool


FUNCTIONS: dict[str, Function] = {}
"""Every function by name."""


def function(
    name: str, least: int = 0, most: int | None = None
) -> Callable[[Callable[..., Collection]], Callable[..., Collection]]:
    """Enter ``call(run, items, *arguments)``; each argument is a collection."""

    def enter(call: Callable[..., Collection]) -> Callable[..., Collection]:
        FUNCTIONS[name] = Function(call, least, least if most is None else most, lazy=False)
        return call

    return enter


def lazy(
    name: str, least: int = 1, most: int | None = None
) -> Callable[[Callable[..., Collection]], Callable[..., Collection]]:
    """Enter ``call(run, items, *arguments)``; each argument is a Term."""

    def enter(call: Callable[..., Collection]) -> Callable[..., Collection]:
        FUNCTIONS[name] = Function(call, least, least if most is None else most, lazy=True)
        return call

    return enter


def build(found: Function, arguments: list[Term], position: int) -> Step:
    """The step that calls a function; an error in it is told with its place."""
    call = found.call

    def step(run: Run, items: Collection) -> Collection:
        run.spend(COST_OF_CALL)
        try:
            if found.lazy:
                return call(run, items, *arguments)
            return call(run, items, *[argument(run) for argument in arguments])
        except ExpressionError as error:
            raise error.at(position) from None

    return step


def truth(items: Collection) -> bool | None:
    """A collection as a truth value: None when empty, a single item that is no Boolean is true.

    Raises ExpressionError for several items.
    http://hl7.org/fhirpath/N1/#singleton-evaluation-of-collections
    """
    if not items:
        return None
    if len(items) > 1:
        raise ExpressionError("Several items stand where one truth value is due.")
    item = items[0]
    value = item.value if type(item) is Node else item
    return value if type(value) is bool else True


def single(items: Collection) -> Any:
    """The only item as a plain value, None when there is none. ExpressionError for several."""
    if not items:
        return None
    if len(items) > 1:
        raise ExpressionError("Several items stand where one is due.")
    return plain(items[0])


def text(items: Collection) -> str | None:
    """The only item as text; None when there is none. ExpressionError for what is no text.

    A date out of FHIR data counts as the text it is written as.
    """
    value = single(items)
    if value is None or type(value) is str:
        return value
    item = items[0]
    if type(item) is Node and type(item.value) is str:
        return item.value
    raise ExpressionError("A text is due here.")


def integer(items: Collection) -> int | None:
    """The only item as Integer; None when there is none. ExpressionError for what is none."""
    value = single(items)
    if value is None or type(value) is int:
        return value
    raise ExpressionError("An Integer is due here.")


def number(items: Collection) -> int | Decimal | None:
    """The only item as number; None when there is none. ExpressionError for what is none."""
    value = single(items)
    if value is None or type(value) is int or type(value) is Decimal:
        return value
    raise ExpressionError("A number is due here.")
