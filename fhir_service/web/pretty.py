"""JSON with line breaks, made without reading a value: each token stays as its sender wrote it.

``_pretty``: http://hl7.org/fhir/R4/http.html#parameters
"""

from __future__ import annotations

import re

_TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*"|[{}\[\],:]|[^\s{}\[\],:"]+')


def indented(body: bytes) -> bytes:
    """The same JSON, indented by two spaces a level; strings and numbers byte for byte."""
    made: list[bytes] = []
    depth = 0
    before = b""
    for token in _TOKEN.findall(body):
        if token in (b"}", b"]"):
            depth -= 1
            if before not in (b"{", b"["):
                made.append(_line(depth))
        elif before in (b"{", b"[", b","):
            made.append(_line(depth))
        made.append(b": " if token == b":" else token)
        if token in (b"{", b"["):
            depth += 1
        before = token
    made.append(b"\n")
    return b"".join(made)


def _line(depth: int) -> bytes:
    return b"\n" + b"  " * depth
