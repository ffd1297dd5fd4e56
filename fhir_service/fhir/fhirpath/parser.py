"""Recursive descent from tokens to the tree of an expression.

http://hl7.org/fhirpath/N1/grammar.html; ranks of operators: http://hl7.org/fhirpath/N1/#operator-precedence
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final, NamedTuple

from fhir_service.fhir.fhirpath.dates_times import read_moment, read_time
from fhir_service.fhir.fhirpath.errors import ExpressionError, TooCostly
from fhir_service.fhir.fhirpath.lexer import Token, tokens
from fhir_service.fhir.fhirpath.limits import (
    MAX_CHARACTERS,
    MAX_INTEGER,
    MAX_NESTING,
)
from fhir_service.fhir.fhirpath.quantity import CALENDAR, Quantity
from fhir_service.fhir.fhirpath.syntax import (
    Call,
    Chain,
    Constant,
    Indexer,
    Member,
    Part,
    Path,
    Sign,
    Special,
    Step,
    TypeTest,
    Variable,
)

_RANKS: Final = (
    ("implies",),
    ("or", "xor"),
    ("and",),
    ("in", "contains"),
    ("=", "~", "!=", "!~"),
    ("<=", "<", ">", ">="),
    ("|",),
    ("is", "as"),
    ("+", "-", "&"),
    ("*", "/", "div", "mod"),
)
_RANK: Final = {operator: rank for rank, row in enumerate(_RANKS) for operator in row}
_OF_TYPES: Final = _RANK["is"]
_RESERVED: Final = frozenset({"and", "or", "xor", "implies", "div", "mod", "true", "false"})


class Parsed(NamedTuple):
    """The tree of an expression, and what stands in it: names of variables, calls."""

    part: Part
    variables: list[str]
    calls: list[Call]


def parse(text: str) -> Parsed:
    """The tree of an expression.

    Raises ExpressionError with the place where reading ended, TooCostly where the expression is
    too long or nested too deep.
    """
    if len(text) > MAX_CHARACTERS:
        raise TooCostly(f"The expression is longer than {MAX_CHARACTERS} characters.")
    reader = _Reader(list(tokens(text)))
    part = reader.expression(0)
    reader.must_be("end")
    return Parsed(part, reader.variables, reader.calls)


class _Reader:
    """The tokens, and how far they are read."""

    def __init__(self, read: list[Token]) -> None:
        self._tokens = read
        self._at = 0
        self._depth = 0
        self._next = read[0]
        self.variables: list[str] = []
        self.calls: list[Call] = []

    def _take(self) -> Token:
        token = self._next
        self._at = min(self._at + 1, len(self._tokens) - 1)
        self._next = self._tokens[self._at]
        return token

    def _is(self, *signs: str) -> bool:
        token = self._next
        return token.text in signs and token.kind == "sign"

    def must_be(self, kind: str, text: str = "") -> Token:
        """Take the next token, which has to be this one."""
        token = self._next
        if token.kind != kind or (text and token.text != text):
            due = f"“{text}”" if text else "the end"
            raise ExpressionError(f"Here {due} is due, and stands {_told(token)}.", token.position)
        return self._take()

    def expression(self, rank: int) -> Part:
        """Operators of this rank and above."""
        self._depth += 1
        if self._depth > MAX_NESTING:
            raise TooCostly(f"The expression is nested deeper than {MAX_NESTING} levels.")
        left = self._signed()
        while (found := self._rank()) is not None and found >= rank:
            left = self._typed(left) if found == _OF_TYPES else self._chain(left, found)
        self._depth -= 1
        return left

    def _rank(self) -> int | None:
        token = self._next
        return _RANK.get(token.text) if token.kind in ("sign", "word") else None

    def _chain(self, first: Part, rank: int) -> Part:
        rest: list[tuple[str, Part, int]] = []
        while self._rank() == rank:
            token = self._take()
            rest.append((token.text, self.expression(rank + 1), token.position))
        return Chain(first, tuple(rest), rest[0][2])

    def _typed(self, left: Part) -> Part:
        token = self._take()
        name = self._type_name()
        return TypeTest("is" if token.text == "is" else "as", left, name, token.position)

    def _type_name(self) -> str:
        name = self._name()
        if self._is("."):
            self._take()
            name += "." + self._name()
        return name

    def _name(self) -> str:
        token = self._take()
        if token.kind not in ("word", "quoted"):
            raise ExpressionError(
                f"A name is due here, and stands {_told(token)}.", token.position
            )
        return token.text

    def _signed(self) -> Part:
        signs: list[Token] = []
        while self._is("+", "-"):
            signs.append(self._take())
        if len(signs) > MAX_NESTING:
            raise TooCostly("The expression has too many signs in a row.")
        part = self._path()
        for sign in reversed(signs):
            part = Sign(sign.text == "-", part, sign.position)
        return part

    def _path(self) -> Part:
        position = self._next.position
        start, steps = self._term()
        while self._is(".", "["):
            token = self._take()
            if token.text == ".":
                steps.append(self._invocation())
            else:
                steps.append(Indexer(self.expression(0), token.position))
                self.must_be("sign", "]")
        if not steps and start is not None:
            return start
        return Path(start, tuple(steps), position)

    def _term(self) -> tuple[Part | None, list[Step]]:
        token = self._next
        if token.kind in ("number", "string", "time", "moment", "dollar"):
            return self._literal(), []
        if token.kind in ("word", "quoted"):
            if token.text in ("true", "false") and token.kind == "word":
                self._take()
                return Constant(token.text == "true", token.position), []
            return None, [self._invocation()]
        if self._is("("):
            self._take()
            inner = self.expression(0)
            self.must_be("sign", ")")
            return inner, []
        if self._is("{"):
            self._take()
            self.must_be("sign", "}")
            return Constant(None, token.position), []
        if self._is("%"):
            return self._variable(), []
        raise ExpressionError(f"A value is due here, and stands {_told(token)}.", token.position)

    def _variable(self) -> Part:
        sign, name = self._take(), self._take()
        if name.kind not in ("word", "quoted", "string"):
            raise ExpressionError("The name of a variable is due after “%”.", name.position)
        self.variables.append(name.text)
        return Variable(name.text, sign.position)

    def _invocation(self) -> Step:
        token = self._next
        if token.kind == "dollar":
            raise ExpressionError(f"“{token.text}” stands only at the start.", token.position)
        if token.kind == "word" and token.text in _RESERVED:
            raise ExpressionError(f"“{token.text}” is no name.", token.position)
        name = self._name()
        if not self._is("("):
            return Member(name, token.position)
        self._take()
        arguments: list[Part] = []
        if not self._is(")"):
            arguments.append(self.expression(0))
            while self._is(","):
                self._take()
                arguments.append(self.expression(0))
        self.must_be("sign", ")")
        call = Call(name, tuple(arguments), token.position)
        self.calls.append(call)
        return call

    def _literal(self) -> Part:
        token = self._take()
        text, position = token.text, token.position
        if token.kind == "number":
            return Constant(self._number(text, position), position)
        if token.kind == "string":
            return Constant(text, position)
        if token.kind == "dollar":
            return Special(text, position)  # type: ignore[arg-type]
        made = read_time(text[1:]) if token.kind == "time" else read_moment(text[1:])
        if made is None:
            raise ExpressionError("There is no such date or time.", position)
        return Constant(made, position)

    def _number(self, text: str, position: int) -> int | Decimal | Quantity:
        token = self._next
        if token.kind == "string" or (token.kind == "word" and token.text in CALENDAR):
            self._take()
            unit = CALENDAR.get(token.text, token.text)
            return Quantity(Decimal(text), unit)
        if "." in text:
            return Decimal(text)
        if len(text) > len(str(MAX_INTEGER)) or int(text) > MAX_INTEGER:
            raise ExpressionError("An Integer is at most 2147483647.", position)
        return int(text)


def _told(token: Token) -> str:
    return "the end" if token.kind == "end" else f"“{token.text[:20]}”"
