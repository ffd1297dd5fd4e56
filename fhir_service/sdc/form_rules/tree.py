"""What the rules of a form are handed: the form as a tree, each item with what is around it.

http://hl7.org/fhir/R4/questionnaire.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from fhir_service.fhir.issues import Issue
from fhir_service.sdc import extensions as ext
from fhir_service.sdc.form_keys import FORM_KEYS
from fhir_service.sdc.item_reading import choice

ROOT = "Questionnaire"

Json = Mapping[str, Any]


class Known(Protocol):
    """Who knows other forms and value sets, where there is somebody."""

    def value_set(self, canonical: str, within: Json) -> Json | None:
        """The value set (url|version; ``#id``: contained in ``within``); None when unknown."""

    def questionnaire(self, canonical: str) -> Json | None:
        """The form with this canonical; None when unknown."""


class Place:
    """One item of a Questionnaire, where it stands, and what it lies in.

    ``number`` counts the items through the whole form from 0. ``value`` is its FHIRPath.
    """

    __slots__ = ("_offers", "extensions", "link_id", "number", "parent", "raw", "type", "where")

    def __init__(self, raw: Json, where: str, parent: Place | None, number: int) -> None:
        self.raw = raw
        self.where = where
        self.parent = parent
        self.number = number
        self.link_id: str = raw.get("linkId", "")
        self.type: str = raw["type"]
        self.extensions = ext.by_url(raw.get("extension"))
        self._offers: tuple[frozenset[str], frozenset[Any]] | None = None

    def around(self) -> Iterator[Place]:
        """The items that it lies in, the nearest first."""
        one = self.parent
        while one is not None:
            yield one
            one = one.parent

    def has(self, *urls: str) -> bool:
        """Whether it carries an extension with one of these urls."""
        return any(url in self.extensions for url in urls)

    def value(self, url: str) -> Any:
        """The value of its first extension with this url; None when there is none."""
        return ext.value(self.extensions, url)

    def offers(self) -> tuple[frozenset[str], frozenset[Any]]:
        """The types of its options; of its Codings the codes, and the pairs (system, code)."""
        if self._offers is None:
            kinds, codes = set(), set()
            for option in self.raw.get("answerOption", ()):
                found = choice(option, "value")
                if found is not None:
                    kinds.add(found[0])
                    if found[0] == "Coding":
                        codes.add(found[1].get("code"))
                        codes.add((found[1].get("system"), found[1].get("code")))
            self._offers = frozenset(kinds), frozenset(codes)
        return self._offers

    def control(self) -> str | None:
        """The code of its itemControl; None without one."""
        concept = self.value(ext.ITEM_CONTROL)
        codings = concept.get("coding", ()) if isinstance(concept, Mapping) else ()
        return next((coding["code"] for coding in codings if "code" in coding), None)

    def tell(self, key: str, says: str, element: str = "") -> Issue:
        """A finding on this item, at ``element`` of it."""
        where = self.where + (f".{element}" if element else "")
        return finding(key, f"“{self.link_id}”: {says}", where, self.link_id or None)


@dataclass(frozen=True, slots=True)
class Tree:
    """A form: its items in order, by linkId the first that has it, and who knows other forms.

    ``paged`` when one of its root items is a page; ``contained`` is by id.
    """

    raw: Json
    extensions: ext.Extensions
    items: Sequence[Place]
    by_link_id: Mapping[str, Place]
    known: Known | None = None
    paged: bool = False
    contained: Mapping[str, Json] = field(default_factory=dict)
    declared: dict[str, frozenset[Any] | None] = field(default_factory=dict)
    """What value sets declare as parameters, kept by canonical once it was asked for."""


def plant(questionnaire: Json, known: Known | None = None) -> Tree:
    """The Tree of a Questionnaire that is sound R4, with items not too deep to walk."""
    items = list(_places(questionnaire))
    by_link_id: dict[str, Place] = {}
    for one in items:
        by_link_id.setdefault(one.link_id, one)
    paged = any(one.parent is None and one.control() == "page" for one in items)
    extensions = ext.by_url(questionnaire.get("extension"))
    contained = {one["id"]: one for one in questionnaire.get("contained", ()) if "id" in one}
    return Tree(questionnaire, extensions, items, by_link_id, known, paged, contained)


def _places(questionnaire: Json) -> Iterator[Place]:
    waiting: list[tuple[Json, str, Place | None]] = _below(questionnaire, ROOT, None)
    number = 0
    while waiting:
        raw, where, parent = waiting.pop()
        here = Place(raw, where, parent, number)
        number += 1
        yield here
        waiting.extend(_below(raw, where, here))


def _below(raw: Json, where: str, parent: Place | None) -> list[tuple[Json, str, Place | None]]:
    inner = [
        (item, f"{where}.item[{number}]", parent)
        for number, item in enumerate(raw.get("item", ()))
    ]
    return inner[::-1]


def finding(key: str, says: str, where: str, link_id: str | None = None) -> Issue:
    """A finding of this key, as grave as its key makes it."""
    named = FORM_KEYS[key]
    return Issue(
        key=key,
        code=named.code,
        says=says,
        severity=named.severity,
        expression=where,
        link_id=link_id,
        verdict="not-verified" if named.not_verified else "broken",
        blocks_offer=named.gate == "offer",
    )
