"""Our id, versionId and lastUpdated, put into bytes that otherwise stay as they were received.

Decimals keep their digits, members their order, white space its place; only ``id`` and the two
members of ``meta`` that belong to the server are ours.
http://hl7.org/fhir/R4/resource.html#Meta
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from json import JSONDecoder
from typing import NamedTuple

_TYPE_FIRST = re.compile(rb'\s*\{\s*"resourceType"\s*:\s*"[A-Za-z]+"')
_SPACE = re.compile(r"[ \t\r\n]*")
_OURS_IN_META = ("versionId", "lastUpdated", "_versionId", "_lastUpdated")
SUBSETTED = (
    '{"system":"http://terminology.hl7.org/CodeSystem/v3-ObservationValue","code":"SUBSETTED"}'
)
"""The tag of what is not the whole resource, so that nobody stores it again."""

_value_at = JSONDecoder(parse_float=str, parse_int=str).raw_decode


class _Member(NamedTuple):
    key: str
    start: int
    value: int
    end: int


def instant(moment: datetime) -> str:
    """A FHIR instant in UTC, to the millisecond: ``2026-11-22T09:30:00.000Z``."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def with_identity(body: bytes, id_: str, version: int, last_updated: datetime) -> bytes:
    """The body with this id, and this versionId and lastUpdated in meta; all else byte for byte.

    ``body`` is one valid JSON object, as the store holds it.
    """
    ours = f'"versionId":"{version}","lastUpdated":"{instant(last_updated)}"'
    first = _TYPE_FIRST.match(body)
    if first and b'"id"' not in body and b'"meta"' not in body:
        # No member of either name at any depth: one splice, without reading the rest.
        at = first.end()
        return body[:at] + f',"id":"{id_}","meta":{{{ours}}}'.encode() + body[at:]
    return _rebuilt(body.decode("utf-8"), id_, ours).encode("utf-8")


def without_identity(body: bytes) -> bytes:
    """The body without its top-level id and without meta.versionId and meta.lastUpdated.

    Two bodies that are equal after this differ in nothing that a sender says.
    """
    text = body.decode("utf-8")
    members = _members(text, 0)
    kept = []
    for member in members:
        if member.key == "id":
            continue
        if member.key == "meta" and text[member.value] == "{":
            rest = _their_meta(text, member)
            if rest:
                kept.append(f'"meta":{{{rest}}}')
            continue
        kept.append(text[member.start : member.end])
    return ("{" + ",".join(kept) + "}").encode("utf-8")


def with_id(body: bytes, id_: str) -> bytes:
    """A body that has no id, with this one after its resourceType."""
    first = _TYPE_FIRST.match(body)
    at = first.end() if first else body.index(b"{") + 1
    said = f'"id":"{id_}"'.encode()
    return body[:at] + (b"," + said if first else said + b",") + body[at:]


def subset(served: bytes, keep: Callable[[str], bool]) -> bytes:
    """Of a resource as it is served the members to keep, tagged as SUBSETTED; their bytes as are.

    resourceType, id and meta always stay. http://hl7.org/fhir/R4/search.html#elements
    """
    text = served.decode("utf-8")
    parts = []
    for member in _members(text, 0):
        if member.key == "meta":
            parts.append(f'"meta":{_tagged(text, member)}')
        elif member.key in ("resourceType", "id") or keep(member.key.removeprefix("_")):
            parts.append(text[member.start : member.end])
    return ("{" + ",".join(parts) + "}").encode("utf-8")


def _tagged(text: str, meta: _Member) -> str:
    """The meta with one tag more."""
    inner = _members(text, meta.value)
    kept = [text[m.start : m.end] for m in inner if m.key != "tag"]
    tags = next((text[m.value + 1 : m.end - 1].strip() for m in inner if m.key == "tag"), "")
    both = ",".join(filter(None, (tags, SUBSETTED)))
    return "{" + ",".join((*kept, f'"tag":[{both}]')) + "}"


def _rebuilt(text: str, id_: str, ours: str) -> str:
    members = _members(text, 0)
    meta = next((m for m in members if m.key == "meta" and text[m.value] == "{"), None)
    theirs = _their_meta(text, meta) if meta else ""
    identity = f'"id":"{id_}","meta":{{{ours}{"," if theirs else ""}{theirs}}}'
    kept = [m for m in members if m.key not in ("id", "meta")]
    if not kept:
        return "{" + identity + "}"
    at = next((i for i, m in enumerate(kept) if m.key == "resourceType"), 0)
    parts = [text[: members[0].start]]
    for i, member in enumerate(kept):
        parts.append(text[member.start : member.end])
        if i == at:
            parts.append("," + identity)
        if i + 1 < len(kept):
            parts.append(_gap(text, members, member))
    parts.append(text[members[-1].end :])
    return "".join(parts)


def _gap(text: str, members: list[_Member], one: _Member) -> str:
    """The comma and the white space that stood after this member."""
    following = members[members.index(one) + 1]
    return text[one.end : following.start]


def _their_meta(text: str, meta: _Member) -> str:
    inner = _members(text, meta.value)
    return ",".join(text[m.start : m.end] for m in inner if m.key not in _OURS_IN_META)


def _members(text: str, at: int) -> list[_Member]:
    """The members of the object that begins at or after ``at``, with their places in the text."""
    position = _past_space(text, text.index("{", at) + 1)
    found = []
    while text[position] != "}":
        start = position
        key, position = _value_at(text, position)
        position = _past_space(text, position) + 1  # the colon
        value = _past_space(text, position)
        _, end = _value_at(text, value)
        found.append(_Member(key, start, value, end))
        position = _past_space(text, end)
        if text[position] == ",":
            position = _past_space(text, position + 1)
    return found


def _past_space(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    return found.end() if found else at
