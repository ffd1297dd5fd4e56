"""sort(): by keys, each rising or falling.

http://hl7.org/fhirpath/#sort
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cmp_to_key
from typing import Any

from fhir_service.fhir.fhirpath.comparing import order
from fhir_service.fhir.fhirpath.environment import Run
from fhir_service.fhir.fhirpath.errors import ExpressionError
from fhir_service.fhir.fhirpath.nodes import Collection
from fhir_service.fhir.fhirpath.registry import Step, Term

_COST = 30


def sorted_by(by: Sequence[tuple[Term, bool]], position: int) -> Step:
    """The step that sorts by these keys, a falling one marked True; without keys by the items.

    What has no key comes last where the order rises and first where it falls.
    """
    falls = [falling for _, falling in by] or [False]

    def compare(one: tuple[list[Any], Any], other: tuple[list[Any], Any]) -> int:
        for mine, yours, falling in zip(one[0], other[0], falls, strict=True):
            found = _compared(mine, yours)
            if found:
                return -found if falling else found
        return 0

    def step(run: Run, items: Collection) -> Collection:
        run.spend(_COST * len(items))
        keyed = [(_keys(run, item, by), item) for item in items]
        try:
            keyed.sort(key=cmp_to_key(compare))
        except ExpressionError as error:
            raise error.at(position) from None
        return [item for _, item in keyed]

    return step


def _keys(run: Run, item: Any, by: Sequence[tuple[Term, bool]]) -> list[Any]:
    focus = run.focus
    run.focus = [item]
    found = [term(run) for term, _ in by]
    run.focus = focus
    if any(len(one) > 1 for one in found):
        raise ExpressionError("A key to sort by must be a single item.")
    return [one[0] if one else None for one in found] if by else [item]


def _compared(mine: Any, yours: Any) -> int:
    if mine is None or yours is None:
        return int(mine is None) - int(yours is None)
    return order(mine, yours) or 0
