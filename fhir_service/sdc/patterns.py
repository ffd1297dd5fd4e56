"""The patterns that authors of forms write, matched in linear time however they are written.

http://hl7.org/fhir/R4/extension-regex.html; the syntax: https://github.com/google/re2/wiki/Syntax
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Final

import re2

LONGEST_PATTERN: Final = 2_000

_MEMORY: Final = 1 << 20
_MOST_WORK: Final = 5_000_000

Matches = Callable[[str], bool | None]
"""Whether a whole text is written as the pattern asks; None where that costs too much to tell."""


@lru_cache(1_024)
def matcher(pattern: str) -> Matches | None:
    """Tells whether a text keeps the pattern as a whole; None for one that is not decided here.

    That is: too long, malformed, or of a kind that has no linear-time answer (look-around,
    references back).
    """
    if len(pattern) > LONGEST_PATTERN:
        return None
    options = re2.Options()
    options.log_errors = False  # the pattern belongs to the form, not to the log
    options.max_mem = _MEMORY
    try:
        compiled = re2.compile(pattern, options)
    except (re2.error, UnicodeEncodeError):
        return None
    longest = _MOST_WORK // compiled.programsize

    def matches(text: str) -> bool | None:
        return None if len(text) > longest else compiled.fullmatch(text) is not None

    return matches
