"""Fills a form: one walk over its items, in their order, that leaves out what it can not answer.

Each failure is told and stops nothing else. https://hl7.org/fhir/uv/sdc/STU4/populate.html
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from functools import cached_property
from typing import Any, Final

from fhir_service.fhir.fhirpath import Node, node
from fhir_service.fhir.fhirpath.environment import MemberOf
from fhir_service.fhir.fhirpath.nodes import members
from fhir_service.fhir.issues import Issue
from fhir_service.sdc.compiled import Form
from fhir_service.sdc.expressions import NotDecided
from fhir_service.sdc.population import observations
from fhir_service.sdc.population.answers import Value, fitting
from fhir_service.sdc.population.evaluation import Evaluation, Frame
from fhir_service.sdc.population.fetching import Context, Fetch
from fhir_service.sdc.population.origins import references, told
from fhir_service.sdc.population.plan import Asked, Plan, Spot, plan_of

Json = Mapping[str, Any]

MOST_INSTANCES: Final = 200
"""How many instances of a group are made at most, where the form sets no limit."""

MOST_ISSUES: Final = 100


@dataclass(frozen=True, slots=True)
class Filled:
    """A QuestionnaireResponse in progress, and what could not be filled."""

    response: dict[str, Any]
    issues: tuple[Issue, ...]


def fill(
    form: Form,
    *,
    now: datetime,
    zone: tzinfo | None = None,
    subject: str | None = None,
    contexts: Sequence[Context] = (),
    fetch: Fetch | None = None,
    member_of: MemberOf | None = None,
) -> Filled:
    """The response of a form with all that these contexts, and ``fetch``, know.

    ``subject`` is a reference (``Patient/1``). ``fetch`` None asks nobody. Nothing is raised for
    what the form or the data do wrong: it is told, and left out.
    """
    return _Filling(form, contexts, now, zone, subject, fetch, member_of).filled()


class _Filling:
    def __init__(
        self,
        form: Form,
        contexts: Sequence[Context],
        now: datetime,
        zone: tzinfo | None,
        subject: str | None,
        fetch: Fetch | None,
        member_of: MemberOf | None,
    ) -> None:
        self.form = form
        self.plan: Plan = plan_of(form)
        self.subject = subject
        self.issues: list[Issue] = []
        self.response: dict[str, Any] = {"resourceType": "QuestionnaireResponse"}
        if form.canonical is not None:
            self.response["questionnaire"] = form.canonical
        self.response["status"] = "in-progress"
        if subject is not None:
            self.response["subject"] = {"reference": subject}
        self.response["authored"] = now.astimezone(zone).isoformat(timespec="seconds")
        self.evaluation = Evaluation(
            form.questionnaire,
            self.response,
            now=now,
            zone=zone,
            fetch=fetch,
            member_of=member_of,
        )
        self.given = {one.name: [node(each) for each in one.content] for one in contexts}
        for one in contexts:
            for each in one.content:
                self.evaluation.bases.keep(each, one.base)
        self.frame = self._outermost()

    def filled(self) -> Filled:
        if self.plan.unread:
            self._tell("populate-structure-map", "not-supported", _NO_MAPS)
        items: list[dict[str, Any]] = []
        self.response["item"] = items
        self._spots(self.plan.spots, items, self.frame)
        if not items:
            del self.response["item"]
        for says in self.evaluation.says:
            self._tell("populate-not-fetched", "incomplete", says)
        return Filled(self.response, tuple(self.issues[:MOST_ISSUES]))

    def _outermost(self) -> Frame:
        """The frame of the form: what was given, then the variables that were not."""
        own: dict[str, list[Any]] = {}
        for name, values in self.given.items():
            if name in self.plan.names:
                own[name] = values
            else:
                says = f"The form has no context, variable or query “{name[:60]}”: not used."
                self._tell("populate-context-unknown", "not-found", says)
        for number, batch in enumerate(self.plan.batches):
            if number == 0 and "sourceQueries" in own:
                own.setdefault(batch.name, own["sourceQueries"])
        own |= {name: [] for name in self.plan.launched if name not in own}
        return Frame(own, {**self.plan.variables, **{one.name: one for one in self.plan.batches}})

    def _spots(self, spots: Iterable[Spot], items: list[dict[str, Any]], frame: Frame) -> None:
        for spot in spots:
            if spot.fills:
                if spot.item.type == "group":
                    self._group(spot, items, frame)
                else:
                    self._question(spot, items, frame)

    def _group(self, spot: Spot, items: list[dict[str, Any]], frame: Frame) -> None:
        for own in self._instances(spot, frame):
            inner = Frame(own, spot.variables, frame)
            self._observe(spot, inner)
            made = self._started(spot)
            items.append(made)
            below: list[dict[str, Any]] = []
            made["item"] = below
            self._spots(spot.below, below, inner)
            if not below:
                items.pop()

    def _instances(self, spot: Spot, frame: Frame) -> list[dict[str, list[Any]]]:
        """The names of each instance of a group that is to be made."""
        if spot.context is None:
            return [{}]
        name, asked = spot.context
        values = self._values(spot, asked, Frame({}, spot.variables, frame))
        found = [one for value in values for one in _rows(value, asked)]
        if not found:
            return [{name: []}]
        most = spot.item.max_occurs or MOST_INSTANCES if spot.item.repeats else 1
        if len(found) > most:
            says = f"There are {len(found)} entries, and room for {most}: the others are left out."
            self._tell("populate-too-many", "too-long", says, spot)
        return [{name: [one]} for one in found[:most]]

    def _question(self, spot: Spot, items: list[dict[str, Any]], frame: Frame) -> None:
        inner = Frame({}, spot.variables, frame) if spot.variables or spot.below else frame
        answers = self._answers(spot, inner)
        if not answers:
            return
        made = self._started(spot)
        made["answer"] = answers
        items.append(made)
        for answer in answers:
            below: list[dict[str, Any]] = []
            if spot.below:
                self._spots(spot.below, below, inner)
            if below:
                answer["item"] = below

    def _started(self, spot: Spot) -> dict[str, Any]:
        made: dict[str, Any] = {"linkId": spot.item.link_id}
        if "text" in spot.raw:
            made["text"] = spot.raw["text"]
        return made

    def _answers(self, spot: Spot, frame: Frame) -> list[dict[str, Any]]:
        if spot.initial is not None:
            items = self._values(spot, spot.initial, frame)
            found = self._fitted(spot, items)
            if found:
                return [
                    {"extension": told(self._sources(spot.initial, item, frame)), name: value}
                    for (name, value), item in found
                ]
        if spot.fixed:
            return [
                {"extension": told(None), f"value{kind[0].upper()}{kind[1:]}": value}
                for kind, value in spot.fixed
            ]
        if spot.period is not None and spot.item.codes and spot.initial is None:
            return self._observed(spot, frame)
        return []

    def _sources(self, asked: Asked, item: Any, frame: Frame) -> list[str]:
        """The resource that a value lies in; for one that was worked out all it was made of."""
        return references([item], self.evaluation.bases) or self.evaluation.behind(asked, frame)

    def _fitted(self, spot: Spot, items: list[Any]) -> list[tuple[Value, Any]]:
        """The answers that values give, each with its value; none where they are too many."""
        found: list[tuple[Value, Any]] = []
        for one in _unwrapped(items):
            value = fitting(spot.item, one)
            if value is None:
                self._tell("populate-type", "value", _OTHER_TYPE, spot)
            elif all(value != known for known, _ in found):
                found.append((value, one))
        most = spot.item.max_occurs if spot.item.repeats else 1
        if most is not None and len(found) > most:
            says = f"There are {len(found)} values, and the question takes {most}."
            self._tell("populate-too-many", "too-long", says, spot)
            return found[:most] if spot.item.repeats else []
        return found

    def _values(self, spot: Spot, asked: Asked, frame: Frame) -> list[Any]:
        try:
            return self.evaluation.values(asked, frame)
        except NotDecided as why:
            self._tell("populate-not-decided", "incomplete", why.says, spot)
            return []

    # observations

    def _observe(self, spot: Spot, frame: Frame) -> None:
        """Bind the Observation that a group stands for: what lies in the group is part of it."""
        if spot.period is not None and spot.item.codes:
            found = self._candidates(spot, frame)
            frame.observation = found[0] if found else None

    def _observed(self, spot: Spot, frame: Frame) -> list[dict[str, Any]]:
        for holder in self._candidates(spot, frame):
            for value in observations.values(holder):
                answer = fitting(spot.item, value)
                if answer is not None:
                    name, json = answer
                    source = told(references([holder], self.evaluation.bases))
                    if holder.value.get("resourceType") == "Observation":
                        frame.observation = holder
                    return [{"extension": source, name: json}]
        return []

    def _candidates(self, spot: Spot, frame: Frame) -> list[Node]:
        bound = frame.observation
        after = observations.since(spot.period or {}, self.evaluation.now)
        if after is None:
            self._tell("populate-not-decided", "value", _NO_PERIOD, spot)
            return []
        if bound is not None:
            inside = observations.components(bound, spot.item)
            known = observations.reachable(bound, self._pool)
            return [*inside, *self._matching(spot, known, after)]
        return self._matching(spot, [*self._pool, *self._searched(spot, after)], after)

    def _matching(self, spot: Spot, known: Iterable[Node], after: datetime) -> list[Node]:
        return observations.matching(spot.item, known, after, self.evaluation.now, self.subject)

    @cached_property
    def _pool(self) -> list[Node]:
        """The Observations among what was given."""
        every = (one for values in self.given.values() for one in values)
        return list(observations.observations_in(every))

    def _searched(self, spot: Spot, after: datetime) -> list[Node]:
        if not self.evaluation.may_fetch or self.subject is None:
            return []
        try:
            found = self.evaluation.fetched(observations.query(spot.item, self.subject, after))
        except NotDecided as why:
            self._tell("populate-not-decided", "incomplete", why.says, spot)
            return []
        return list(observations.observations_in([found]))

    def _tell(self, key: str, code: str, says: str, spot: Spot | None = None) -> None:
        link_id = None if spot is None else spot.item.link_id
        issue = Issue(key, code, says, severity="warning", link_id=link_id)
        if issue not in self.issues:
            self.issues.append(issue)


def _rows(value: Any, asked: Asked) -> list[Any]:
    """What a group is repeated for: each entry of a search, or the value itself."""
    if asked.query is None or not _is_bundle(value):
        return [value]
    return list(_entries(value))


def _unwrapped(items: list[Any]) -> list[Any]:
    """The items, a searchset (of a query) as the resources in it."""
    return [inner for one in items for inner in (_entries(one) if _is_bundle(one) else [one])]


def _is_bundle(value: Any) -> bool:
    return (
        isinstance(value, Node)
        and isinstance(value.value, Mapping)
        and value.value.get("resourceType") == "Bundle"
    )


def _entries(bundle: Node) -> list[Any]:
    entries: list[Any] = []
    members(bundle, "entry", entries)
    found: list[Any] = []
    for entry in entries:
        search = entry.value.get("search") if isinstance(entry.value, Mapping) else None
        mode = search.get("mode", "match") if isinstance(search, Mapping) else "match"
        if mode == "match":
            members(entry, "resource", found)
    return found


_NO_MAPS: Final = "The form asks for a StructureMap, which is not run here."
_OTHER_TYPE: Final = "What was found is of another type than the question, or none of its options."
_NO_PERIOD: Final = "The period for Observations (observationLinkPeriod) can not be read."
