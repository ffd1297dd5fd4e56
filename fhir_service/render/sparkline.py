"""A course of answers as a small drawing: true time axis, higher is worse, a gap for no answer.

The drawing says nothing that is not also said in words beside it.
https://www.w3.org/TR/SVG2/
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape

from fhir_service.summary.model import Change, Point
from fhir_service.summary.visible import visible

WIDTH = 64
HEIGHT = 16
_EDGE = 2.5


def sparkline(change: Change) -> str:
    """The drawing as SVG without style or script; "" with fewer than two answers to show."""
    if sum(point.level is not None for point in change.course) < 2:  # noqa: PLR2004  a line has two ends
        return ""
    places = [(_across(change, point), _up(change, point), point) for point in change.course]
    lines = "".join(
        f'<polyline points="{" ".join(f"{x:g},{y:g}" for x, y in run)}"/>'
        for run in _runs(places)
        if len(run) > 1
    )
    dots = "".join(
        f'<circle cx="{x:g}" cy="{y:g}" r="{2.2 if point is change.course[-1] else 1.1}"/>'
        for x, y, point in places
        if y is not None
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" '
        f'width="{WIDTH}" height="{HEIGHT}" role="img"><title>{escape(told(change))}</title>'
        f'<g fill="none" stroke="#1d2730">{lines}</g>{dots}</svg>'
    )


def told(change: Change) -> str:
    """The course in words: each day with its answer, oldest first."""
    days = (f"{point.when:%Y-%m-%d} {visible(point.words)}" for point in change.course)
    return f"Higher is worse: {', '.join(days)}"


def _runs(
    places: Sequence[tuple[float, float | None, Point]],
) -> Iterator[list[tuple[float, float]]]:
    """Neighbours that were answered; what was not answered ends a line and is never joined."""
    run: list[tuple[float, float]] = []
    for x, y, _ in places:
        if y is None:
            yield run
            run = []
        else:
            run.append((x, y))
    yield run


def _across(change: Change, point: Point) -> float:
    first, last = change.course[0].when, change.course[-1].when
    span = (last - first).total_seconds() or 1.0
    share = (point.when - first).total_seconds() / span
    return round(_EDGE + share * (WIDTH - 2 * _EDGE), 1)


def _up(change: Change, point: Point) -> float | None:
    if point.level is None:
        return None
    span = float(change.high - change.low) or 1.0
    share = min(max((float(point.level) - float(change.low)) / span, 0.0), 1.0)
    return round(HEIGHT - _EDGE - share * (HEIGHT - 2 * _EDGE), 1)
