"""The common shapes: items of a response by linkId, answered from an index.

``%resource.descendants().where(linkId='x')``, ``%resource.item.where(...)`` and
``%resource.repeat(item).where(...)``; the criteria may be several linkIds joined by ``or``, or
``linkId in ('x' | 'y')``. https://build.fhir.org/ig/HL7/sdc/expressions.html
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from fhir_service.fhir.fhirpath.syntax import (
    Call,
    Chain,
    Constant,
    Member,
    Part,
    Path,
    Step,
    Variable,
)

Reach = Literal["anywhere", "top", "items"]

_STEPS = 2


@dataclass(frozen=True, slots=True)
class Shape:
    """The first two steps of a path from %resource: how far it reaches, for which linkIds."""

    reach: Reach
    link_ids: tuple[str, ...]


def shape(path: Path) -> Shape | None:
    """The shape that a path begins with; None for any other path."""
    start = path.start
    if not isinstance(start, Variable) or start.name not in ("resource", "rootResource"):
        return None
    if len(path.steps) < _STEPS:
        return None
    reach, criteria = _reach(path.steps[0]), path.steps[1]
    if reach is None or not isinstance(criteria, Call) or criteria.name != "where":
        return None
    if len(criteria.arguments) != 1:
        return None
    link_ids = asked(criteria.arguments[0])
    return Shape(reach, link_ids) if link_ids else None


def _reach(step: Step) -> Reach | None:
    if isinstance(step, Member) and step.name == "item":
        return "top"
    if not isinstance(step, Call):
        return None
    if step.name == "descendants" and not step.arguments:
        return "anywhere"
    if (
        step.name == "repeat"
        and len(step.arguments) == 1
        and _is_member(step.arguments[0], "item")
    ):
        return "items"
    return None


def _is_member(part: Part, name: str) -> bool:
    return (
        isinstance(part, Path)
        and part.start is None
        and len(part.steps) == 1
        and isinstance(part.steps[0], Member)
        and part.steps[0].name == name
    )


def member_is_text(part: Part) -> tuple[str, str] | None:
    """(name, text) of a comparison ``name = 'text'``; None for anything else."""
    if not isinstance(part, Chain) or len(part.rest) != 1:
        return None
    operator, right, _ = part.rest[0]
    left = part.first
    if operator != "=" or not isinstance(right, Constant) or not isinstance(right.value, str):
        return None
    if not isinstance(left, Path) or left.start is not None or len(left.steps) != 1:
        return None
    step = left.steps[0]
    return (step.name, right.value) if isinstance(step, Member) else None


def asked(criteria: Part) -> tuple[str, ...]:
    """The linkIds that criteria ask for; nothing where they ask for something else too."""
    simple = member_is_text(criteria)
    if simple is not None:
        return (simple[1],) if simple[0] == "linkId" else ()
    if not isinstance(criteria, Chain):
        return ()
    if all(operator == "or" for operator, _, _ in criteria.rest):
        parts = [asked(part) for part in (criteria.first, *(one for _, one, _ in criteria.rest))]
        return tuple(one for part in parts for one in part) if all(parts) else ()
    if len(criteria.rest) == 1 and criteria.rest[0][0] == "in":
        return _listed(criteria.rest[0][1]) if _is_member(criteria.first, "linkId") else ()
    return ()


def _listed(part: Part) -> tuple[str, ...]:
    if not isinstance(part, Chain) or any(operator != "|" for operator, _, _ in part.rest):
        return ()
    values = [
        one.value if isinstance(one, Constant) else None
        for one in (part.first, *(one for _, one, _ in part.rest))
    ]
    texts = tuple(one for one in values if isinstance(one, str))
    return texts if len(texts) == len(values) else ()
