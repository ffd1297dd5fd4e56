"""What the parser makes of an expression: a tree of small frozen parts.

http://hl7.org/fhirpath/N1/grammar.html
"""

from __future__ import annotations

from typing import Any, Literal, NamedTuple


class Constant(NamedTuple):
    """A literal; ``value`` is a plain value, or None for the empty collection ``{}``."""

    value: Any
    position: int


class Special(NamedTuple):
    """One of ``$this``, ``$index`` and ``$total``."""

    name: Literal["$this", "$index", "$total"]
    position: int


class Variable(NamedTuple):
    """``%name``."""

    name: str
    position: int


class Member(NamedTuple):
    """A step to the children of a name."""

    name: str
    position: int


class Call(NamedTuple):
    """A function with its arguments."""

    name: str
    arguments: tuple[Part, ...]
    position: int


class Indexer(NamedTuple):
    """``[ ]``."""

    place: Part
    position: int


Step = Member | Call | Indexer


class Path(NamedTuple):
    """Steps from a start; from what the expression stands on where ``start`` is None."""

    start: Part | None
    steps: tuple[Step, ...]
    position: int


class Sign(NamedTuple):
    """``+`` or ``-`` before an expression."""

    minus: bool
    of: Part
    position: int


class Chain(NamedTuple):
    """Operators of one rank, from the left: first, then (operator, operand, position) each."""

    first: Part
    rest: tuple[tuple[str, Part, int], ...]
    position: int


class TypeTest(NamedTuple):
    """``is`` or ``as`` with a type's name."""

    operator: Literal["is", "as"]
    of: Part
    type_name: str
    position: int


Part = Constant | Special | Variable | Path | Sign | Chain | TypeTest
