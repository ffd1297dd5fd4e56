"""Text made safe to show: control and direction marks become visible, everything else stays.

A patient's words may carry marks that reorder, hide or break a page. They are shown as
``<U+202E>``, so that the reader sees that they are there.
https://www.unicode.org/reports/tr36/#Bidirectional_Text_Spoofing
"""

from __future__ import annotations

import re
from collections.abc import Callable

# Line feed stays: patients write in lines. Joiners (U+200C, U+200D) stay: scripts need them.
_HIDDEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f"
    "\ufeff\ufff9-\uffff\ud800-\udfff\U000e0000-\U000e007f]"
)

_PLAIN = str.maketrans(
    {
        "’": "'",
        "‘": "'",
        "“": '"',
        "”": '"',
        "–": "-",
        "—": "-",
        "…": "...",
        "\u00a0": " ",
        "→": "->",
        "·": "-",
    }
)


def visible(text: str, shows: Callable[[str], bool] | None = None) -> str:
    """The text with each hidden mark written as ``<U+XXXX>``; line feeds and tabs stay.

    ``shows`` says whether a character can be drawn (a PDF's fonts lack many); one that can
    not is written in the same way, since a glyph that is missing vanishes without a word.
    """
    if text.isascii() and text.isprintable():  # most are: nothing to look for
        return text
    shown = _HIDDEN.sub(_named, text.replace("\r\n", "\n"))
    if shows is None or shown.isascii():
        return shown
    return "".join(
        letter if letter.isascii() or shows(letter) else f"<U+{ord(letter):04X}>"
        for letter in shown
    )


def _named(match: re.Match[str]) -> str:
    return f"<U+{ord(match[0]):04X}>"


def plain(text: str) -> str:
    """Our own words and the form's, typographic signs in ASCII; never for a patient's words."""
    return text if text.isascii() else text.translate(_PLAIN)
