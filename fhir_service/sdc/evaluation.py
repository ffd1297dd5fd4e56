"""The expressions of a form on one response: their values, variables, and what it may cost.

Every outcome is a value or NotDecided; nothing is fetched. One response has one Evaluation.
https://hl7.org/fhir/uv/sdc/STU4/expressions.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, tzinfo
from functools import cached_property, partial
from typing import Any, Final

from fhir_service.fhir.fhirpath import (
    Environment,
    Expression,
    ExpressionError,
    Node,
    ResponseIndex,
    TooCostly,
)
from fhir_service.fhir.fhirpath.environment import MemberOf, Run
from fhir_service.fhir.fhirpath.nodes import to_json
from fhir_service.fhir.primitives import DAY_LENGTH
from fhir_service.sdc.enablement import Scopes
from fhir_service.sdc.expressions import Formula, NotDecided, Variable, launched
from fhir_service.sdc.instances import Here, Instances, around, node_of
from fhir_service.sdc.plans import Plan
from fhir_service.sdc.weights import Weights

Json = Mapping[str, Any]

STEPS: Final = 300_000
"""What all expressions of one check may cost together, in the engine's steps."""

STEPS_EACH: Final = 100_000
"""What one of them may cost, with the variables that it asks for."""

STEPS_LEAST: Final = 20
"""What one evaluation costs at least."""

MOST_NESTED: Final = 40
"""How many variables may be asked for on the way to one value."""

_SPENT: Final = "All expressions of the form together take more work than one check may."


@dataclass(frozen=True, slots=True)
class Undecided:
    """An expression that could not tell; ``node`` is the instance that it was asked for."""

    plan: Plan
    rule: str
    says: str
    costly: bool
    node: Node | Here


class Evaluation:
    """Evaluates the expressions of a form on a response.

    ``instances`` are those of the response. ``now`` must carry a zone; without it what asks for
    the time is not decided. ``member_of`` answers memberOf().
    """

    def __init__(
        self,
        root: Plan,
        questionnaire: Json,
        instances: Instances,
        *,
        now: datetime | None = None,
        zone: tzinfo | None = None,
        member_of: MemberOf | None = None,
    ) -> None:
        self.root = root
        self.questionnaire = questionnaire
        self.left = STEPS
        self.doubts: list[Undecided] = []
        self.instances = instances
        self._now = now
        self._zone = zone
        self._member_of = member_of
        self._weights = Weights(root, questionnaire)
        self._known: dict[tuple[int, int], list[Any] | NotDecided] = {}
        self._enabled: dict[tuple[str, int], bool | None] = {}
        self._closed: dict[str, list[Any] | NotDecided] = {}
        self._runs: list[Run] = []
        self._told: set[tuple[str, str, str]] = set()

    @cached_property
    def launched(self) -> frozenset[str]:
        """The names that only a launch gives a value."""
        return launched(self.questionnaire)

    def enabled(self, plan: Plan, here: Node | Here) -> bool | None:
        """What enableWhenExpression says of this instance; None where it can not be told."""
        key = plan.link_id, id(node_of(here)) if _by_instance(plan) else 0
        if key not in self._enabled:
            self._enabled[key] = self._asked(plan, here)
        return self._enabled[key]

    def enabled_within(self, plan: Plan, scopes: Scopes) -> bool | None:
        """As ``enabled``, of the first instance of an item inside these."""
        return self.enabled(plan, Here(partial(self.instances.within, plan, scopes)))

    def _asked(self, plan: Plan, here: Node | Here) -> bool | None:
        given = plan.expressions.enable if plan.expressions is not None else ()
        verdict: bool | None = True
        for formula in given:
            try:
                met = self.truth(formula, here) is True
            except NotDecided as why:
                self.doubt(plan, formula.rule, why, here)
                verdict = None
            else:
                if not met:
                    return False
        return verdict

    def doubt(self, plan: Plan, rule: str, why: NotDecided, here: Node | Here) -> None:
        """Keep, once for a rule of an item, that it could not be decided."""
        key = plan.link_id, rule, why.says
        if key not in self._told:
            self._told.add(key)
            self.doubts.append(Undecided(plan, rule, why.says, why.costly, here))

    def truth(self, formula: Formula, here: Node | Here) -> bool | None:
        """True or false; None where nothing comes of it. Raises NotDecided."""
        found = self.values(formula, here)
        if not found:
            return None
        value = found[0].value if type(found[0]) is Node else found[0]
        if len(found) > 1 or not isinstance(value, bool):
            raise NotDecided("The expression gives something else than true or false.")
        return value

    def json(self, formula: Formula, here: Node | Here) -> list[Any]:
        """What an expression gives for this instance, as JSON values. Raises NotDecided."""
        return [to_json(one) for one in self.values(formula, here)]

    def values(self, formula: Formula, here: Node | Here) -> list[Any]:
        """What an expression gives for this instance, as the engine's items. Raises NotDecided."""
        expression = formula.compiled
        if not expression.closed:
            return self._evaluated(formula, expression, here)
        if expression.daily and self._now is not None:
            return self._of_today(formula, expression, here)
        found = self._closed.get(expression.text)
        if found is None:
            try:
                found = self._evaluated(formula, expression, here)
            except NotDecided as why:
                found = why
            self._closed[expression.text] = found
        if isinstance(found, NotDecided):
            raise NotDecided(found.says, costly=found.costly)
        return found

    def _of_today(self, formula: Formula, expression: Expression, here: Node | Here) -> list[Any]:
        """As it was the last time on this day: it is the same for every response."""
        kept = formula.of_day
        if kept is None or kept[0] != self._today:
            kept = formula.of_day = self._today, self._evaluated(formula, expression, here)
        return kept[1]

    @cached_property
    def _today(self) -> date | None:
        if self._now is None:
            return None
        return (self._now.astimezone(self._zone) if self._zone else self._now).date()

    def _evaluated(self, formula: Formula, expression: Expression, here: Node | Here) -> list[Any]:
        outer = self._runs[-1] if self._runs else None
        left = min(self.left, STEPS_EACH) if outer is None else outer.left
        if left < STEPS_LEAST:
            raise NotDecided(_SPENT, costly=True)
        if expression.names <= _OWN:
            environment = self._environment
        else:
            environment = self._made(_Names(self, formula, here))
        run = Run([] if expression.grounded else [node_of(here)], environment)
        run.left = left - STEPS_LEAST
        self._runs.append(run)
        try:
            return expression.evaluate_run(run)
        except TooCostly as error:
            spent = outer is None and left < STEPS_EACH  # it could have cost more by itself
            raise NotDecided(_SPENT if spent else error.says, costly=True) from None
        except ExpressionError as error:
            raise NotDecided(error.says) from None
        finally:
            self._runs.pop()
            if outer is None:
                self.left -= left - run.left
            else:
                outer.left = run.left

    @cached_property
    def _environment(self) -> Environment:
        """That of an expression without variables."""
        return self._made({})

    def _made(self, names: Mapping[str, Any]) -> Environment:
        return Environment(
            variables=names,
            now=self._now,
            zone=self._zone,
            member_of=self._member_of,
            weigh=self._weights.of,
            find_index=self._index,
            answers=self.instances.answers,
        )

    def _index(self) -> ResponseIndex:
        return self.instances.index

    def variable(self, variable: Variable, here: Node | Here) -> list[Any]:
        """The value of a variable for one who stands at this instance. Raises NotDecided."""
        if variable.level == 0 and variable.formula.grounded:
            place, key = here, (id(variable), 0)
        else:
            place = around(node_of(here), variable.level)
            key = id(variable), id(place)
        found = self._known.get(key)
        if found is None:
            if len(self._runs) > MOST_NESTED:
                raise NotDecided("Variables are built on each other too often.", costly=True)
            try:
                found = self.values(variable.formula, place)
            except NotDecided as why:
                found = why
            self._known[key] = found
        if isinstance(found, NotDecided):
            raise NotDecided(found.says, costly=found.costly)
        return found


def _by_instance(plan: Plan) -> bool:
    return plan.expressions is not None and not plan.expressions.enabled_alike


_OWN: Final = frozenset({"resource", "rootResource", "context"})


class _Names(Mapping[str, Any]):
    """The variables of one expression, each worked out when it is asked for."""

    __slots__ = ("_evaluation", "_formula", "_here")

    def __init__(self, evaluation: Evaluation, formula: Formula, here: Node | Here) -> None:
        self._evaluation = evaluation
        self._formula = formula
        self._here = here

    def __contains__(self, name: object) -> bool:  # type: ignore[explicit-override]
        if name in ("questionnaire", "qitem") or name in self._evaluation.launched:
            return True
        return isinstance(name, str) and self._variable(name) is not None

    def __getitem__(self, name: str) -> Any:  # type: ignore[explicit-override]
        if name == "questionnaire":
            return self._evaluation.questionnaire
        if name == "qitem":
            element = self._formula.element
            return [element] if "linkId" in element else []
        found = self._variable(name)
        if found is None:
            raise ExpressionError(f"%{name[:40]} is known only where the form is launched.")
        try:
            return self._evaluation.variable(found, self._here)
        except NotDecided as why:
            raise (TooCostly if why.costly else ExpressionError)(why.says) from None

    def _variable(self, name: str) -> Variable | None:
        try:
            return self._formula.scope.find(name)
        except NotDecided as why:
            raise ExpressionError(why.says) from None

    def __iter__(self) -> Iterator[str]:  # type: ignore[explicit-override]
        return iter(())

    def __len__(self) -> int:  # type: ignore[explicit-override]
        return 1


def written_at(authored: str | None, zone: tzinfo | None) -> datetime | None:
    """When a response says that it was written; None where it does not say it to the day.

    A day without time stands for its beginning, in the zone given.
    """
    if authored is None or len(authored) < DAY_LENGTH:
        return None
    try:
        moment = datetime.fromisoformat(authored)
    except ValueError:  # a leap second, say
        moment = datetime.fromisoformat(authored[:DAY_LENGTH])
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=zone or UTC)
