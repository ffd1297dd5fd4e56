"""Circles: items that are shown, or calculated, depending on each other.

http://hl7.org/fhir/uv/sdc/STU4/behavior.html
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from fhir_service.fhir.issues import Issue
from fhir_service.sdc import extensions as ext
from fhir_service.sdc.form_rules.expressions import (
    expressions,
    link_ids_in,
    paths_of,
    variables_in,
)
from fhir_service.sdc.form_rules.tree import Place, Tree

_SHOWN = 5
"""How many linkIds of a circle are named."""

_FOLLOWED = frozenset({ext.ENABLE_WHEN_EXPRESSION, ext.CALCULATED_EXPRESSION})


@dataclass(slots=True)
class _Graph:
    """By number of an item the numbers of those that it depends on; which pairs are calculated."""

    edges: list[set[int]]
    calculated: set[tuple[int, int]] = field(default_factory=set)


def circles(tree: Tree) -> Iterator[Issue]:
    """Q13: one finding for each circle, at its first item in the order of the form."""
    graph = _graph(tree)
    found = []
    for circle in _components(graph.edges):
        members = set(circle)
        first = min(circle)
        inside = [(a, b) for a in circle for b in graph.edges[a] if b in members]
        if inside:
            found.append((first, sorted(circle), any(one in graph.calculated for one in inside)))
    for first, circle, calculated in sorted(found):
        names = ", ".join(f"“{tree.items[one].link_id}”" for one in circle[:_SHOWN])
        more = " and others" if len(circle) > _SHOWN else ""
        if calculated:
            says = f"the values of {names}{more} are calculated in a circle."
            yield tree.items[first].tell("form-circle-calculations", says)
        else:
            says = f"{names}{more} are shown depending on each other."
            yield tree.items[first].tell("form-circle-conditions", says)


def _graph(tree: Tree) -> _Graph:
    graph = _Graph([set() for _ in tree.items])
    for place in tree.items:
        if place.parent is not None:
            graph.edges[place.number].add(place.parent.number)
        for when in place.raw.get("enableWhen", ()):
            source = tree.by_link_id.get(when.get("question", ""))
            if source is not None and not _is_around(place, source):
                graph.edges[place.number].add(source.number)
    _add_expressions(graph, tree)
    return graph


def _is_around(place: Place, source: Place) -> bool:
    """Whether the source is the item itself or lies in it, which is told as a finding apart."""
    return source is place or any(one is place for one in source.around())


def _add_expressions(graph: _Graph, tree: Tree) -> None:
    reads = _Reads(tree)
    for found in reads.followed:
        place = found.place
        if place is None:
            continue
        for path in paths_of(found):
            for link_id in reads.asked(path, place):
                source = tree.by_link_id.get(link_id)
                if source is None:
                    continue
                pair = place.number, source.number
                if found.url == ext.CALCULATED_EXPRESSION:
                    graph.edges[pair[0]].add(pair[1])
                    graph.calculated.add(pair)
                elif not _is_around(place, source):
                    graph.edges[pair[0]].add(pair[1])


class _Reads:
    """Which linkIds an expression asks for, also by the variables that it uses."""

    def __init__(self, tree: Tree) -> None:
        self._defined: dict[tuple[int, str], str] = {}
        self.followed = []
        for found in expressions(tree):
            name = found.expression.get("name")
            number = -1 if found.place is None else found.place.number
            if found.url == ext.VARIABLE and found.own and isinstance(name, str):
                self._defined.setdefault((number, name), " ".join(paths_of(found)))
            elif found.url in _FOLLOWED and found.own:
                self.followed.append(found)

    def asked(self, path: str, place: Place | None) -> frozenset[str]:
        """The linkIds that this expression on this item asks for."""
        asked = link_ids_in(path)
        waiting = [(path, place)]
        seen: set[tuple[int, str]] = set()
        while waiting and self._defined:
            text, here = waiting.pop()
            for name in variables_in(text):
                key = self._nearest(name, here)
                if key is not None and key not in seen:
                    seen.add(key)
                    asked |= link_ids_in(self._defined[key])
                    waiting.append((self._defined[key], here))
        return frozenset(asked)

    def _nearest(self, name: str, place: Place | None) -> tuple[int, str] | None:
        """Where the variable is defined for one who stands there; None where nowhere."""
        line = () if place is None else (place, *place.around())
        for number in (*(one.number for one in line), -1):
            if (number, name) in self._defined:
                return number, name
        return None


def _components(edges: Sequence[set[int]]) -> Iterator[list[int]]:
    """Tarjan's strongly connected components, without recursion; of one item alone those too."""
    state = _Tarjan(edges)
    for root in range(len(edges)):
        if root not in state.index:
            yield from state.visit(root)


class _Tarjan:
    def __init__(self, edges: Sequence[set[int]]) -> None:
        self.edges = edges
        self.index: dict[int, int] = {}
        self._low: dict[int, int] = {}
        self._stack: list[int] = []
        self._on_stack: set[int] = set()

    def visit(self, root: int) -> Iterator[list[int]]:
        """The components that are reached from here."""
        work: list[tuple[int, Iterator[int]]] = [self._enter(root)]
        while work:
            node, rest = work[-1]
            following = next(rest, None)
            if following is None:
                work.pop()
                if work:
                    above = work[-1][0]
                    self._low[above] = min(self._low[above], self._low[node])
                if self._low[node] == self.index[node]:
                    yield self._leave(node)
            elif following not in self.index:
                work.append(self._enter(following))
            elif following in self._on_stack:
                self._low[node] = min(self._low[node], self.index[following])

    def _enter(self, node: int) -> tuple[int, Iterator[int]]:
        self.index[node] = self._low[node] = len(self.index)
        self._stack.append(node)
        self._on_stack.add(node)
        return node, iter(sorted(self.edges[node]))

    def _leave(self, node: int) -> list[int]:
        found: list[int] = []
        while not found or found[-1] != node:
            found.append(self._stack.pop())
        self._on_stack.difference_update(found)
        return found
