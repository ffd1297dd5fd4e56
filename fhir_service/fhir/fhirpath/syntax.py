"""What the parser makes of an expression: a tree of small frozen parts.

http://hl7.org/fhirpath/N1/grammar.html
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal


@dataclass(frozen=True, slots=True)
class Constant:
    """A literal; ``value`` is a plain value, or None for the empty collection ``{}``."""

    value: Any
    position: int


@dataclass(frozen=True, slots=True)
class Special:
    """``$this``, ``$index`` or ``$total``."""

    name: Literal["$this", "$index", "$total"]
    position: int


@dataclass(frozen=True, slots=True)
class Variable:
    """``%name``."""

    name: str
    position: int


@dataclass(frozen=True, slots=True)
class Member:
    """A step to the children of a name."""

    name: str
    position: int


@dataclass(frozen=True, slots=True)
class Call:
    """A function with its arguments."""

    name: str
    arguments: tuple[Part, ...]
    position: int


@dataclass(frozen=True, slots=True)
class Indexer:
    """``[ ]``."""

    index: Part
    position: int


Step = Member | Call | Indexer


@dataclass(frozen=True, slots=True)
class Path:
    """Steps from a start; from what the expression stands on where ``start`` is None."""

    start: Part | None
    steps: tuple[Step, ...]
    position: int


@dataclass(frozen=True, slots=True)
class Sign:
    """``+`` or ``-`` before an expression."""

    minus: bool
    of: Part
    position: int


@dataclass(frozen=True, slots=True)
class Chain:
    """Operators of one rank, from the left: first, then (operator, operand, position) each."""

    first: Part
    rest: tuple[tuple[str, Part, int], ...]
    position: int


@dataclass(frozen=True, slots=True)
class TypeTest:
    """``is`` or ``as`` with a type's name."""

    operator: Literal["is", "as"]
    of: Part
    type_name: str
    position: int


Part = Constant | Special | Variable | Path | Sign | Chain | TypeTest
