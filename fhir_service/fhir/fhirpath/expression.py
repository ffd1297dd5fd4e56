"""An expression, compiled once and evaluated often.

http://hl7.org/fhirpath/N1/, http://hl7.org/fhir/R4/fhirpath.html
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from fhir_service.fhir.fhirpath.closed import is_closed, is_grounded
from fhir_service.fhir.fhirpath.compile import compiled
from fhir_service.fhir.fhirpath.environment import Environment, Run
from fhir_service.fhir.fhirpath.errors import ExpressionError, TooCostly
from fhir_service.fhir.fhirpath.nodes import Collection, nodes, to_json
from fhir_service.fhir.fhirpath.parser import parse
from fhir_service.fhir.fhirpath.registry import Term, truth
from fhir_service.fhir.fhirpath.shapes import asked, shape
from fhir_service.fhir.fhirpath.syntax import Member, Part, Path

_ANSWER = ("answer", "value")


@dataclass(frozen=True, slots=True)
class Expression:
    """A compiled expression; safe to share between threads.

    ``names`` are the variables it uses, without ``%``. ``link_ids`` are those that it compares a
    linkId with, in the order they stand. ``answers_of`` is set where the whole expression gives
    the answers of these linkIds and nothing else (``%resource...where(linkId='x').answer.value``).
    ``closed`` when it gives the same wherever in a resource it is evaluated; ``grounded`` when
    only its variables can make a difference there; ``daily`` when it hangs on the day alone.
    """

    text: str
    names: frozenset[str]
    link_ids: tuple[str, ...]
    answers_of: tuple[str, ...] | None
    closed: bool
    grounded: bool
    daily: bool
    _term: Term = field(repr=False, compare=False)

    def evaluate(self, focus: Any, environment: Environment) -> list[Any]:
        """What it gives on a JSON value, or a list of them: JSON values again.

        A date, time or Quantity that was computed comes as FHIR JSON has it. Raises
        ExpressionError, or TooCostly, and nothing else; neither repeats a value.
        """
        return [to_json(item) for item in self.evaluate_items(focus, environment)]

    def evaluate_items(self, focus: Any, environment: Environment) -> Collection:
        """As ``evaluate``, but items with their types: for variables of further expressions."""
        return self.evaluate_run(Run(nodes(focus), environment))

    def evaluate_run(self, run: Run) -> Collection:
        """As ``evaluate_items``, in a Run of the caller's, who sees what it has ``left``."""
        try:
            return list(self._term(run))
        except RecursionError:
            raise TooCostly("The expression goes deeper than can be followed.") from None
        except ArithmeticError:
            raise ExpressionError("A number is out of the range that can be computed.") from None

    def holds(self, focus: Any, environment: Environment) -> bool | None:
        """Whether it is true; None where it gives nothing. A single item, no Boolean, is true.

        http://hl7.org/fhirpath/N1/#singleton-evaluation-of-collections
        """
        return truth(self.evaluate_items(focus, environment))


def compile_expression(text: str) -> Expression:
    """Read an expression, and make it ready to be evaluated.

    Raises ExpressionError with the place of what is wrong, TooCostly for one over our limits.
    """
    try:
        part, variables, calls = parse(text)
        link_ids = dict.fromkeys(
            link_id
            for call in calls
            if call.name == "where"
            for argument in call.arguments
            for link_id in asked(argument)
        )
        names = frozenset(variables)
        closed = is_closed(part, names)
        return Expression(
            text,
            names,
            tuple(link_ids),
            _answers_of(part),
            closed,
            is_grounded(part, names),
            closed and not names and {call.name for call in calls} == {"today"},
            compiled(part),
        )
    except RecursionError:
        raise TooCostly("The expression is nested too deep.") from None


def _answers_of(part: Part) -> tuple[str, ...] | None:
    if not isinstance(part, Path):
        return None
    found = shape(part)
    if found is None:
        return None
    rest = tuple(step.name for step in part.steps[2:] if isinstance(step, Member))
    return found.link_ids if rest == _ANSWER and len(part.steps) == 2 + len(rest) else None


__all__ = ["Expression", "ExpressionError", "TooCostly", "compile_expression"]
