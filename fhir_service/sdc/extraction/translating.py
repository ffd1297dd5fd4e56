"""ConceptMap: what a code is called elsewhere, and codes told twice.

http://hl7.org/fhir/R4/conceptmap.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from fhir_service.fhir.places import objects

Json = Mapping[str, Any]
Code = tuple[str | None, str]

_NOT_SAID: Final = frozenset({"unmatched", "disjoint"})
"""Equivalences by which nothing can be said in the other code."""


@dataclass(frozen=True, slots=True)
class Target:
    """One code that a map leads to, with how near it is and what else it says (``products``)."""

    coding: Json
    equivalence: str
    products: tuple[Json, ...] = ()


@dataclass(frozen=True, slots=True)
class Concepts:
    """A ConceptMap, by source code. ``url`` is its canonical, ``reverse`` leads back."""

    url: str | None = None
    targets: Mapping[Code, tuple[Target, ...]] = field(default_factory=dict)

    def of(self, coding: Json) -> tuple[Target, ...]:
        """What a Coding is called elsewhere; nothing for what the map does not know."""
        code = coding.get("code")
        if not isinstance(code, str):
            return ()
        return tuple(
            one
            for one in self.targets.get((coding.get("system"), code), ())
            if one.equivalence not in _NOT_SAID
        )


def read_concept_map(resource: Json) -> Concepts:
    """The codes of a ConceptMap; what is not sound in it is passed over."""
    targets: dict[Code, list[Target]] = {}
    for group in objects(resource.get("group")):
        for element in objects(group.get("element")):
            if isinstance(element.get("code"), str):
                key = group.get("source"), element["code"]
                targets.setdefault(key, []).extend(_targets(group, element))
    found = {key: tuple(each) for key, each in targets.items() if each}
    return Concepts(resource.get("url"), found)


def _targets(group: Json, element: Json) -> Iterator[Target]:
    for one in objects(element.get("target")):
        if isinstance(one.get("code"), str):
            coding = {
                "system": group.get("target"),
                "version": group.get("targetVersion"),
                "code": one["code"],
                "display": one.get("display"),
            }
            plain = {name: value for name, value in coding.items() if value is not None}
            products = tuple(objects(one.get("product")))
            yield Target(plain, str(one.get("equivalence", "relatedto")), products)


def translate(
    resource: Json, concepts: Concepts, without: frozenset[str] = frozenset()
) -> dict[str, Any]:
    """The resource with each CodeableConcept told in the codes of the map besides.

    The text of one without text becomes the display of its own code. ``without`` are codes that
    are not to be added. A product that names an element of this resource's type fills it.
    """
    extra: dict[str, Any] = {}
    type_ = str(resource.get("resourceType"))
    made: dict[str, Any] = _translated(resource, concepts, without, type_, extra)
    for name, value in extra.items():
        made.setdefault(name, value)
    return made


def _translated(
    value: Any, concepts: Concepts, without: frozenset[str], type_: str, extra: dict[str, Any]
) -> Any:
    if isinstance(value, list):
        return [_translated(one, concepts, without, type_, extra) for one in value]
    if not isinstance(value, dict):
        return value
    made = {name: _translated(one, concepts, without, type_, extra) for name, one in value.items()}
    if isinstance(value.get("coding"), list):
        _concept(made, concepts, without, type_, extra)
    return made


def _concept(
    concept: dict[str, Any],
    concepts: Concepts,
    without: frozenset[str],
    type_: str,
    extra: dict[str, Any],
) -> None:
    codings: list[Any] = list(concept["coding"])
    known = {(one.get("system"), one.get("code")) for one in objects(codings)}
    added = []
    for coding in objects(codings):
        for target in concepts.of(coding):
            key = target.coding.get("system"), target.coding.get("code")
            if target.coding["code"] not in without and key not in known:
                known.add(key)
                added.append(dict(target.coding))
                extra.update(_products(target, type_))
    if not added:
        return
    shown = next((one["display"] for one in objects(codings) if "display" in one), None)
    concept["coding"] = [*added, *codings]
    if isinstance(shown, str) and "text" not in concept:
        concept["text"] = shown


def _products(target: Target, type_: str) -> Iterator[tuple[str, Any]]:
    """What a target says of another element of the resource (Observation.bodySite)."""
    for one in target.products:
        steps = str(one.get("property", "")).rpartition("#")[2].split(".")
        if len(steps) == 2 and steps[0] == type_:  # noqa: PLR2004  Type.element
            coding = {
                "system": one.get("system"),
                "code": one.get("value"),
                "display": one.get("display"),
            }
            plain = {name: value for name, value in coding.items() if value is not None}
            yield steps[1], {"coding": [plain]}
