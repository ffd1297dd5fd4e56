"""Circles: items that are shown, or calculated, depending on each other.

http://hl7.org/fhir/uv/sdc/STU4/behavior.html
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from fhir_service.fhir.issues import Issue
from fhir_service.sdc import extensions as ext
from fhir_service.sdc.form_rules.expressions import (
    Found,
    expressions,
    link_ids_in,
    paths_of,
    variables_in,
)
from fhir_service.sdc.form_rules.tree import Place, Tree

_SHOWN = 5
"""How many linkIds of a circle are named."""

_FOLLOWED = frozenset({ext.ENABLE_WHEN_EXPRESSION, ext.CALCULATED_EXPRESSION, ext.VARIABLE})


@dataclass(slots=True)
class _Graph:
    """By number of an item the numbers of what it depends on; variables have the numbers above.

    ``calculated`` are the pairs that a calculatedExpression makes. ``variables`` are by the number
    of the item they are defined on (-1: the form) and their name.
    """

    edges: list[set[int]]
    calculated: set[tuple[int, int]] = field(default_factory=set)
    variables: dict[tuple[int, str], int] = field(default_factory=dict)


def circles(tree: Tree) -> Iterator[Issue]:
    """Q13: one finding for each circle, at its first item in the order of the form."""
    graph = _graph(tree)
    for circle, calculated in sorted(_circles(graph, len(tree.items))):
        names = ", ".join(f"“{tree.items[one].link_id}”" for one in circle[:_SHOWN])
        more = " and others" if len(circle) > _SHOWN else ""
        if calculated:
            says = f"the values of {names}{more} are calculated in a circle."
            yield tree.items[circle[0]].tell("form-circle-calculations", says)
        else:
            says = f"{names}{more} are shown depending on each other."
            yield tree.items[circle[0]].tell("form-circle-conditions", says)


def _circles(graph: _Graph, items: int) -> Iterator[tuple[list[int], bool]]:
    """(numbers of the items in order, whether a calculation is part of it) for each circle."""
    for component in _components(graph.edges):
        members = set(component)
        inside = [(a, b) for a in component for b in graph.edges[a] if b in members]
        circle = sorted(one for one in component if one < items)
        if inside and circle:  # variables alone are told where they use what comes later
            yield circle, any(pair in graph.calculated for pair in inside)


def _graph(tree: Tree) -> _Graph:
    graph = _Graph([set() for _ in tree.items])
    for place in tree.items:
        if place.parent is not None:
            graph.edges[place.number].add(place.parent.number)
        for when in place.raw.get("enableWhen", ()):
            source = tree.by_link_id.get(when.get("question", ""))
            if source is not None and not _is_inside(source, place):
                graph.edges[place.number].add(source.number)
    found = [one for one in expressions(tree) if one.own and one.url in _FOLLOWED]
    for one in found:
        name = one.expression.get("name")
        if one.url == ext.VARIABLE and isinstance(name, str):
            graph.variables.setdefault((_number(one.place), name), len(graph.edges))
            graph.edges.append(set())
    for one in found:
        _add(graph, tree, one)
    return graph


def _is_inside(source: Place, place: Place) -> bool:
    """Whether the source is the item itself or lies in it, which is told as a finding apart."""
    return source is place or any(one is place for one in source.around())


def _number(place: Place | None) -> int:
    return -1 if place is None else place.number


def _add(graph: _Graph, tree: Tree, found: Found) -> None:
    """Add what one expression depends on."""
    name, place = found.expression.get("name"), found.place
    is_variable = found.url == ext.VARIABLE
    start = graph.variables.get((_number(place), str(name))) if is_variable else _number(place)
    if start is None or start < 0:
        return
    for path in paths_of(found):
        asked = [tree.by_link_id[one] for one in link_ids_in(path) if one in tree.by_link_id]
        ends = {
            one.number
            for one in asked
            if found.url != ext.ENABLE_WHEN_EXPRESSION
            or place is None
            or not _is_inside(one, place)
        }
        nearest = (_nearest(graph, one, place) for one in variables_in(path))
        ends.update(one for one in nearest if one is not None)
        graph.edges[start] |= ends
        if found.url == ext.CALCULATED_EXPRESSION:
            graph.calculated.update((start, end) for end in ends)


def _nearest(graph: _Graph, name: str, place: Place | None) -> int | None:
    """The variable of this name that one who stands there means; None where there is none."""
    line = () if place is None else (place, *place.around())
    for number in (*(one.number for one in line), -1):
        if (number, name) in graph.variables:
            return graph.variables[number, name]
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
