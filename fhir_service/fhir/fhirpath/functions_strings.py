"""Functions on texts.

http://hl7.org/fhirpath/N1/#string-manipulation; encode to join:
http://hl7.org/fhirpath/#additional-string-functions
"""

from __future__ import annotations

import base64
import binascii
import html
import json
import re
from collections.abc import Callable
from typing import Any

from fhir_service.fhir.fhirpath.environment import Run
from fhir_service.fhir.fhirpath.errors import ExpressionError
from fhir_service.fhir.fhirpath.nodes import Collection
from fhir_service.fhir.fhirpath.patterns import pattern
from fhir_service.fhir.fhirpath.registry import function, integer, text

_COST_OF_A_PATTERN = 200
_COST_OF_SEARCHING = 10


def _of_texts(name: str, answer: Callable[[str, str], Any]) -> None:
    """Enter a function of a text with another text; nothing where one is missing."""

    def call(run: Run, items: Collection, argument: Collection) -> Collection:
        of, with_ = text(items), text(argument)
        if of is None or with_ is None:
            return []
        run.spend_text(len(of))
        return [answer(of, with_)]

    function(name, 1)(call)


_of_texts("startsWith", str.startswith)
_of_texts("endsWith", str.endswith)
_of_texts("contains", str.__contains__)
_of_texts("indexOf", str.find)
_of_texts("lastIndexOf", str.rfind)


@function("matches", 1)
def matches(run: Run, items: Collection, regex: Collection) -> Collection:
    """Whether the pattern is found somewhere in the text."""
    of, by = text(items), text(regex)
    if of is None or by is None:
        return []
    return [_pattern(run, by, of).search(of) is not None]


@function("matchesFull", 1)
def matches_full(run: Run, items: Collection, regex: Collection) -> Collection:
    """Whether the whole text is as the pattern says."""
    of, by = text(items), text(regex)
    if of is None or by is None:
        return []
    return [_pattern(run, by, of).fullmatch(of) is not None]


def _pattern(run: Run, by: str, of: str) -> Any:
    """The pattern, its cost and that of the text counted."""
    run.spend_text(_COST_OF_SEARCHING * len(of))
    if by not in run.patterns:
        run.spend(_COST_OF_A_PATTERN + len(by))
        run.patterns[by] = pattern(by)
    return run.patterns[by]


def _of_text(name: str, answer: Callable[[str], Any]) -> None:
    """Enter a function of a text alone."""

    def call(run: Run, items: Collection) -> Collection:
        of = text(items)
        if of is None:
            return []
        run.spend_text(len(of))
        return [answer(of)]

    function(name)(call)


_of_text("upper", str.upper)
_of_text("lower", str.lower)
_of_text("length", len)
_of_text("trim", str.strip)


@function("toChars")
def to_chars(run: Run, items: Collection) -> Collection:
    """The characters, one by one."""
    of = text(items) or ""
    run.spend(len(of))
    return list(of)


@function("substring", 1, 2)
def substring(run: Run, items: Collection, start: Collection, *length: Collection) -> Collection:
    """A part of the text; nothing where the start lies outside."""
    of, first = text(items), integer(start)
    if of is None or first is None or not 0 <= first < len(of):
        return []
    run.spend_text(len(of))
    wanted = integer(length[0]) if length else None
    return [of[first:] if wanted is None else of[first : first + max(0, wanted)]]


@function("replace", 2)
def replace(run: Run, items: Collection, old: Collection, new: Collection) -> Collection:
    """The text with each ``old`` replaced."""
    of, out, into = text(items), text(old), text(new)
    if of is None or out is None or into is None:
        return []
    times = of.count(out)
    run.spend_text(len(of) + times * len(into))
    return [of.replace(out, into)]


@function("replaceMatches", 2)
def replace_matches(run: Run, items: Collection, old: Collection, new: Collection) -> Collection:
    """The text with each match replaced; ``$1`` and ``${name}`` stand for groups.

    An empty pattern replaces nothing.
    """
    of, out, into = text(items), text(old), text(new)
    if of is None or out is None or into is None:
        return []
    if not out:
        return [of]
    made: list[str] = []
    length = end = 0
    for match in _pattern(run, out, of).finditer(of):
        if match.start() < end:
            continue
        put = of[end : match.start()] + _filled(into, match)
        length += len(put)
        run.spend_text(length)
        made.append(put)
        end = match.end()
    return ["".join(made) + of[end:]]


def _filled(into: str, match: Any) -> str:
    if "$" not in into:
        return into
    groups = pattern(r"\$(?:(\d{1,2})|\{(\w+)\})|\\\$")
    return str(groups.sub(lambda found: _group(found, match), into))


def _group(found: Any, match: Any) -> str:
    if found.group(0) == r"\$":
        return "$"
    name = int(found.group(1)) if found.group(1) else found.group(2)
    try:
        return match.group(name) or ""
    except (IndexError, KeyError):
        raise ExpressionError("The regular expression has no such group.") from None


@function("split", 1)
def split(run: Run, items: Collection, separator: Collection) -> Collection:
    """The parts of the text between separators."""
    of, by = text(items), text(separator)
    if of is None or by is None:
        return []
    made = of.split(by) if by else list(of)
    run.spend(len(made))
    return list(made)


@function("join", 0, 1)
def join(run: Run, items: Collection, *separator: Collection) -> Collection:
    """All texts as one, with a separator between them; nothing for no text."""
    parts = [found for found in (text([item]) for item in items) if found is not None]
    if not parts:
        return []
    by = (text(separator[0]) or "") if separator else ""
    run.spend(len(parts))
    run.spend_text(sum(len(part) for part in parts) + len(by) * len(parts))
    return [by.join(parts)]


def _hex(of: str) -> str:
    return bytes.fromhex(of).decode("utf-8")


_ENCODE: dict[str, Callable[[str], str]] = {
    "hex": lambda of: of.encode("utf-8").hex(),
    "base64": lambda of: base64.b64encode(of.encode("utf-8")).decode("ascii"),
    "urlbase64": lambda of: base64.urlsafe_b64encode(of.encode("utf-8")).decode("ascii"),
}
_DECODE: dict[str, Callable[[str], str]] = {
    "hex": _hex,
    "base64": lambda of: base64.b64decode(of, validate=True).decode("utf-8"),
    "urlbase64": lambda of: base64.b64decode(of, altchars=b"-_", validate=True).decode("utf-8"),
}
_JSON_ESCAPE = re.compile(r'(?:\\u[0-9a-fA-F]{4})+|\\["\\/bfnrt]')
_ESCAPE: dict[str, Callable[[str], str]] = {
    "html": html.escape,
    "json": lambda of: json.dumps(of, ensure_ascii=False)[1:-1],
}
_UNESCAPE: dict[str, Callable[[str], str]] = {
    "html": html.unescape,
    "json": lambda of: _JSON_ESCAPE.sub(lambda found: str(json.loads(f'"{found[0]}"')), of),
}


def _coded(name: str, table: dict[str, Callable[[str], str]]) -> None:
    """Enter a function that rewrites a text in the way that its argument names."""

    def call(run: Run, items: Collection, way: Collection) -> Collection:
        of, by = text(items), text(way)
        if of is None or by is None:
            return []
        if by not in table:
            raise ExpressionError(f"{name}() knows {', '.join(sorted(table))}.")
        run.spend_text(len(of))
        try:
            made = table[by](of)
            made.encode("utf-8")  # halves of characters can be unescaped, and are no text
        except (ValueError, binascii.Error):
            return []
        return [made]

    function(name, 1)(call)


_coded("encode", _ENCODE)
_coded("decode", _DECODE)
_coded("escape", _ESCAPE)
_coded("unescape", _UNESCAPE)
