"""Words in lines of at most 80 columns, as textwrap breaks them, at a fifth of its cost.

https://docs.python.org/3/library/textwrap.html
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from functools import lru_cache

WIDTH = 80
"""Columns."""

_BLANKS = " \t\v\f\r"
"""What a line may break at, and what is dropped where it ends."""


def wrapped(words: str, start: str = "") -> Iterator[str]:
    """Lines of at most 80 columns, the following ones indented; words are only cut when longer.

    ``start`` stands before the first; a line feed in the words begins a new line.
    """
    room = " " * (len(start) or 2)
    for number, line in enumerate(words.split("\n")):
        head = start if number == 0 else room
        if len(head) + len(line) <= WIDTH:
            yield head + line.rstrip(_BLANKS) if line.strip(_BLANKS) else head.rstrip()
        else:
            yield from _broken(line, head, room) or _wrapper(head, room).wrap(line)


def _broken(line: str, head: str, room: str) -> list[str]:
    """A long line at its blanks; empty for what is not that simple: a long word, odd blanks."""
    made: list[str] = []
    at, end, left = 0, len(line), WIDTH - len(head)
    while end - at > left:
        gap = line.rfind(" ", at, at + left + 1)
        piece = line[at:gap].rstrip() if gap > at else ""
        if not piece or not piece.isprintable():
            return []
        made.append((room if made else head) + piece)
        left = WIDTH - len(room)
        at = gap + 1
        while at < end and line[at] == " ":
            at += 1
    rest = line[at:].rstrip()
    if not rest.isprintable():
        return []
    if rest:
        made.append(room + rest)
    return made


@lru_cache(64)
def _wrapper(head: str, room: str) -> textwrap.TextWrapper:
    return textwrap.TextWrapper(
        WIDTH,
        initial_indent=head,
        subsequent_indent=room,
        break_on_hyphens=False,
        expand_tabs=False,
        replace_whitespace=False,
        drop_whitespace=True,
    )
