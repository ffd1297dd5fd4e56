"""Whether an expression gives the same wherever in a resource it is evaluated.

What hangs on %resource alone needs to be worked out only once for each response.
http://hl7.org/fhirpath/N1/#expressions
"""

from __future__ import annotations

from collections.abc import Iterable

from fhir_service.fhir.fhirpath.registry import FUNCTIONS
from fhir_service.fhir.fhirpath.syntax import (
    Call,
    Chain,
    Constant,
    Indexer,
    Part,
    Path,
    Sign,
    Special,
    Step,
    TypeTest,
    Variable,
)

_STANDING = frozenset({"context", "qitem"})
_SAME = frozenset({"resource", "rootResource", "questionnaire", "sct", "loinc", "ucum"})
_CLOCKS = frozenset({"today", "now", "timeOfDay"})


def is_closed(part: Part, variables: Iterable[str]) -> bool:
    """Whether it hangs neither on where it stands nor on variables that others define."""
    return _SAME.issuperset(variables) and _closed(part)


def is_grounded(part: Part, variables: Iterable[str]) -> bool:
    """Whether it hangs on where it stands by way of variables that others define alone."""
    return _STANDING.isdisjoint(variables) and _closed(part)


def _closed(part: Part) -> bool:
    if isinstance(part, Constant):
        return True
    if isinstance(part, Special):
        return False
    if isinstance(part, Variable):
        return part.name not in _STANDING
    if isinstance(part, Chain):
        return _closed(part.first) and all(_closed(one) for _, one, _ in part.rest)
    if isinstance(part, Sign | TypeTest):
        return _closed(part.of)
    return _path(part)


def _path(part: Path) -> bool:
    steps = part.steps
    if part.start is None:
        if not steps or not _own(steps[0]):
            return False
        steps = steps[1:]
    elif not _closed(part.start):
        return False
    return all(_step(step) for step in steps)


def _own(step: Step) -> bool:
    """Whether a first step needs nothing to stand on."""
    if not isinstance(step, Call):
        return False
    if step.name in _CLOCKS:
        return True
    return step.name == "iif" and all(_closed(one) for one in step.arguments)


def _step(step: Step) -> bool:
    """Whether a further step asks only for what it is given: its criteria stand on that."""
    if isinstance(step, Indexer):
        return _closed(step.place)
    if not isinstance(step, Call):
        return True
    found = FUNCTIONS.get(step.name)
    return (found is not None and found.lazy) or all(_closed(one) for one in step.arguments)
