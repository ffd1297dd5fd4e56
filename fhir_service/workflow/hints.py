"""Hints beside a form: what the patient's answers of the same visit bring up.

Each suggests what she could ask. They are the clinic's plain facts (mappings/hints), no findings:
what is not sent, not answered or not decided shows none. http://hl7.org/fhirpath/N1/
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fhir_service.fhir.fhirpath import Environment, Expression, ExpressionError, TooCostly
from fhir_service.fhir.reading import read_stored
from fhir_service.workflow.caller import Caller, within
from fhir_service.workflow.filling import TYPE, Filling
from fhir_service.workflow.site import Site
from fhir_service.workflow.telling import saw
from fhir_service.workflow.visits import of_one_visit


@dataclass(frozen=True, slots=True)
class Hint:
    """One hint: shown while ``when`` holds. ``text`` is by language; ``suggests`` are codes."""

    id: str
    when: Expression
    text: Mapping[str, str]
    suggests: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Hints:
    """The hints of one form: from the answers to ``source`` (its url), known as ``%variable``.

    ``at`` is the linkId of the group before which they stand.
    """

    form: str
    source: str
    variable: str
    at: str
    hints: tuple[Hint, ...]

    def that_hold(self, response: Mapping[str, Any]) -> tuple[Hint, ...]:
        """The hints that this response to ``source`` brings up, in their order."""
        known = Environment(variables={self.variable: response})
        return tuple(one for one in self.hints if _holds(one, response, known))


def _holds(hint: Hint, response: Mapping[str, Any], known: Environment) -> bool:
    try:
        return hint.when.holds(response, known) is True
    except (ExpressionError, TooCostly):  # such as two totals where one is meant: not decided
        return False


def hints_for(site: Site, caller: Caller, found: Filling, hints: Hints) -> tuple[Hint, ...]:
    """What this patient's newest answers to the other form of the visit bring up.

    A link opens one response: who came by one sees no hints, as they tell of another.
    """
    stored = found.draft or found.sent
    reach = caller.must(TYPE, "r")
    if stored is None or caller.bound is not None or reach.only:
        return ()
    for other, response in of_one_visit(site, stored, within(TYPE, reach))[1:]:
        if (response.questionnaire or "").partition("|")[0] == hints.source:
            saw(caller, other)
            return hints.that_hold(read_stored(other.body))
    return ()
