"""A search, read out of a query string into values; and a page of what it found.

http://hl7.org/fhir/R4/search.html
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, Literal, TypeVar

T = TypeVar("T")

Kind = Literal["token", "reference", "date", "string", "uri", "number"]


@dataclass(frozen=True, slots=True)
class Criterion:
    """One parameter as asked: any of ``values`` must match (repeated parameters are several criteria)."""

    parameter: str
    kind: Kind
    values: tuple[str, ...]
    modifier: str | None = None


@dataclass(frozen=True, slots=True)
class Search:
    """What is looked for. All criteria must match. ``count`` is the page size; 0 asks for the total alone.

    ``sort`` holds (parameter, descending). ``cursor`` is what the page before gave as ``next``.
    """

    resource_type: str
    criteria: tuple[Criterion, ...] = ()
    sort: tuple[tuple[str, bool], ...] = ()
    count: int = 50
    cursor: str | None = None
    total: bool = False


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """What one page holds, in order; ``next`` is opaque and None on the last page; ``total`` where asked."""

    found: tuple[T, ...]
    next: str | None = None
    total: int | None = None
