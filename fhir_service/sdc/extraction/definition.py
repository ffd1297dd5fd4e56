"""Definition-based extraction: an answer becomes the element that its item's definition names.

https://hl7.org/fhir/uv/sdc/STU4/extraction.html#definition-based-extraction
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from fhir_service.fhir.elements import Element, element, resource_kind
from fhir_service.fhir.fhirpath.nodes import to_json, type_of
from fhir_service.fhir.fhirpath.types import Choice, Kind, kinds
from fhir_service.sdc.extraction.drafts import Drafts
from fhir_service.sdc.extraction.plan import DefinedValue, Marked
from fhir_service.sdc.extraction.template_walk import TemplateWalk, fitted_to
from fhir_service.sdc.extraction.visits import Visit
from fhir_service.sdc.item_reading import choice

Json = Mapping[str, Any]
Opened = dict[tuple[str, ...], dict[str, Any]]
"""The elements of lists that are being filled, by the steps that lead to them."""

CORE: Final = "http://hl7.org/fhir/StructureDefinition/"


class Defining:
    """Makes one resource by definition."""

    def __init__(self, marked: Marked, walk: TemplateWalk, drafts: Drafts) -> None:
        self._canonical = marked.named.partition("|")[0]
        self._walk = walk
        self._drafts = drafts
        self._written = False

    def resource(self, visit: Visit) -> dict[str, Any] | None:
        """The resource of this visit; None, and told, for a type that is not known."""
        kind = self._kind(visit)
        if kind is None:
            says = f"{self._canonical[:120]} names no resource type of R4."
            self._drafts.tell("extract-definition", "not-found", says, _link_id(visit))
            return None
        made: dict[str, Any] = {"resourceType": kind.name}
        if not self._canonical.startswith(CORE):
            made["meta"] = {"profile": [self._canonical]}
        self._fill(visit, kind, made, {}, {}, first=True)
        return made if made.keys() - {"resourceType", "meta"} else None

    def _kind(self, visit: Visit) -> Kind | None:
        """The type, by the canonical or, for a profile, by the elements that are filled."""
        found = resource_kind(self._canonical.rsplit("/", maxsplit=1)[-1])
        if found is not None:
            return found
        waiting = [visit.place]
        while waiting:
            place = waiting.pop()
            named = [place.raw.get("definition"), *(one.definition for one in place.values)]
            for one in named:
                address, _, path = str(one).partition("#")
                if address == self._canonical and path:
                    return resource_kind(path.partition(".")[0])
            waiting += place.below
        return None

    def _fill(
        self,
        visit: Visit,
        kind: Kind,
        resource: dict[str, Any],
        around: Opened,
        beside: Opened,
        *,
        first: bool = False,
    ) -> None:
        """Put what this visit gives into the resource.

        ``around`` are the elements that items around it opened; ``beside`` those that its
        siblings did: it joins them unless it would say there what is said already.
        """
        place = visit.place
        if not first and (place.definitions or place.legacy):
            return  # the start of another resource
        own: Opened = dict(around)
        path = self._path(place.raw.get("definition"))
        sets = [(steps, one) for one in place.values if (steps := self._path(one.definition))]
        if path is not None and place.item is not None and place.item.type == "group":
            self._open(path, kind, resource, own)
        leaves = [steps for steps, _ in sets] + ([path] if path and visit.answers else [])
        joined = own if self._clashes(leaves, kind, beside) else {**beside, **own}
        if path is not None:
            for answer in visit.answers:
                self._answer(answer, path, kind, resource, joined)
        if first or visit.answers or (place.item is not None and place.item.type == "group"):
            for steps, one in sets:
                self._defined(one, steps, visit, kind, resource, joined)
        beside.update({key: one for key, one in joined.items() if key not in around})
        inner_beside: Opened = {}
        inside = own if place.item is None or place.item.type == "group" else joined
        for below in visit.below:
            self._fill(below, kind, resource, inside, inner_beside)

    def _path(self, definition: Any) -> tuple[str, ...] | None:
        """The steps of a definition below the resource; None for one of another resource."""
        if not isinstance(definition, str):
            return None
        address, _, path = definition.partition("#")
        if address.partition("|")[0] != self._canonical or "." not in path:
            return None
        return tuple(path.split(".")[1:])

    def _open(
        self, path: tuple[str, ...], kind: Kind, resource: dict[str, Any], own: Opened
    ) -> None:
        """Begin a new element for an instance of a group, and note it as open."""
        holder = self._holder(path[:-1], kind, resource, own)
        if holder is None:
            return
        within, of = holder
        found = element(of, path[-1])
        if found is None or found.kind is None:
            self._unknown(path)
            return
        made: dict[str, Any] = {}
        own[path] = made
        if found.many:
            within.setdefault(found.name, []).append(made)
        else:
            own[path] = within.setdefault(found.name, made)

    def _holder(
        self, steps: tuple[str, ...], kind: Kind, resource: dict[str, Any], opened: Opened
    ) -> tuple[dict[str, Any], Kind] | None:
        """The object that these steps lead to, made where it is not there; None if unknown."""
        within, of = resource, kind
        for number, step in enumerate(steps):
            found = element(of, step)
            if found is None or found.kind is None or found.kind.primitive:
                self._unknown(steps)
                return None
            key = steps[: number + 1]
            if found.many:
                if key not in opened:
                    opened[key] = {}
                    within.setdefault(found.name, []).append(opened[key])
                within = opened[key]
            else:
                within = within.setdefault(found.name, {})
            of = found.kind
        return within, of

    def _clashes(self, leaves: list[tuple[str, ...]], kind: Kind, beside: Opened) -> bool:
        """Whether one of these elements is said already in what siblings opened."""
        for steps in leaves:
            holder = beside.get(steps[:-1])
            if holder is None:
                continue
            of = kind
            for step in steps[:-1]:
                found = element(of, step)
                of = found.kind if found is not None and found.kind is not None else of
            last = element(of, steps[-1])
            if last is not None and not last.many and last.name in holder:
                return True
        return False

    def _answer(
        self,
        answer: Any,
        path: tuple[str, ...],
        kind: Kind,
        resource: dict[str, Any],
        opened: Opened,
    ) -> None:
        found = choice(answer.value, "value")
        if found is not None:
            type_, value = found
            self._put(path, type_, value, kind, resource, opened)

    def _defined(
        self,
        one: DefinedValue,
        steps: tuple[str, ...],
        visit: Visit,
        kind: Kind,
        resource: dict[str, Any],
        opened: Opened,
    ) -> None:
        if one.formula is None:
            if isinstance(one.fixed, Mapping):
                name = next((key for key in one.fixed if key.startswith("value")), None)
                if name is not None:
                    type_ = name[5:]
                    self._put(steps, type_, one.fixed[name], kind, resource, opened)
            return
        for item in self._walk.values(one.formula, visit.frame):
            self._put(steps, type_of(item)[1], to_json(item), kind, resource, opened)

    def _put(
        self,
        path: tuple[str, ...],
        type_: str,
        value: Any,
        kind: Kind,
        resource: dict[str, Any],
        opened: Opened,
    ) -> None:
        """Set the element that a path leads to."""
        holder = self._holder(path[:-1], kind, resource, opened)
        if holder is None:
            return
        within, of = holder
        found = element(of, path[-1])
        if found is None:
            self._unknown(path)
            return
        name, into = _typed(found, type_, value)
        if into is None:
            says = f"{'.'.join(path)} takes no value of type {type_}."
            self._drafts.tell("extract-type", "value", says)
            return
        fitted = fitted_to(into, value)
        if not found.many:
            within[name] = fitted
            return
        listed = within.setdefault(name, [])
        if isinstance(fitted, dict) and path in opened and opened[path] in listed:
            opened[path].update(fitted)
        else:
            listed.append(fitted)
            if isinstance(fitted, dict):
                opened[path] = fitted

    def _unknown(self, path: tuple[str, ...]) -> None:
        says = f"R4 has no element {'.'.join(path)[:120]} here."
        self._drafts.tell("extract-definition", "not-found", says)


def _typed(found: Element, type_: str, value: Any) -> tuple[str, Kind | None]:
    """The JSON name and type of an element for this value; no type where it takes none such."""
    if found.choice is None:
        return found.name, found.kind
    for name in _names(type_, value):
        chosen = _of_choice(found.choice, found.name, name)
        if chosen is not None:
            return chosen
    return found.name, None


def _names(type_: str, value: Any) -> list[str]:
    """The types that a value may be put in as, the nearest first."""
    near = {
        "coding": ["CodeableConcept"],
        "integer": ["integer", "decimal", "Quantity"],
        "decimal": ["decimal", "Quantity"],
        "date": ["date", "dateTime"],
        "string": _OF_TEXT if not isinstance(value, str) or not value[:4].isdigit() else _OF_DATES,
        "uri": ["uri", "string"],
    }
    own = type_[:1].lower() + type_[1:]
    return [type_, own, *near.get(own, [])]


_OF_TEXT: Final = ["string", "markdown", "CodeableConcept", "Reference"]
_OF_DATES: Final = ["dateTime", "date", "instant", *_OF_TEXT]


def _of_choice(found: Choice, stem: str, type_: str) -> tuple[str, Kind] | None:
    name = stem + type_[:1].upper() + type_[1:]
    return (name, found[name]) if name in found and type_ in kinds() else None


def _link_id(visit: Visit) -> str | None:
    return None if visit.place.item is None else visit.place.item.link_id
