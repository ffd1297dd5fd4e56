"""A search, read out of a query string into values; and a page of what it found.

http://hl7.org/fhir/R4/search.html
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

from fhir_service.fhir.dates import searched
from fhir_service.fhir.issues import NotUnderstood
from fhir_service.fhir.search_parameters import (
    Kind,
    SearchParameter,
    has_provenance,
    includes_of,
    parameter_of,
    parameters_of,
    without_column,
)

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Criterion:
    r"""One parameter as asked: any of ``values`` must match; a repeated one is several criteria.

    The values are as in the address: ``\,`` ``\|`` still escaped, prefixes before dates.
    ``chain`` is what must hold of the form that the parameter leads to, in place of values.
    """

    parameter: str
    kind: Kind
    values: tuple[str, ...]
    modifier: str | None = None
    chain: Criterion | None = None


@dataclass(frozen=True, slots=True)
class Shape:
    """What of each resource is given out, and what comes with it.

    ``summary`` is true, text, data; None for the whole. ``elements`` are the members asked for.
    ``include`` are the reference parameters to follow, each with the one type that it is to lead
    to ("" for any); ``provenance`` asks for what is told of
    where each resource came from (``_revinclude=Provenance:target``).
    http://hl7.org/fhir/R4/search.html#return
    """

    summary: str | None = None
    elements: tuple[str, ...] = ()
    include: tuple[tuple[str, str], ...] = ()
    provenance: bool = False


WHOLE = Shape()


@dataclass(frozen=True, slots=True)
class Search:
    """What is looked for. All criteria must match.

    ``count`` is the page size; 0 asks for the total alone. ``sort`` holds (parameter, descending).
    ``cursor`` is what the page before gave as ``next``.
    """

    resource_type: str
    criteria: tuple[Criterion, ...] = ()
    sort: tuple[tuple[str, bool], ...] = ()
    count: int = 50
    cursor: str | None = None
    total: bool = False
    shape: Shape = WHOLE


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """What one page holds, in order; ``next`` is opaque, None on the last; ``total`` if asked.

    ``previous`` leads back, None on the first.
    """

    found: tuple[T, ...]
    next: str | None = None
    total: int | None = None
    previous: str | None = None


Pairs = Sequence[tuple[str, str]]

_SYNONYMS = {"accurate": True, "estimate": True, "none": False}
_SUMMARIES = ("true", "text", "data", "count", "false")
_SILENT = ("_format", "_pretty")
_LONGEST = 2_000
_COUNT = re.compile(r"[0-9]{1,9}")
_ID = re.compile(r"[A-Za-z0-9\-.]{1,64}")
_ELEMENT = re.compile(r"[A-Za-z]{1,64}")
_ESCAPED = re.compile(r"\\([,|$\\])")


def read_search(
    resource_type: str,
    pairs: Pairs,
    *,
    default_count: int,
    max_count: int = 200,
    bases: Sequence[str] = (),
) -> tuple[Search, tuple[str, ...]]:
    """The search that these pairs of name and value ask for, and the names that are not known.

    A comma means or, a repeated name means and. ``bases`` are the addresses of this server: a
    reference beginning with one is ours, ``Type/id``. A count above ``max_count`` is cut to it.
    Raises NotUnderstood, naming the parameter, for a value, modifier or sort order that can not
    be searched for. http://hl7.org/fhir/R4/search.html
    """
    reading = _Reading(resource_type, default_count, max_count, tuple(bases))
    for name, value in pairs:
        reading.take(name, value)
    return reading.search(), tuple(dict.fromkeys(reading.ignored))


def alternatives(value: str) -> tuple[str, ...]:
    r"""The values between the commas that are not escaped; ``\,`` stays as it is."""
    return tuple(re.findall(r"(?:[^,\\]|\\.|\\$)+", value))


def parts_of(value: str) -> tuple[str, ...]:
    r"""The parts of a composite value between the ``$`` that are not escaped."""
    return tuple(re.findall(r"(?:[^$\\]|\\.|\\$)+", value))


def unescaped(value: str) -> str:
    r"""The value with ``\,`` ``\|`` ``\$`` ``\\`` read as the signs they stand for."""
    return _ESCAPED.sub(r"\1", value)


def token_parts(value: str) -> tuple[str | None, str | None]:
    """System and code of a token: None where any will do, "" where there must be none.

    ``code`` any system; ``system|code``; ``|code`` no system; ``system|`` any code of it.
    """
    match = re.fullmatch(r"((?:[^|\\]|\\.)*)\|(.*)", value, re.DOTALL)
    if match is None:
        return None, unescaped(value)
    return unescaped(match[1]), unescaped(match[2]) or None


class _Reading:
    """One search while it is read."""

    def __init__(
        self, resource_type: str, count: int, max_count: int, bases: tuple[str, ...]
    ) -> None:
        self._type = resource_type
        self._count, self._max_count = count, max_count
        self._bases = tuple(f"{base.rstrip('/')}/" for base in bases)
        self._criteria: list[Criterion] = []
        self._sort: tuple[tuple[str, bool], ...] = ()
        self._cursor: str | None = None
        self._total = False
        self._shape = WHOLE
        self.ignored: list[str] = []

    def search(self) -> Search:
        """What was read."""
        return Search(
            self._type,
            tuple(self._criteria),
            self._sort,
            min(self._count, self._max_count),
            self._cursor,
            self._total,
            self._shape,
        )

    def take(self, name: str, value: str) -> None:
        """Read one pair."""
        if name in _SILENT:
            return
        if not value or len(value) > _LONGEST or not _can_be_stored(value):
            raise _bad(name, f"has no value that can be searched for (1 to {_LONGEST} signs).")
        match name:
            case "_count":
                self._take_count(value)
            case "_sort":
                self._sort = tuple(self._sorted(part) for part in value.split(","))
            case "_cursor":
                self._cursor = value
            case "_total":
                self._total |= _one_of(name, value, _SYNONYMS)
            case "_summary" | "_elements" | "_include" | "_revinclude":
                self._take_shape(name, value)
            case _:
                self._take_criterion(name, value)

    def _take_shape(self, name: str, value: str) -> None:
        shape = self._shape
        if name == "_summary":
            if value not in _SUMMARIES:
                raise _bad(name, f"is one of {', '.join(_SUMMARIES)}.")
            if value == "count":
                self._count, self._total = 0, True
            self._shape = replace(shape, summary=value if value in _SUMMARIES[:3] else None)
        elif name == "_elements":
            names = tuple(part.removeprefix(f"{self._type}.") for part in value.split(","))
            if not all(_ELEMENT.fullmatch(one) for one in names):
                raise _bad(name, "takes names of elements, with commas between.")
            self._shape = replace(shape, elements=(*shape.elements, *names))
        elif name == "_include":
            self._shape = replace(shape, include=(*shape.include, *self._followed(value)))
        else:
            if value not in ("Provenance:target", "*") or not has_provenance(self._type):
                raise _bad(name, "takes Provenance:target, of what lies with a patient.")
            self._shape = replace(shape, provenance=True)

    def _followed(self, value: str) -> tuple[tuple[str, str], ...]:
        """The parameters that an _include follows, each with the type it is to lead to, or ""."""
        known = includes_of(self._type)
        if value in ("*", f"{self._type}:*") and known:
            return tuple((one, "") for one in known)
        source, _, rest = value.partition(":")
        parameter, _, target = rest.partition(":")
        if source != self._type or parameter not in known:
            listed = ", ".join(f"{self._type}:{one}" for one in known)
            raise _bad("_include", f"takes {listed or 'nothing'} here.")
        return ((parameter, target),)

    def _take_count(self, value: str) -> None:
        if not _COUNT.fullmatch(value):
            raise _bad("_count", "is a whole number from 0.")
        self._count = int(value)
        self._total |= self._count == 0

    def _sorted(self, part: str) -> tuple[str, bool]:
        name, descending = part.removeprefix("-"), part.startswith("-")
        parameter = parameter_of(self._type, name)
        if parameter is None or not parameter.sortable:
            known = ", ".join(p.name for p in parameters_of(self._type) if p.sortable)
            raise _bad("_sort", f"takes {known}, each with a - before it for the other way round.")
        return name, descending

    def _take_criterion(self, name: str, value: str) -> None:
        plain, _, modifier = name.partition(":")
        if "." in name and self._take_chain(name, value):
            return
        parameter = parameter_of(self._type, plain)
        if parameter is None:
            self.ignored.append(name)
            return
        values = alternatives(value)
        if not values:
            raise _bad(name, "has only commas as its value.")
        if modifier in parameter.targets:
            values = tuple(self._typed(name, modifier, v) for v in values)
        elif modifier == "missing" and modifier in parameter.modifiers:
            _one_of(name, value, {"true": True, "false": False})
        elif modifier and modifier not in parameter.modifiers:
            allowed = ", ".join((*parameter.modifiers, *parameter.targets)) or "no modifier"
            raise _bad(name, f"takes {allowed} after the colon.")
        if modifier != "missing":
            for one in values:
                _must_fit(name, parameter, one)
        values = self._ours(values) if parameter.kind == "reference" else values
        kept = modifier if modifier and modifier not in parameter.targets else None
        self._criteria.append(Criterion(plain, parameter.kind, values, kept))

    def _take_chain(self, name: str, value: str) -> bool:
        """Read ``questionnaire.code``: what must hold of the form. False where nothing is chained.

        The type may stand before the dot: ``questionnaire:Questionnaire.code``.
        """
        first, _, rest = name.partition(".")
        plain, _, target = first.partition(":")
        parameter = parameter_of(self._type, plain)
        if parameter is None or not parameter.leads_to_a_form:
            return False
        form = _Reading("Questionnaire", 1, 1, ())
        leads = parameter_of("Questionnaire", rest.partition(":")[0])
        if target not in ("", "Questionnaire") or leads is None or leads.column is not None:
            known = ", ".join(f"{plain}.{p.name}" for p in without_column("Questionnaire"))
            raise _bad(name, f"leads nowhere. What can be chained: {known}.")
        form._take_criterion(rest, value)
        self._criteria.append(Criterion(plain, parameter.kind, (), None, form._criteria[0]))
        return True

    def _typed(self, name: str, target: str, value: str) -> str:
        if not _ID.fullmatch(value):
            raise _bad(name, "takes an id, as the type stands after the colon already.")
        return f"{target}/{value}"

    def _ours(self, values: tuple[str, ...]) -> tuple[str, ...]:
        """The values, and beside an address on this server the relative one that it means."""
        both = []
        for value in values:
            both.append(value)
            both.extend(value.removeprefix(b) for b in self._bases if value.startswith(b))
        return tuple(dict.fromkeys(both))


def _must_fit(name: str, parameter: SearchParameter, value: str) -> None:
    """Refuse a value that a parameter of this kind can not have."""
    if parameter.kind == "date":
        try:
            searched(value)
        except ValueError as wrong:
            raise _bad(
                name, "takes a date such as 2026-03-15 or ge2026-03-15T10:00:00+01:00."
            ) from wrong
    if parameter.kind == "composite" and len(parts_of(value)) != 2:  # noqa: PLR2004  a pair
        raise _bad(name, "takes two values with a $ between.")
    if parameter.kind == "token" and token_parts(value) in ((None, ""), ("", None)):
        raise _bad(name, "takes a code, system|code, |code or system|.")


def _can_be_stored(value: str) -> bool:
    """Whether a database can compare with it: no NUL and no half of a surrogate pair."""
    return "\0" not in value and not any("\ud800" <= sign <= "\udfff" for sign in value)


def _one_of(name: str, value: str, known: dict[str, bool]) -> bool:
    if value not in known:
        raise _bad(name, f"is one of {', '.join(known)}.")
    return known[value]


def _bad(name: str, says: str) -> NotUnderstood:
    known = name if _can_be_stored(name) else "A parameter"
    return NotUnderstood(f"{known} {says}")
