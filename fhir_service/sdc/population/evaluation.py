"""The expressions of population on what is known: contexts, variables, and queries.

Every outcome is a value or NotDecided. A variable is worked out when it is first asked for, once
in its place; a query is sent once. https://hl7.org/fhir/uv/sdc/STU4/expressions.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, MutableMapping
from datetime import datetime, tzinfo
from typing import Any, Final

from fhir_service.fhir.fhirpath import (
    Environment,
    ExpressionError,
    Node,
    ResponseIndex,
    TooCostly,
    node,
)
from fhir_service.fhir.fhirpath.environment import MemberOf, Run
from fhir_service.fhir.fhirpath.limits import MAX_STEPS
from fhir_service.fhir.fhirpath.nodes import to_json
from fhir_service.sdc.expressions import Formula, NotDecided
from fhir_service.sdc.population.fetching import Fetch, Fetched, NotFetched
from fhir_service.sdc.population.origins import Bases, references
from fhir_service.sdc.population.plan import Asked, Batch
from fhir_service.sdc.population.queries import Query

STEPS: Final = 2_000_000
"""What all expressions of one population may cost together, in the engine's steps."""

MOST_QUERIES: Final = 60
"""How many different queries one population may send."""

MOST_NESTED: Final = 40

_SPENT: Final = "All expressions of the form together take more work than one population may."
_NOT_ASKED: Final = "It needs the record, and no record was to be asked (parameter local)."

Json = Mapping[str, Any]


class Frame:
    """What is known in one place: names given here, the variables defined here, and those around.

    ``own`` are collections by name. ``focus`` is what expressions stand on, the response where it
    is None.
    """

    __slots__ = ("focus", "known", "observation", "outer", "own", "variables")

    def __init__(
        self,
        own: Mapping[str, list[Any]],
        variables: Mapping[str, Asked | Batch],
        outer: Frame | None = None,
    ) -> None:
        self.own = own
        self.variables = variables
        self.outer = outer
        self.known: MutableMapping[str, list[Any] | NotDecided] = {}
        self.observation: Any = outer.observation if outer is not None else None
        self.focus: Any = outer.focus if outer is not None else None

    def holder(self, name: str) -> Frame | None:
        """The nearest frame that gives this name; None where there is none."""
        frame: Frame | None = self
        while frame is not None and name not in frame.own and name not in frame.variables:
            frame = frame.outer
        return frame


class Evaluation:
    """Evaluates on one response. ``now`` carries a zone.

    ``index`` is that of the response, where the response does not change any more.
    """

    def __init__(
        self,
        questionnaire: Json,
        response: Json,
        *,
        now: datetime,
        zone: tzinfo | None,
        fetch: Fetch | None = None,
        member_of: MemberOf | None = None,
        index: ResponseIndex | None = None,
    ) -> None:
        self.questionnaire = questionnaire
        self.root = node(response) if index is None else index.root
        self._index = index
        self.bases = Bases()
        self.now = now
        self.left = STEPS
        self.says: list[str] = []
        self._fetch = fetch
        self._zone = zone
        self._member_of = member_of
        self._answers: dict[str, Fetched | NotFetched] = {}
        self._nested = 0

    def values(self, asked: Asked, frame: Frame) -> list[Any]:
        """What it gives, as the engine's items; of a query the resource. Raises NotDecided."""
        if asked.query is not None:
            return self._results(asked.query, frame)
        return self.evaluated(asked.formula, frame)

    def _results(self, query: Query, frame: Frame) -> list[Any]:
        """The resource of a query; nothing, and told, where it was not answered.

        https://hl7.org/fhir/uv/sdc/STU4/populate.html: it goes on as if there had been no data.
        """
        try:
            found = self.queried(query, frame)
        except NotDecided as why:
            self.tell(why.says)
            return []
        return [] if found is None else [found]

    def value_of(self, name: str, frame: Frame) -> list[Any]:
        """The value of a name. Raises NotDecided, also for a name that nobody gives."""
        holder = frame.holder(name)
        if holder is None:
            raise NotDecided(f"There is no variable %{name[:40]} here.")
        if name in holder.own:
            return holder.own[name]
        found = holder.known.get(name)
        if found is None:
            holder.known[name] = NotDecided(f"%{name} is built on itself.")
            found = holder.known[name] = self._worked_out(holder.variables[name], holder)
        if isinstance(found, NotDecided):
            raise NotDecided(found.says, costly=found.costly)
        return found

    def _worked_out(self, asked: Asked | Batch, frame: Frame) -> list[Any] | NotDecided:
        if isinstance(asked, Batch):
            return self._batch(asked, frame)
        if self._nested >= MOST_NESTED:
            return NotDecided("Variables are built on each other too often.", costly=True)
        self._nested += 1
        try:
            return self.values(asked, frame)
        except NotDecided as why:
            return why
        finally:
            self._nested -= 1

    def _batch(self, batch: Batch, frame: Frame) -> list[Any]:
        """The Bundle of what the queries of a sourceQueries Bundle gave, in their order."""
        entries: list[dict[str, Any]] = []
        for query in batch.queries:
            try:
                found = self.queried(query, frame)
                entries.append({} if found is None else {"resource": found.value})
            except NotDecided as why:
                self.tell(why.says)
                entries.append({"response": {"status": "404"}})
        return [node({"resourceType": "Bundle", "type": "batch-response", "entry": entries})]

    def queried(self, query: Query, frame: Frame) -> Node | None:
        """The resource that a query gives, as the same Node each time. Raises NotDecided.

        None where the query lacks a value that it is built with.
        """
        if self._fetch is None:
            raise NotDecided(_NOT_ASKED)
        text = query.filled(
            lambda formula: [to_json(one) for one in self.evaluated(formula, frame)]
        )
        return None if text is None else self.fetched(text)

    def fetched(self, text: str) -> Node:
        """The answer to this query. Raises NotDecided."""
        if self._fetch is None:
            raise NotDecided(_NOT_ASKED)
        found = self._answers.get(text)
        if found is None:
            found = self._answers[text] = self._asked(self._fetch, text)
            if isinstance(found, Fetched):
                for says in found.says:
                    self.tell(says)
        if isinstance(found, NotFetched):
            raise NotDecided(found.says)
        self.bases.keep(found.resource, found.base)
        made: Node = node(found.resource)
        return made

    def _asked(self, fetch: Fetch, text: str) -> Fetched | NotFetched:
        if len(self._answers) >= MOST_QUERIES:
            return NotFetched(f"More than {MOST_QUERIES} queries are not sent for one form.")
        try:
            return fetch(text)
        except NotFetched as why:
            return why

    @property
    def may_fetch(self) -> bool:
        """Whether there is a record to be asked."""
        return self._fetch is not None

    def tell(self, says: str) -> None:
        """Keep, once, what could not be had."""
        if says not in self.says:
            self.says.append(says)

    def evaluated(self, formula: Formula, frame: Frame) -> list[Any]:
        """What FHIRPath gives, as the engine's items. Raises NotDecided."""
        expression = formula.compiled
        steps = min(self.left, MAX_STEPS)
        if steps <= 0:
            raise NotDecided(_SPENT, costly=True)
        environment = Environment(
            resource=self.root,
            index=self._index,
            variables=_Names(self, formula, frame),
            now=self.now,
            zone=self._zone,
            member_of=self._member_of,
            steps=steps,
        )
        run = Run([self.root if frame.focus is None else frame.focus], environment)
        try:
            return expression.evaluate_run(run)
        except TooCostly as error:
            raise NotDecided(error.says, costly=True) from None
        except ExpressionError as error:
            raise NotDecided(error.says) from None
        finally:
            self.left -= steps - max(run.left, 0) + 1

    def behind(self, asked: Asked, frame: Frame) -> list[str]:
        """The resources behind all names that an expression uses, each once."""
        return list(dict.fromkeys(self._behind(asked, frame, 0)))

    def _behind(self, asked: Asked, frame: Frame, depth: int) -> Iterator[str]:
        formulas = asked.query.formulas if asked.query is not None else (asked.formula,)
        for name in sorted({name for one in formulas for name in one.compiled.names}):
            holder = frame.holder(name)
            if holder is None or depth > MOST_NESTED:
                continue
            value = holder.own.get(name) or holder.known.get(name)
            found = references(value, self.bases) if isinstance(value, list) else []
            yield from found
            behind = holder.variables.get(name)
            if not found and isinstance(behind, Asked) and name not in holder.own:
                yield from self._behind(behind, holder, depth + 1)


class _Names(Mapping[str, Any]):
    """The names that one expression knows, each worked out when it is asked for."""

    __slots__ = ("_evaluation", "_formula", "_frame")

    def __init__(self, evaluation: Evaluation, formula: Formula, frame: Frame) -> None:
        self._evaluation = evaluation
        self._formula = formula
        self._frame = frame

    def __contains__(self, name: object) -> bool:  # type: ignore[explicit-override]
        if name in ("questionnaire", "qitem"):
            return True
        return isinstance(name, str) and self._frame.holder(name) is not None

    def __getitem__(self, name: str) -> Any:  # type: ignore[explicit-override]
        if name == "questionnaire":
            return self._evaluation.questionnaire
        if name == "qitem":
            element = self._formula.element
            return [element] if "linkId" in element else []
        try:
            return self._evaluation.value_of(name, self._frame)
        except NotDecided as why:
            raise (TooCostly if why.costly else ExpressionError)(why.says) from None

    def __iter__(self) -> Iterator[str]:  # type: ignore[explicit-override]
        return iter(())

    def __len__(self) -> int:  # type: ignore[explicit-override]
        return 1
