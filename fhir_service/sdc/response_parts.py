"""What is wrong with a response, found in the parts of it that are not plainly sound.

What is plainly sound is decoded once more at C speed and passed over; only the rest is read with
every finding. http://hl7.org/fhir/R4/questionnaireresponse.html
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta, Raw
from msgspec.structs import replace

from fhir_service.fhir.issues import Issue
from fhir_service.fhir.reading import MOST_FINDINGS, SOUND, read_json, read_part
from fhir_service.fhir.shape_check import check_shape
from fhir_service.sdc.link_ids import with_link_ids
from fhir_service.sdc.response_around import properties_around
from fhir_service.sdc.response_model import Body, ResponseItem
from fhir_service.sdc.response_walk import (
    Doubt,
    TooDeep,
    look_at,
    look_at_words,
    properties_in,
)

TYPE = "QuestionnaireResponse"
_FEW_LEVELS = 12
"""Arrays and objects that lie in each other in a part; one with more is read as a whole."""

_GROUPS = 8
"""Levels of groups that are taken apart."""

Items = Annotated[list[Raw], Meta(min_length=1)]


class _Frame(Body, kw_only=True, gc=False):
    items: Items | msgspec.UnsetType = msgspec.field(  # type: ignore[assignment]
        default=UNSET, name="item"
    )


class _Group(ResponseItem, kw_only=True, gc=False):
    items: Items = msgspec.field(name="item")  # type: ignore[assignment]


_SOUND = msgspec.json.encode(SOUND)
_frame = msgspec.json.Decoder(_Frame)
_group = msgspec.json.Decoder(_Group)
_item = msgspec.json.Decoder(ResponseItem)
_UNSOUND = (msgspec.DecodeError, UnicodeDecodeError, RecursionError, Doubt)


def findings_in_parts(
    body: bytes,
    levels: int,
    known: Mapping[int, int],
    decoded: Sequence[ResponseItem] | None = None,
) -> tuple[Issue, ...] | None:
    """Every finding on JSON and structure; () for none, None where the whole has to be read.

    ``known`` are the root items that are sound, by number, with how many properties they have.
    Items may lie ``levels`` deep in each other. ``decoded`` are they all, where they could be.
    """
    try:
        frame = _frame.decode(body)
        around = properties_around(frame)
        parts = _Parts(levels)
        count = parts.quickly(frame.items, decoded, TYPE, known, 1)
        whole = around + count == properties_in(body)
        if parts.found and whole:
            return parts.findings()
        if not (parts.found or whole):
            outside = _around_items(body, frame.items, count)
            if outside is not None:
                return outside
        parts = _Parts(levels)
        count = parts.look(frame.items, TYPE, known, 1)
    except _UNSOUND:
        return None
    if around + count == properties_in(body):
        return parts.findings()
    return None if parts.found else _around_items(body, frame.items, count)


def _around_items(body: bytes, items: Any, count: int) -> tuple[Issue, ...] | None:
    """What is found outside the items, which are sound and have so many properties."""
    if not items:
        return None
    start, last = body.find(bytes(items[0])), bytes(items[-1])
    end = body.rfind(last) + len(last)
    commas = body[start:end]
    if start < 0 or properties_in(commas) != count:
        return None
    raw: Any = read_json(body[:start] + _SOUND + body[end:])
    return tuple(with_link_ids(check_shape(raw, TYPE, TYPE), raw)) or None


class _Parts:
    """The parts that are not plainly sound: ``found``, each with its place."""

    def __init__(self, levels: int) -> None:
        self._levels = levels
        self.found: list[tuple[bytes, str]] = []

    def quickly(
        self,
        raws: Any,
        items: Sequence[ResponseItem] | None,
        place: str,
        known: Mapping[int, int],
        level: int,
    ) -> int:
        """As ``look``, where what is sound need not be counted in its JSON: the sum tells.

        None of what is counted is more than there is, so where the sum is right, each is.
        """
        count = 0
        for number, raw in enumerate(raws or ()):
            if number in known:
                count += known[number]
                continue
            item = None if items is None else items[number]
            count += self._quickly_into(raw, item, f"{place}.item[{number}]", level)
        return count

    def _quickly_into(self, raw: Raw, item: ResponseItem | None, place: str, level: int) -> int:
        before = len(self.found)
        group = level <= _GROUPS and (
            item is None or (item.items is not UNSET and item.answers is UNSET)
        )
        try:
            if item is None or not group:
                sound = _item.decode(raw) if item is None else item
                return look_at((sound,), self._levels - level + 1)
        except TooDeep:
            raise
        except _UNSOUND:
            pass
        try:
            if group:
                made = _group.decode(raw)
                if made.answers is UNSET:
                    inner = None if item is None else item.items or None
                    return look_at_words(made) + self.quickly(
                        made.items, inner, place, {}, level + 1
                    )
        except TooDeep:
            raise
        except _UNSOUND:
            pass
        del self.found[before:]
        text = bytes(raw)
        self.found.append((text, place))
        return properties_in(text)

    def look(self, items: Any, place: str, known: Mapping[int, int], level: int) -> int:
        """Look at items, given as JSON; how many properties they have. Raises TooDeep."""
        count = 0
        for number, raw in enumerate(items or ()):
            text = bytes(raw)
            properties = properties_in(text)
            count += properties
            if known.get(number) != properties:
                self._look_into(text, f"{place}.item[{number}]", properties, level)
        return count

    def _look_into(self, text: bytes, place: str, properties: int, level: int) -> None:
        try:
            item = _item.decode(text)
            if look_at((item,), self._levels - level + 1) == properties:
                return
        except TooDeep:
            raise
        except _UNSOUND:
            pass
        if level > _GROUPS or not self._is_group(text, place, properties, level):
            self.found.append((text, place))

    def _is_group(self, text: bytes, place: str, properties: int, level: int) -> bool:
        """Whether only what lies in the item can be wrong; it has then been looked at."""
        if b'"item"' not in text:
            return False
        before = len(self.found)
        try:
            group = _group.decode(text)
            own = look_at_words(group)
            if group.answers is UNSET:
                inner = self.look(group.items, place, {}, level + 1)
                if own + inner == properties:
                    return True
        except TooDeep:
            raise
        except _UNSOUND:
            pass
        del self.found[before:]
        return False

    def findings(self) -> tuple[Issue, ...] | None:
        """What is found in them; what JSON forbids alone, where there is any of it."""
        read, malformed = [], []
        for text, place in self.found:
            part = read_part(text, _PART, _FEW_LEVELS)
            if part is None or not part[0] or not isinstance(part[0], dict):
                return None  # what is empty, or no object, is told by what lies around it
            malformed += _placed(part[1], part[0], place)
            read.append((part[0], place))
        found = malformed or [
            issue
            for raw, place in read
            for issue in _placed(check_shape(raw, "ResponseItem", _PART), raw, place)
        ]
        return None if len(found) >= MOST_FINDINGS else tuple(found)


_PART = "part.item[0]"


def _placed(issues: Any, raw: Any, place: str) -> list[Issue]:
    """The same issues with linkIds, and with the place that the part has in the response."""
    return [
        replace(issue, expression=place + (issue.expression or "").removeprefix(_PART))
        for issue in with_link_ids(issues, {"item": [raw]})
    ]
