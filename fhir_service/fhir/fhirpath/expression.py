"""An expression, compiled once and evaluated often.

http://hl7.org/fhirpath/N1/, http://hl7.org/fhir/R4/fhirpath.html
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, fields, is_dataclass
from typing import Any

from fhir_service.fhir.fhirpath.compile import compiled
from fhir_service.fhir.fhirpath.environment import Environment, Run
from fhir_service.fhir.fhirpath.errors import ExpressionError, TooCostly
from fhir_service.fhir.fhirpath.nodes import Collection, nodes, to_json
from fhir_service.fhir.fhirpath.parser import parse
from fhir_service.fhir.fhirpath.registry import Term, truth
from fhir_service.fhir.fhirpath.shapes import asked, shape
from fhir_service.fhir.fhirpath.syntax import Call, Member, Path, Variable

_ANSWER = ("answer", "value")


@dataclass(frozen=True, slots=True)
class Expression:
    """A compiled expression; safe to share between threads.

    ``names`` are the variables it uses, without ``%``. ``link_ids`` are those that it compares a
    linkId with, in the order they stand. ``answers_of`` is set where the whole expression gives
    the answers of these linkIds and nothing else (``%resource...where(linkId='x').answer.value``).
    """

    text: str
    names: frozenset[str]
    link_ids: tuple[str, ...]
    answers_of: tuple[str, ...] | None
    _term: Term = field(repr=False, compare=False)

    def evaluate(self, focus: Any, environment: Environment) -> list[Any]:
        """What it gives on a JSON value, or a list of them: JSON values again.

        A date, time or Quantity that was computed comes as FHIR JSON has it. Raises
        ExpressionError, or TooCostly, and nothing else; neither repeats a value.
        """
        return [to_json(item) for item in self.evaluate_items(focus, environment)]

    def evaluate_items(self, focus: Any, environment: Environment) -> Collection:
        """As ``evaluate``, but items with their types: for variables of further expressions."""
        run = Run(nodes(focus), environment)
        try:
            return self._term(run)
        except RecursionError:
            raise TooCostly("The expression goes deeper than can be followed.") from None

    def holds(self, focus: Any, environment: Environment) -> bool | None:
        """Whether it is true; None where it gives nothing. A single item that is no Boolean is true.

        http://hl7.org/fhirpath/N1/#singleton-evaluation-of-collections
        """
        return truth(self.evaluate_items(focus, environment))


def compile_expression(text: str) -> Expression:
    """Read an expression, and make it ready to be evaluated.

    Raises ExpressionError with the place of what is wrong, TooCostly for one over our limits.
    """
    try:
        part = parse(text)
        names, link_ids = frozenset(_names(part)), tuple(dict.fromkeys(_link_ids(part)))
        return Expression(text, names, link_ids, _answers_of(part), compiled(part))
    except RecursionError:
        raise TooCostly("The expression is nested too deep.") from None


def _parts(part: Any) -> Iterator[Any]:
    """Every part of a tree."""
    waiting = [part]
    while waiting:
        one = waiting.pop()
        if isinstance(one, tuple):
            waiting.extend(reversed(one))
        elif is_dataclass(one):
            yield one
            waiting.extend(reversed([getattr(one, each.name) for each in fields(one)]))


def _names(part: Any) -> Iterator[str]:
    return (one.name for one in _parts(part) if isinstance(one, Variable))


def _link_ids(part: Any) -> Iterator[str]:
    for one in _parts(part):
        if isinstance(one, Call) and one.name == "where":
            for argument in one.arguments:
                yield from asked(argument)


def _answers_of(part: Any) -> tuple[str, ...] | None:
    found = shape(part) if isinstance(part, Path) else None
    if found is None:
        return None
    rest = tuple(step.name for step in part.steps[2:] if isinstance(step, Member))
    return found.link_ids if rest == _ANSWER and len(part.steps) == 2 + len(rest) else None


__all__ = ["Expression", "ExpressionError", "TooCostly", "compile_expression"]
