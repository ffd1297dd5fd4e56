"""An expression cut into tokens.

http://hl7.org/fhirpath/N1/#lexical-elements
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from fhir_service.fhir.fhirpath.errors import ExpressionError

_CLOCK = r"[0-9]{2}(?::[0-9]{2}(?::[0-9]{2}(?:\.[0-9]+)?)?)?"
_TOKEN = re.compile(
    r"(?P<blank>[ \t\r\n]+|//[^\r\n]*|/\*[\s\S]*?\*/)"
    rf"|(?P<time>@T{_CLOCK})"
    rf"|(?P<moment>@[0-9]{{4}}(?:-[0-9]{{2}}(?:-[0-9]{{2}})?)?(?:T(?:{_CLOCK}(?:Z|[+-][0-9]{{2}}:[0-9]{{2}})?)?)?)"
    r"|(?P<number>[0-9]+(?:\.[0-9]+)?)"
    r"|(?P<string>'(?:[^'\\]|\\.)*')"
    r"|(?P<quoted>`(?:[^`\\]|\\.)*`)"
    r"|(?P<dollar>\$(?:this|index|total)\b)"
    r"|(?P<word>[A-Za-z_][A-Za-z0-9_]*)"
    r"|(?P<sign><=|>=|!=|!~|[-+*/&|=~<>().,\[\]{}%])",
    re.DOTALL,
)
_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|(.))", re.DOTALL)
_PLAIN_ESCAPES: Final = {
    "f": "\f", "n": "\n", "r": "\r", "t": "\t",
    "'": "'", '"': '"', "`": "`", "\\": "\\", "/": "/",
}  # fmt: skip


class Token(NamedTuple):
    """``kind`` is time, moment, number, string, quoted, dollar, word, sign, or end.

    Of string and quoted ``text`` is what stands between the quotes, escapes resolved.
    """

    kind: str
    text: str
    position: int


def tokens(text: str) -> Iterator[Token]:
    """The tokens of an expression, blanks and comments left out; the last is of kind end.

    Raises ExpressionError at a character that begins none.
    """
    position, match_at = 0, _TOKEN.match
    while position < len(text):
        match = match_at(text, position)
        if match is None:
            raise ExpressionError(_no_token(text[position]), position)
        kind = match.lastgroup or ""
        if kind in ("string", "quoted"):
            yield Token(kind, _unescaped(match.group()[1:-1], position), position)
        elif kind != "blank":
            yield Token(kind, match.group(), position)
        position = match.end()
    yield Token("end", "", position)


def _no_token(character: str) -> str:
    if character in "'`":
        return "A quotation mark opens here and is not closed."
    return f"The character “{character}” begins nothing that an expression may have."


def _unescaped(text: str, position: int) -> str:
    if "\\" not in text:
        return text

    def put(match: re.Match[str]) -> str:
        if match[1]:
            return chr(int(match[1], 16))
        if match[2] not in _PLAIN_ESCAPES:
            raise ExpressionError("There is no such escape in a string of FHIRPath.", position)
        return _PLAIN_ESCAPES[match[2]]

    made = _ESCAPE.sub(put, text)
    try:  # two escapes may be the halves of one character
        return made.encode("utf-16", "surrogatepass").decode("utf-16")
    except UnicodeDecodeError:
        raise ExpressionError("Half a character is written here.", position) from None
