"""Where a page of a search begins: the sort values of a row, and the way to go from there.

The doors sign what is given out here (web/paging.py); this is its content alone.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Sequence
from typing import Any, NamedTuple

from fhir_service.fhir.issues import NotUnderstood


class Cursor(NamedTuple):
    """Sort values of a row; ``back``: the page that ends before it, not the one that follows."""

    values: list[Any]
    back: bool


def written(values: Sequence[Any], *, back: bool = False) -> str:
    """The cursor as text for an address."""
    said = json.dumps([int(back), *values], separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(said).decode().rstrip("=")


def read(cursor: str, numbers: Sequence[bool]) -> Cursor:
    """The cursor in this text; ``numbers`` says which of its values are whole numbers.

    Raises NotUnderstood for one that is not ours.
    """
    try:
        padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
        said = json.loads(base64.urlsafe_b64decode(padded))
    except (ValueError, binascii.Error):
        said = None
    if not isinstance(said, list) or len(said) != len(numbers) + 1 or said[0] not in (0, 1):
        raise _not_ours()
    for value, number in zip(said[1:], numbers, strict=True):
        if not isinstance(value, int if number else str) or isinstance(value, bool):
            raise _not_ours()
        if isinstance(value, int) and abs(value) >= 2**63:
            raise _not_ours()
        if isinstance(value, str) and "\0" in value:
            raise _not_ours()
    return Cursor(said[1:], said[0] == 1)


def _not_ours() -> NotUnderstood:
    return NotUnderstood("_cursor is not one that this search gave; start again without it.")
