"""What an evaluation stands on: the resource, variables, the clock, and doors to terminology.

http://hl7.org/fhirpath/N1/#environment-variables, https://build.fhir.org/ig/HL7/sdc/expressions.html
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from decimal import Decimal
from typing import Any, Final

from fhir_service.fhir.fhirpath.errors import ExpressionError, TooCostly
from fhir_service.fhir.fhirpath.index import ResponseIndex
from fhir_service.fhir.fhirpath.limits import CHARACTERS_PER_STEP, MAX_STEPS, MAX_TEXT
from fhir_service.fhir.fhirpath.nodes import Collection, nodes

MemberOf = Callable[[Any, str], bool | None]
"""Whether a code, Coding or CodeableConcept (as JSON) is in a value set; None: it is not known."""

Weigh = Callable[[Any, str | None], Decimal | None]
"""The weight that the form gives an answer's value (as JSON) at a linkId; None for no weight."""

_CONSTANTS: Final = {
    "sct": "http://snomed.info/sct",
    "loinc": "http://loinc.org",
    "ucum": "http://unitsofmeasure.org",
}
_STEMS: Final = {
    "vs-": "http://hl7.org/fhir/ValueSet/",
    "ext-": "http://hl7.org/fhir/StructureDefinition/",
}


@dataclass(frozen=True, slots=True)
class Environment:
    """What an expression may look at. JSON values, or lists of them, stand for collections.

    ``resource`` is ``%resource`` (and ``%rootResource``), ``context`` is ``%context``; where it is
    None, ``%context`` is what the expression is evaluated on. ``variables`` are all others, by
    name without ``%``: questionnaire, qitem, those of the form and its launch context. ``now``
    must carry a zone; ``zone`` is the one that today() and now() are told in, else that of
    ``now``. ``index`` makes the common shapes fast and must have been made of ``resource``.
    ``find_index`` gives it where it is first needed, and ``answers`` the values of all answers to
    these linkIds anywhere in ``resource``, or None where it can not tell; with either, no variable
    may take the name of %resource.
    ``strict`` makes a step to an element that its type does not have an error. ``steps`` is what
    the evaluation may cost.
    """

    resource: Any = None
    context: Any = None
    variables: Mapping[str, Any] = field(default_factory=dict)
    now: datetime | None = None
    zone: tzinfo | None = None
    member_of: MemberOf | None = None
    weigh: Weigh | None = None
    index: ResponseIndex | None = None
    find_index: Callable[[], ResponseIndex] | None = None
    answers: Callable[[tuple[str, ...]], Collection | None] | None = None
    strict: bool = False
    steps: int = MAX_STEPS

    def __post_init__(self) -> None:
        """Raise ValueError for a clock without a zone."""
        if self.now is not None and self.now.tzinfo is None:
            raise ValueError("the clock of an expression needs a zone")

    def usable_index(self) -> ResponseIndex | None:
        """The index, where it can answer what is asked of %resource."""
        if self.find_index is not None:
            index = self.find_index()
        elif self.index is None or self.overrides_resource:
            return None
        else:
            index = self.index
        return index if index.complete else None

    @property
    def overrides_resource(self) -> bool:
        """Whether a variable takes the name of %resource."""
        return "resource" in self.variables or "rootResource" in self.variables


class Run:
    """One evaluation: where it stands, and what it may still cost.

    ``focus`` is ``$this``, ``number`` is ``$index``, ``total`` is ``$total``.
    """

    __slots__ = (
        "_clock", "_named", "environment", "focus", "left", "number", "patterns", "root", "total",
    )  # fmt: skip

    def __init__(self, focus: Collection, environment: Environment) -> None:
        self.environment = environment
        self.focus = focus
        self.root = focus
        self.number: int | None = None
        self.total: Collection = []
        self.left = environment.steps
        self.patterns: dict[str, Any] = {}
        self._named: dict[str, Collection] = {}
        self._clock: datetime | None = None

    def spend(self, steps: int) -> None:
        """Count work done. Raises TooCostly when there is none left."""
        self.left -= steps
        if self.left < 0:
            raise TooCostly("The expression takes more work than one evaluation may.")

    def spend_text(self, length: int) -> None:
        """Count a text handled or made. Raises TooCostly when it is too long."""
        if length > MAX_TEXT:
            raise TooCostly(f"The expression makes a text longer than {MAX_TEXT} characters.")
        self.spend(1 + length // CHARACTERS_PER_STEP)

    def named(self, name: str, position: int) -> Collection:
        """The collection that ``%name`` stands for. Raises ExpressionError for an unknown one."""
        if name not in self._named:
            self._named[name] = self._find(name, position)
        return self._named[name]

    def _find(self, name: str, position: int) -> Collection:
        given = self.environment
        if name in given.variables:
            return nodes(given.variables[name])
        if name in ("resource", "rootResource"):
            return self._resource()
        if name == "context":
            return self.root if given.context is None else nodes(given.context)
        if name in _CONSTANTS:
            return [_CONSTANTS[name]]
        for stem, address in _STEMS.items():
            if name.startswith(stem) and len(name) > len(stem):
                return [address + name[len(stem) :]]
        raise ExpressionError(f"There is no variable %{name[:40]} here.", position)

    def _resource(self) -> Collection:
        given = self.environment
        if given.find_index is not None:
            return [given.find_index().root]
        if given.index is not None:
            return [given.index.root]
        return nodes(given.resource)

    def clock(self) -> datetime:
        """The moment of the evaluation, the same each time it is asked for."""
        if self._clock is None:
            given = self.environment
            if given.now is None:
                raise ExpressionError("There is no clock here.")
            self._clock = given.now.astimezone(given.zone) if given.zone else given.now
        return self._clock
