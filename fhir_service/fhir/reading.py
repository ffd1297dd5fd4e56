"""Strict FHIR JSON out of bytes: nothing double, nothing empty, decimals as written.

Every finding is collected, with its place. http://hl7.org/fhir/R4/json.html
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Container, Iterator
from decimal import Decimal
from typing import Any

import msgspec
import orjson

from fhir_service.fhir.issues import Issue, NotUnderstood
from fhir_service.fhir.places import place
from fhir_service.fhir.primitives import BLANKS, has_control

ITEM_LEVELS = 32
"""How deep items may lie in items, where no other limit is set."""

MOST_ITEM_LEVELS = 100
"""The highest such limit: what was taken in under any limit is read back under this one."""

_LEVELS_PER_ITEM = 4
_LEVELS_IN_LEAF = 16


def json_depth(item_levels: int) -> int:
    """How many arrays and objects lie in each other where items do so ``item_levels`` deep.

    An item in an answer of an item takes four of them.
    """
    return item_levels * _LEVELS_PER_ITEM + _LEVELS_IN_LEAF


MAX_DEPTH = json_depth(ITEM_LEVELS)
"""Nested arrays and objects, where no other limit is set."""

MOST_FINDINGS = 100
"""A document with more is told of these, and that there are more."""

_LONGEST_INT = 18
_LONGEST_EXPONENT = 3
_BOM = b"\xef\xbb\xbf"
_SPACE = b" \t\r\n"
"""What may stand between a property's name and its colon."""

SOUND = {"linkId": "-"}
"""Stands for an item of a response that was found sound before: there is nothing to find in it."""

Steps = tuple[str | int, ...]
_Twice = dict[
    int, tuple[dict[str, Any], list[str]]
]  # by identity: the object kept alive, its double keys


def read_json(
    body: bytes, *, max_depth: int = MAX_DEPTH, forgiven: Container[str] = ()
) -> dict[str, Any]:
    """The JSON object as a dictionary; a number with point or exponent is a Decimal, digits kept.

    Raises NotUnderstood with all that was found: no UTF-8, no JSON, no object, nested deeper than
    ``max_depth`` arrays and objects, a property twice, null or empty where FHIR has neither, a
    blank string, a character that no string may have. ``forgiven`` are keys of findings that are
    none in JSON that is no resource.
    """
    plain = parse_json(body)
    if not isinstance(plain, dict):
        raise _refused("json-not-an-object", "The body must be one JSON object, a FHIR resource.")
    if _deeper(plain, max_depth):
        raise _refused("json-too-deep", f"The document is nested deeper than {max_depth} levels.")
    twice: _Twice = {}
    try:
        read: dict[str, Any] = _loaded(body, twice)
    except RecursionError:  # what is too deep was hidden by the same property behind it
        says = f"The document is nested deeper than {max_depth} levels."
        raise _refused("json-too-deep", says) from None
    root = read.get("resourceType")
    base = root if isinstance(root, str) and root.isidentifier() else "Resource"
    wrong = (one for one in _findings(read, twice, base) if one.key not in forgiven)
    found = list(_first(wrong))
    if found:
        raise NotUnderstood(found[0].says, *found)
    return read


def read_part(body: bytes, base: str, levels: int) -> tuple[Any, tuple[Issue, ...]] | None:
    """An object inside a document, and what ``read_json`` finds in it; ``base`` is its FHIRPath.

    None where it is no object, lies deeper than ``levels``, or is no JSON that can be read.
    """
    twice: _Twice = {}
    try:
        plain = _exactly.decode(body)
        if not isinstance(plain, dict):
            return None
        if body.count(b"{") + body.count(b"[") > levels and _deeper(plain, levels):
            return None
        if _properties(plain) != body.translate(None, _SPACE).count(b'":'):
            plain = _loaded(body, twice)
    except (
        NotUnderstood,
        msgspec.DecodeError,
        UnicodeDecodeError,
        ArithmeticError,
        RecursionError,
    ):
        return None
    if not twice and is_filled(plain):
        return plain, ()
    return plain, tuple(_findings(plain, twice, base))


def _properties(value: Any) -> int:
    """How many properties there are in a JSON value."""
    if isinstance(value, dict):
        return len(value) + sum(map(_properties, value.values()))
    return sum(map(_properties, value)) if isinstance(value, list) else 0


def _loaded(body: bytes, twice: _Twice) -> Any:
    """What the JSON says; objects that have a property twice are entered into ``twice``."""

    def build(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        made = dict(pairs)
        if len(made) != len(pairs):
            counted = Counter(key for key, _ in pairs)
            twice[id(made)] = made, [key for key, times in counted.items() if times > 1]
        return made

    return json.loads(
        body.decode("utf-8"), object_pairs_hook=build, parse_float=_number, parse_int=_whole
    )


def read_stored(body: bytes) -> dict[str, Any]:
    """What ``read_json`` gives, of a body that was taken in, perhaps under a higher limit.

    Its rules were kept when it came in: they are not asked again, a fifth of the cost.
    """
    if not any(sign in body for sign in _MINUS_ZERO):  # this reader would lose its sign
        try:
            plain = _exactly.decode(body)
        except (NotUnderstood, msgspec.DecodeError, ArithmeticError, RecursionError):
            plain = None
        if isinstance(plain, dict):
            return plain
    return read_json(body, max_depth=json_depth(MOST_ITEM_LEVELS))


_MINUS_ZERO = tuple(before + b"-0" for before in (b":", b"[", b",", b" ", b"\n", b"\t", b"\r"))
"""Where a number may begin in JSON, that may be -0."""


def _number(text: str) -> Decimal:
    """A number with point or exponent, its digits kept.

    An exponent that no measurement has is refused: to count with such a number takes for ever.
    """
    exponent = text.lower().partition("e")[2].lstrip("+-").lstrip("0")
    if len(exponent) > _LONGEST_EXPONENT:
        raise _refused("json-syntax", "A number has an exponent of more than three digits.")
    return Decimal(text)


_exactly = msgspec.json.Decoder(float_hook=_number)


def _whole(text: str) -> int | Decimal:
    """A whole number; as Decimal where it is -0 or longer than any integer of FHIR."""
    return Decimal(text) if len(text) > _LONGEST_INT or text == "-0" else int(text)


def parse_json(body: bytes) -> Any:
    """What the JSON says, by a parser that can not be led into recursion; numbers as floats.

    Raises NotUnderstood for what is no UTF-8, begins with a byte order mark, or is no JSON.
    """
    if body.startswith(_BOM):
        raise _refused(
            "json-byte-order-mark", "The body begins with a byte order mark. Leave it out."
        )
    try:
        body.decode("utf-8")
    except UnicodeDecodeError as error:
        says = f"The body is not UTF-8: byte {error.start} can not be read."
        raise _refused("json-not-utf-8", says) from None
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        if "epth" in error.msg or "ecursion" in error.msg:
            raise _refused("json-too-deep", "The document is nested too deep.") from None
        says = (
            f"This is no JSON: {_reason(error.msg)} in line {error.lineno}, column {error.colno}."
        )
        raise _refused("json-syntax", says) from None


def _reason(message: str) -> str:
    """The parser's reason without its place, which is told apart."""
    return message.split(":", maxsplit=1)[0].strip() or "it ends too early"


def _refused(key: str, says: str) -> NotUnderstood:
    return NotUnderstood(says, Issue(key=key, code="structure", says=says))


def _deeper(plain: Any, limit: int) -> bool:
    """Whether arrays and objects lie in each other deeper than ``limit``."""
    level = [plain]
    for _ in range(limit):
        level = [
            inner
            for one in level
            for inner in (one.values() if isinstance(one, dict) else one)
            if isinstance(inner, dict | list)
        ]
        if not level:
            return False
    return True


def _first(found: Iterator[Issue]) -> Iterator[Issue]:
    for number, issue in enumerate(found):
        if number == MOST_FINDINGS:
            says = f"There are more than these {MOST_FINDINGS} findings."
            yield Issue(key="more-findings", code="too-costly", says=says, severity="information")
            return
        yield issue


def _findings(resource: dict[str, Any], twice: _Twice, base: str) -> Iterator[Issue]:
    """What FHIR's JSON does not allow, in the order of the document."""
    waiting: list[tuple[Steps, Any]] = [((), resource)]
    while waiting:
        steps, value = waiting.pop()
        inner: list[tuple[Steps, Any]]
        if isinstance(value, dict):
            for key in twice.get(id(value), (value, []))[1]:
                says = f"The property “{_shown(key)}” stands here twice."
                yield _at("json-duplicate-key", says, base, steps)
            inner = [((*steps, key), one) for key, one in value.items() if one != SOUND]
        else:
            inner = [((*steps, number), one) for number, one in enumerate(value) if one != SOUND]
        for path, one in inner:
            wrong = _wrong(one, path)
            if wrong is not None:
                yield _at(*wrong, base, path)
        waiting.extend(reversed([each for each in inner if isinstance(each[1], dict | list)]))


def _wrong(value: Any, steps: Steps) -> tuple[str, str] | None:
    """(key, sentence) of what is wrong with one value by itself."""
    if value is None:
        # only the arrays of a primitive and of its sibling may hold null, to keep their places
        return None if isinstance(steps[-1], int) else _NULL
    if isinstance(value, str):
        if value.strip(BLANKS) == "":
            return "json-blank-string", "A string is never empty or blank. Leave the element out."
        if has_control(value):
            return "json-control-character", "A control character stands in this string."
    elif isinstance(value, dict | list) and not value:
        return "json-empty", "Arrays and objects are never empty. Leave the element out."
    return None


def is_filled(value: Any) -> bool:
    """Whether nothing in a JSON value is null, empty or blank, nor holds a control character."""
    waiting: list[Any] = [value]
    while waiting:
        one = waiting.pop()
        if one is None or _wrong(one, ("",)) is not None:
            return False
        if isinstance(one, dict | list):
            waiting.extend(one.values() if isinstance(one, dict) else one)
    return True


_NULL = ("json-null", "null is no value in FHIR. Leave the element out.")


def _shown(key: str) -> str:
    """A property's name, short enough for a sentence."""
    return key if len(key) <= MOST_SHOWN else key[:MOST_SHOWN] + "…"


MOST_SHOWN = 40
"""How many characters of an unknown name are repeated to the sender."""


def _at(key: str, says: str, base: str, steps: Steps) -> Issue:
    return Issue(key=key, code="structure", says=says, expression=place(base, steps))
