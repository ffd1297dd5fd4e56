"""Which characters the shipped fonts can draw, read from their cmap tables.

A glyph that is missing vanishes from a PDF without a word, so it has to be known beforehand.
https://learn.microsoft.com/en-us/typography/opentype/spec/cmap
"""

from __future__ import annotations

import struct
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).resolve().parent / "fonts"

_FACES = ("NotoSans-Regular.ttf", "NotoSans-Bold.ttf", "NotoSans-Italic.ttf")


@cache
def drawable() -> frozenset[int]:
    """The code points that every shipped face has a glyph for."""
    faces = [_code_points((FOLDER / face).read_bytes()) for face in _FACES]
    return frozenset.intersection(*faces)


def shows(letter: str) -> bool:
    """Whether the fonts draw this character."""
    return ord(letter) in drawable()


def _code_points(font: bytes) -> frozenset[int]:
    start = _table(font, b"cmap")
    count = struct.unpack_from(">H", font, start + 2)[0]
    offsets = {
        struct.unpack_from(">HH", font, start + 4 + 8 * one): start
        + struct.unpack_from(">L", font, start + 8 + 8 * one)[0]
        for one in range(count)
    }
    if (3, 10) in offsets:
        return _format_12(font, offsets[3, 10])
    return _format_4(font, offsets[3, 1])


def _table(font: bytes, tag: bytes) -> int:
    count = struct.unpack_from(">H", font, 4)[0]
    for one in range(count):
        at = 12 + 16 * one
        if font[at : at + 4] == tag:
            return int(struct.unpack_from(">L", font, at + 8)[0])
    raise ValueError(f"the font has no {tag.decode()} table")


def _format_12(font: bytes, at: int) -> frozenset[int]:
    groups = struct.unpack_from(">L", font, at + 12)[0]
    found: set[int] = set()
    for one in range(groups):
        first, last, _ = struct.unpack_from(">LLL", font, at + 16 + 12 * one)
        found.update(range(first, last + 1))
    return frozenset(found)


def _format_4(font: bytes, at: int) -> frozenset[int]:
    segments = struct.unpack_from(">H", font, at + 6)[0] // 2
    ends = struct.unpack_from(f">{segments}H", font, at + 14)
    starts = struct.unpack_from(f">{segments}H", font, at + 16 + 2 * segments)
    found: set[int] = set()
    for first, last in zip(starts, ends, strict=True):
        found.update(range(first, last + 1))
    return frozenset(found - {0xFFFF})
