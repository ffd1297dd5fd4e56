r"""The primitive types of FHIR JSON: what each may look like.

Patterns are anchored with ``\A`` and ``\Z``, for ``$`` would let a last line break pass.
http://hl7.org/fhir/R4/datatypes.html#primitive
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

YEAR = r"([0-9]([0-9]([0-9][1-9]|[1-9]0)|[1-9]00)|[1-9]000)"
MONTH = r"(0[1-9]|1[0-2])"
DAY = r"(0[1-9]|[1-2][0-9]|3[0-1])"
CLOCK = r"([01][0-9]|2[0-3]):[0-5][0-9]:([0-5][0-9]|60)(\.[0-9]+)?"
ZONE = r"(Z|(\+|-)((0[0-9]|1[0-3]):[0-5][0-9]|14:00))"

DATE = rf"\A{YEAR}(-{MONTH}(-{DAY})?)?\Z"
DATE_TIME = rf"\A{YEAR}(-{MONTH}(-{DAY}(T{CLOCK}{ZONE})?)?)?\Z"
INSTANT = rf"\A{YEAR}-{MONTH}-{DAY}T{CLOCK}{ZONE}\Z"
TIME = rf"\A{CLOCK}\Z"
ID = r"\A[A-Za-z0-9\-.]{1,64}\Z"
URI = r"\A[^ \t\r\n]+\Z"
CODE = r"\A[^ \t\r\n]+([ \t\r\n][^ \t\r\n]+)*\Z"
OID = r"\Aurn:oid:[0-2](\.(0|[1-9][0-9]*))+\Z"
UUID = r"\Aurn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\Z"
LANGUAGE = r"\A[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*\Z"

DAY_LENGTH = len("YYYY-MM-DD")

BLANKS = " \t\r\n"
"""What FHIR counts as white space in a string."""

_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff]")


def _matches(pattern: str) -> Callable[[Any], bool]:
    compiled = re.compile(pattern)
    return lambda value: isinstance(value, str) and compiled.match(value) is not None


def is_text(value: Any) -> bool:
    """Whether it is a string of FHIR: not blank, no control characters but tab and line breaks."""
    return isinstance(value, str) and value.strip(BLANKS) != "" and not has_control(value)


def has_control(value: str) -> bool:
    """Whether a character stands in it that no FHIR string may have, lone surrogates included."""
    return _CONTROL.search(value) is not None


def is_base64(value: Any) -> bool:
    """Whether it is base64, which may be broken by white space."""
    if not is_text(value):
        return False
    try:
        binascii.a2b_base64("".join(value.split()), strict_mode=True)
    except (ValueError, UnicodeEncodeError):
        return False
    return True


def is_calendar_day(value: str) -> bool:
    """Whether a date or dateTime that fits its pattern names a day there is (no 30 February)."""
    if len(value) < DAY_LENGTH:
        return True
    try:
        date.fromisoformat(value[:DAY_LENGTH])
    except ValueError:
        return False
    return True


def _with_day(pattern: str) -> Callable[[Any], bool]:
    matches = _matches(pattern)
    return lambda value: matches(value) and is_calendar_day(value)


def _whole(least: int) -> Callable[[Any], bool]:
    return lambda value: (
        isinstance(value, int) and not isinstance(value, bool) and least <= value < 2**31
    )


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float | Decimal) and not isinstance(value, bool)


def _is_bool(value: Any) -> bool:
    return isinstance(value, bool)


is_uri = _matches(URI)
is_code = _matches(CODE)
is_id = _matches(ID)

CHECKS: Mapping[str, Callable[[Any], bool]] = {
    "boolean": _is_bool,
    "integer": _whole(-(2**31)),
    "unsignedInt": _whole(0),
    "positiveInt": _whole(1),
    "decimal": _is_number,
    "string": is_text,
    "markdown": is_text,
    "xhtml": is_text,
    "uri": is_uri,
    "url": is_uri,
    "canonical": is_uri,
    "oid": _matches(OID),
    "uuid": _matches(UUID),
    "code": is_code,
    "id": is_id,
    "base64Binary": is_base64,
    "date": _with_day(DATE),
    "dateTime": _with_day(DATE_TIME),
    "instant": _with_day(INSTANT),
    "time": _matches(TIME),
    "language": _matches(LANGUAGE),
}
"""For each primitive type, whether a JSON value is one."""
