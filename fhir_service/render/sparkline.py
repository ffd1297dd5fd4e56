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
_EDGE = 2


def sparkline(change: Change, *, alone: bool = True) -> str:
    """The drawing as SVG without style or script; "" with fewer than two answers to show.

    Not ``alone``: in a page whose style sheet has its size and its colours.
    """
    if sum(point.level is not None for point in change.course) < 2:  # noqa: PLR2004  a line has two ends
        return ""
    places = [(_across(change, point), _up(change, point), point) for point in change.course]
    runs = [run for run in _runs(places) if run]
    lines = "".join(
        f'<polyline points="{" ".join(f"{x},{y}" for x, y in run)}"/>'
        for run in runs
        if len(run) > 1
    )
    last = places[-1][:2]
    dots = "".join(
        f'<circle cx="{x}" cy="{y}" r="{2 if (x, y) == last else 1}"/>'
        for run in runs
        for x, y in run
        if (x, y) == last or len(run) == 1
    )
    words = f"<title>{escape(told(change))}</title>"
    if not alone:
        return f'<svg role="img">{words}{lines}{dots}</svg>'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" role="img">'
        f'{words}<g fill="none" stroke="#1d2730">{lines}</g>{dots}</svg>'
    )


def told(change: Change) -> str:
    """The course in words: each day with its answer, oldest first."""
    days = (f"{point.when:%Y-%m-%d} {visible(point.words)}" for point in change.course)
    return f"Higher is worse: {', '.join(days)}"


def _runs(
    places: Sequence[tuple[int, int | None, Point]],
) -> Iterator[list[tuple[int, int]]]:
    """Neighbours that were answered; what was not answered ends a line and is never joined."""
    run: list[tuple[int, int]] = []
    for x, y, _ in places:
        if y is None:
            yield run
            run = []
        else:
            run.append((x, y))
    yield run


def _across(change: Change, point: Point) -> int:
    first, last = change.course[0].when, change.course[-1].when
    span = (last - first).total_seconds() or 1.0
    share = (point.when - first).total_seconds() / span
    return round(_EDGE + share * (WIDTH - 2 * _EDGE))


def _up(change: Change, point: Point) -> int | None:
    if point.level is None:
        return None
    span = float(change.high - change.low) or 1.0
    share = min(max((float(point.level) - float(change.low)) / span, 0.0), 1.0)
    return round(HEIGHT - _EDGE - share * (HEIGHT - 2 * _EDGE))
