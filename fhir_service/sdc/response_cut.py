"""Cuts out of a broken response what is plainly sound, so that only the rest is read slowly.

A sound item is replaced by the smallest one there is, at the same place: what is found in the
shorter document is what is found in the whole one, place for place.
http://hl7.org/fhir/R4/questionnaireresponse.html
"""

from __future__ import annotations

import msgspec

from fhir_service.fhir.reading import SOUND
from fhir_service.sdc.response_model import ResponseItem
from fhir_service.sdc.response_walk import Doubt, TooDeep, look_at, properties_in

_SHORTEST = msgspec.json.encode(SOUND)
_SPACE = b" \t\r\n"
_LEAST = 500
"""Bytes; less is not worth the cutting."""

_DEEPEST = 8
"""Levels of groups that are cut into; what lies deeper is read as a whole."""


class _Holder(msgspec.Struct):
    item: list[msgspec.Raw]


_holder = msgspec.json.Decoder(_Holder)
_item = msgspec.json.Decoder(ResponseItem)


def shortened(body: bytes, levels: int) -> bytes:
    """The body, which must be JSON, with its sound items replaced; the body itself where none is.

    ``levels`` is how deep items may lie; one that lies deeper stays.
    Bodies with a backslash or an extension are left as they are: their strings need a closer look.
    """
    if len(body) < _LEAST or b"\\" in body or b'xtension"' in body:
        return body
    return _cut(body, levels, levels - _DEEPEST)


def _cut(text: bytes, levels: int, least: int) -> bytes:
    try:
        items = _holder.decode(text).item
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return text
    pieces: list[bytes] = []
    done = 0
    for raw in items:
        item = bytes(raw)
        start = text.find(item, done)
        if start < 0 or not _follows(text, done, start, first=not pieces):
            return text
        pieces += text[done:start], _replaced(item, levels, least)
        done = start + len(item)
    return b"".join((*pieces, text[done:]))


def _follows(text: bytes, done: int, start: int, *, first: bool) -> bool:
    """Whether an item begins here: the first after “"item": [”, others after a comma."""
    before = text[done:start].rstrip(_SPACE)
    if not first:
        return before == b","
    before = before.removesuffix(b"[").rstrip(_SPACE).removesuffix(b":").rstrip(_SPACE)
    return before.endswith(b'"item"')


def _replaced(item: bytes, levels: int, least: int) -> bytes:
    try:
        if look_at((_item.decode(item),), levels) == properties_in(item):
            return _SHORTEST
    except TooDeep:
        return item
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, Doubt):
        pass  # it stays, or its inner items are looked at one by one
    return _cut(item, levels - 1, least) if levels > least and b'"item"' in item else item
