"""A CodeSystem read once: its concepts in a flat order, with parents, designations and properties.

http://hl7.org/fhir/R4/codesystem.html
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

PROPERTIES = "http://hl7.org/fhir/concept-properties#"
"""Properties that mean the same in every code system: http://hl7.org/fhir/R4/codesystem-concept-properties.html"""

_DEFINED = ("inactive", "notSelectable", "parent", "child", "status")


@dataclass(frozen=True, slots=True)
class Concept:
    """One concept. ``raw`` is its JSON; ``parents`` are codes, by nesting and by property.

    ``abstract`` concepts group others and are not chosen; ``inactive`` ones are out of use.
    """

    code: str
    display: str | None
    raw: Mapping[str, Any]
    parents: tuple[str, ...] = ()
    abstract: bool = False
    inactive: bool = False

    def designations(self) -> Sequence[Mapping[str, Any]]:
        """Its other names, as written."""
        return _dictionaries(self.raw.get("designation"))

    def properties(self) -> Sequence[Mapping[str, Any]]:
        """Its properties, as written."""
        return _dictionaries(self.raw.get("property"))


@dataclass(frozen=True, slots=True)
class CodeSystem:
    """A code system. ``concepts`` by code, in the order of the resource, parents before children.

    ``complete`` is whether every code that there is stands here (content ``complete``); of any
    other content nothing can be said of a code that is not found.
    ``property_codes`` are the properties that it declares, by code, each with its uri or "".
    """

    url: str
    version: str | None
    name: str
    language: str | None
    complete: bool
    case_sensitive: bool
    hierarchy: str | None
    concepts: Mapping[str, Concept]
    property_codes: Mapping[str, str]
    children: Mapping[str, tuple[str, ...]]

    def concept(self, code: str) -> Concept | None:
        """The concept with this code, letters compared as the code system says."""
        found = self.concepts.get(code)
        if found is None and not self.case_sensitive:
            folded = code.casefold()
            found = next((c for c in self.concepts.values() if c.code.casefold() == folded), None)
        return found

    def under(self, code: str) -> frozenset[str]:
        """The codes below this one, itself left out; a circle in the hierarchy ends."""
        return _reach(code, lambda at: self.children.get(at, ()))

    def over(self, code: str) -> frozenset[str]:
        """The codes above this one, itself left out."""
        return _reach(code, self._parents)

    def _parents(self, code: str) -> tuple[str, ...]:
        return self.concepts[code].parents if code in self.concepts else ()


def read_code_system(resource: Mapping[str, Any]) -> CodeSystem:
    """The CodeSystem (R4 JSON as a dictionary) read once. Concepts without a code are passed over.

    The first of two concepts with the same code counts.
    """
    declared = {
        one["code"]: str(one.get("uri", ""))
        for one in _dictionaries(resource.get("property"))
        if isinstance(one.get("code"), str)
    }
    meaning = {code: _meaning(code, declared) for code in [*declared, *_DEFINED]}
    found: dict[str, Concept] = {}
    below: dict[str, list[str]] = {}
    for raw, parent in _walk(resource):
        code = raw["code"]
        if code in found:
            continue
        parents = tuple(
            dict.fromkeys([*([parent] if parent else []), *_codes(raw, meaning, "parent")])
        )
        found[code] = Concept(
            code=code,
            display=raw.get("display"),
            raw=raw,
            parents=parents,
            abstract=_is_true(raw, meaning, "notSelectable"),
            inactive=_is_inactive(raw, meaning),
        )
        for over in parents:
            below.setdefault(over, []).append(code)
        for child in _codes(raw, meaning, "child"):
            below.setdefault(code, []).append(child)
    return CodeSystem(
        url=str(resource.get("url", "")),
        version=resource.get("version"),
        name=str(resource.get("name") or resource.get("title") or resource.get("url", "")),
        language=resource.get("language"),
        complete=resource.get("content") == "complete",
        case_sensitive=resource.get("caseSensitive") is not False,
        hierarchy=resource.get("hierarchyMeaning"),
        concepts=_with_children_as_parents(found, below),
        property_codes=declared,
        children={code: tuple(dict.fromkeys(codes)) for code, codes in below.items()},
    )


def values(concept: Concept, property_code: str) -> list[Any]:
    """The values of one of its properties, as JSON has them; a Coding as its dictionary."""
    return [_value(one) for one in concept.properties() if one.get("code") == property_code]


def _walk(resource: Mapping[str, Any]) -> Iterator[tuple[Mapping[str, Any], str | None]]:
    """Each concept with its parent's code, in the order of the page; without recursion."""
    todo: list[tuple[Mapping[str, Any], str | None]] = [
        (one, None) for one in reversed(_dictionaries(resource.get("concept")))
    ]
    while todo:
        raw, parent = todo.pop()
        code = raw.get("code")
        here = code if isinstance(code, str) and code else parent
        if isinstance(code, str) and code:
            yield raw, parent
        todo.extend((one, here) for one in reversed(_dictionaries(raw.get("concept"))))


def _meaning(code: str, declared: Mapping[str, str]) -> str:
    uri = declared.get(code, "")
    return uri.removeprefix(PROPERTIES) if uri.startswith(PROPERTIES) else code


def _codes(raw: Mapping[str, Any], meaning: Mapping[str, str], wanted: str) -> list[str]:
    return [value for value in _meant(raw, meaning, wanted) if isinstance(value, str)]


def _is_true(raw: Mapping[str, Any], meaning: Mapping[str, str], wanted: str) -> bool:
    return any(value is True for value in _meant(raw, meaning, wanted))


def _is_inactive(raw: Mapping[str, Any], meaning: Mapping[str, str]) -> bool:
    return _is_true(raw, meaning, "inactive") or any(
        value in {"retired", "inactive"} for value in _codes(raw, meaning, "status")
    )


def _meant(raw: Mapping[str, Any], meaning: Mapping[str, str], wanted: str) -> list[Any]:
    return [
        _value(one)
        for one in _dictionaries(raw.get("property"))
        if meaning.get(str(one.get("code"))) == wanted
    ]


def _value(one: Mapping[str, Any]) -> Any:
    return next((value for key, value in one.items() if key.startswith("value")), None)


def _with_children_as_parents(
    found: dict[str, Concept], below: Mapping[str, Sequence[str]]
) -> Mapping[str, Concept]:
    """A ``child`` property says the same as the child's ``parent``: both ways lead up."""
    more: dict[str, list[str]] = {}
    for code, children in below.items():
        for child in children:
            if child in found and code not in found[child].parents:
                more.setdefault(child, []).append(code)
    return {
        code: concept
        if code not in more
        else Concept(
            code=code,
            display=concept.display,
            raw=concept.raw,
            parents=(*concept.parents, *more[code]),
            abstract=concept.abstract,
            inactive=concept.inactive,
        )
        for code, concept in found.items()
    }


def _reach(start: str, following: Callable[[str], Iterable[str]]) -> frozenset[str]:
    seen: set[str] = set()
    todo = list(following(start))
    while todo:
        at = todo.pop()
        if at not in seen:
            seen.add(at)
            todo.extend(following(at))
    return frozenset(seen - {start})


def _dictionaries(value: Any) -> list[Mapping[str, Any]]:
    if not isinstance(value, list):
        return []
    return [one for one in value if isinstance(one, Mapping)]
