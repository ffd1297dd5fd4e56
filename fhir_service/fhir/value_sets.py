"""What a ValueSet is made of: the members of its compose, and whether one code is among them.

Whatever can not be computed whole is refused; a list that stops half-way is never given.

http://hl7.org/fhir/R4/valueset.html#compositions
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from fhir_service.fhir.code_systems import CodeSystem, Concept
from fhir_service.fhir.issues import NotValid
from fhir_service.fhir.terminology import Find, Json, Sources
from fhir_service.fhir.value_set_filters import Selects, cannot, selector

MOST_MEMBERS = 50_000
_DEEPEST_IMPORT = 20


@dataclass(frozen=True, slots=True)
class Member:
    """One code of a value set.

    ``concept`` is what the stored code system says of it, None where that is not known;
    ``listed`` is what the value set itself says (display, designation, extension), in the
    ``language`` of the value set.
    """

    system: str
    code: str
    version: str | None = None
    concept: Concept | None = None
    system_language: str | None = None
    listed: Json = field(default_factory=dict)
    language: str | None = None

    @property
    def inactive(self) -> bool:
        """Whether it is known to be out of use."""
        return self.concept is not None and self.concept.inactive

    @property
    def abstract(self) -> bool:
        """Whether it only groups others and is not chosen."""
        return self.concept is not None and self.concept.abstract


Members = dict[tuple[str, str], Member]


class Composer:
    """Computes value sets out of these sources; remembers as long as it lives, one request.

    ``unknown_codes`` are the codes (``system#code``) that a value set lists and a complete code
    system does not have; they are no members.
    """

    def __init__(self, sources: Sources) -> None:
        self.sources = sources
        self.unknown_codes: list[str] = []
        self._members: dict[int, tuple[Json, Members]] = {}
        self._told: dict[tuple[int, str, str], tuple[Json, bool | None]] = {}
        self._open: list[int] = []

    def members(self, value_set: Json) -> Members:
        """All members in the order of the definition, by system and code.

        Raises NotValid where it can not be computed: ``not-supported`` for a system or value set
        that is not stored or not complete, a filter that is not known; ``too-costly`` when too
        large; circular imports too.
        """
        known = self._members.get(id(value_set))
        if known is not None:
            return known[1]
        self._enter(value_set)
        try:
            made = self._compose(value_set)
        finally:
            self._open.pop()
        self._members[id(value_set)] = (value_set, made)
        return made

    def has(self, value_set: Json, system: str, code: str) -> bool | None:
        """Whether the code is a member; None when it can not be told.

        Raises NotValid for circular imports alone.
        """
        key = (id(value_set), system, code)
        if key not in self._told:
            self._told[key] = (value_set, self._has(value_set, system, code))
        return self._told[key][1]

    def choosable(self, value_set: Json, coding: Json) -> bool | None:
        """Whether the Coding is a member that may be chosen; None when it can not be told.

        A Coding without system or code is of no value set; an abstract code may not be chosen.
        """
        system, code = coding.get("system"), coding.get("code")
        if not isinstance(system, str) or not isinstance(code, str):
            return False
        try:
            told = self.has(value_set, system, code)
        except NotValid:
            return None
        concept = self.concept(value_set, system, code) if told else None
        return False if concept is not None and concept.abstract else told

    def concept(self, value_set: Json, system: str, code: str) -> Concept | None:
        """What the code system says of this code; None when it is not known."""
        known = self.sources.code_system(system, None, value_set)
        return known.concept(code) if known else None

    def _has(self, value_set: Json, system: str, code: str) -> bool | None:
        compose = value_set.get("compose")
        if not isinstance(compose, Mapping):
            return self._has_by_members(value_set, system, code)
        self._enter(value_set)
        try:
            inside = _any(
                self._part_has(value_set, part, system, code) for part in parts(compose, "include")
            )
            outside = _any(
                self._part_has(value_set, part, system, code, excluding=True)
                for part in parts(compose, "exclude")
            )
        finally:
            self._open.pop()
        if inside and compose.get("inactive") is False:
            concept = self.concept(value_set, system, code)
            inside = not (concept and concept.inactive)
        return _both(inside, None if outside is None else not outside)

    def _enter(self, value_set: Json) -> None:
        name = value_set.get("url") or value_set.get("id") or "given"
        if id(value_set) in self._open or len(self._open) >= _DEEPEST_IMPORT:
            raise cannot(
                f"The value set {name} is made of itself, or of too many layers.",
                "value-set-circular",
                "processing",
            )
        self._open.append(id(value_set))

    def _compose(self, value_set: Json) -> Members:
        compose = value_set.get("compose")
        if not isinstance(compose, Mapping):
            return _from_expansion(value_set)
        made: Members = {}
        for part in parts(compose, "include"):
            for key, member in self._part_members(value_set, part).items():
                made.setdefault(key, member)
            if len(made) > MOST_MEMBERS:
                raise cannot(
                    f"The value set has more than {MOST_MEMBERS} codes.",
                    "expansion-too-costly",
                    "too-costly",
                )
        for part in parts(compose, "exclude"):
            made = {
                key: member
                for key, member in made.items()
                if not self._must_tell(value_set, part, key, excluding=True)
            }
        if compose.get("inactive") is False:
            made = {key: member for key, member in made.items() if not member.inactive}
        return made

    def _part_members(self, value_set: Json, part: Json) -> Members:
        imported = list(part.get("valueSet", ()))
        if "system" in part:
            made = self._system_members(value_set, part)
        elif imported:
            made = self.members(self._must_find(imported.pop(0), value_set))
        else:
            raise cannot("A part of the value set names no system and no value set.")
        if not imported:
            return made
        rest = {"valueSet": imported}
        return {k: m for k, m in made.items() if self._must_tell(value_set, rest, k)}

    def _system_members(self, value_set: Json, part: Json) -> Members:
        url, version = part["system"], part.get("version")
        system = self.sources.code_system(url, version, value_set)
        if "concept" in part:
            chosen = self._listed(part, system)
        elif system is None or not system.complete:
            raise _unknown_system(url, system)
        else:
            selects = [selector(one, system) for one in part.get("filter", ())]
            chosen = [
                (concept.code, concept, {})
                for concept in system.concepts.values()
                if all(ask(concept) for ask in selects)
            ]
        return {
            (url, code): Member(
                system=url,
                code=code,
                version=version or (system.version if system else None),
                concept=concept,
                system_language=system.language if system else None,
                listed=listed,
                language=value_set.get("language"),
            )
            for code, concept, listed in chosen
        }

    def _listed(
        self, part: Json, system: CodeSystem | None
    ) -> list[tuple[str, Concept | None, Json]]:
        """The enumerated codes, but for those that a complete code system does not have."""
        chosen: list[tuple[str, Concept | None, Json]] = []
        for one in part["concept"]:
            concept = system.concept(one["code"]) if system else None
            if concept is None and system is not None and system.complete:
                self.unknown_codes.append(f"{system.url}#{one['code']}")
            else:
                chosen.append((concept.code if concept else one["code"], concept, one))
        return chosen

    def _must_tell(
        self, value_set: Json, part: Json, key: tuple[str, str], excluding: bool = False
    ) -> bool:
        told = self._part_has(value_set, part, *key, excluding=excluding)
        if told is None:
            raise _unknown_system(part.get("system", key[0]), None)
        return told

    def _must_find(self, canonical: str, within: Json) -> Json:
        found = self.sources.value_set(canonical, within)
        if found is None:
            raise cannot(
                f"The value set {canonical} is not stored here.", "value-set-unknown", "not-found"
            )
        return found

    def _part_has(
        self, value_set: Json, part: Json, system: str, code: str, excluding: bool = False
    ) -> bool | None:
        told: bool | None = True
        if "system" in part:
            told = self._system_has(value_set, part, system, code, excluding)
        for canonical in part.get("valueSet", ()):
            if told is False:
                break
            imported = self.sources.value_set(canonical, value_set)
            told = _both(told, None if imported is None else self.has(imported, system, code))
        return told

    def _system_has(
        self, value_set: Json, part: Json, url: str, code: str, excluding: bool
    ) -> bool | None:
        if url != part["system"]:
            return False
        system = self.sources.code_system(url, part.get("version"), value_set)
        concept = system.concept(code) if system else None
        if "concept" in part:
            return _among(part["concept"], code, concept, system)
        if excluding and "filter" not in part:
            return True  # the whole system is excluded, whatever it holds
        if system is None or not system.complete:
            return None
        return concept is not None and _selected(part, system, concept)

    def _has_by_members(self, value_set: Json, system: str, code: str) -> bool | None:
        try:
            return (system, code) in self.members(value_set)
        except NotValid:
            return None


def member(value_set: Json, coding: Json, find: Find) -> bool | None:
    """Whether the Coding is a code of this value set that may be chosen; None: can not be told.

    For many questions in a row keep a Composer and ask its ``choosable``.
    """
    return Composer(Sources(find)).choosable(value_set, coding)


def parts(compose: Json, name: str) -> list[Json]:
    """The parts of a compose: ``include`` or ``exclude``."""
    given = compose.get(name)
    return [one for one in given if isinstance(one, Mapping)] if isinstance(given, list) else []


def _among(
    listed: Iterable[Json], code: str, concept: Concept | None, system: CodeSystem | None
) -> bool:
    if system is not None and system.complete and concept is None:
        return False
    wanted = {code, concept.code} if concept else {code}
    if any(one.get("code") in wanted for one in listed):
        return True
    if system is None or system.case_sensitive:
        return False
    return any(str(one.get("code")).casefold() == code.casefold() for one in listed)


def _selected(part: Json, system: CodeSystem, concept: Concept) -> bool | None:
    try:
        asks: list[Selects] = [selector(one, system) for one in part.get("filter", ())]
    except NotValid:
        return None
    return all(ask(concept) for ask in asks)


def _from_expansion(value_set: Json) -> Members:
    """The members of a value set that comes with its expansion alone, when that is whole."""
    name = value_set.get("url") or value_set.get("id") or "given"
    expansion = value_set.get("expansion")
    if not isinstance(expansion, Mapping):
        raise cannot(f"The value set {name} has no definition.", "value-set-undefined")
    made: Members = {}
    todo = list(reversed(expansion.get("contains", ())))
    while todo:
        one = todo.pop()
        todo.extend(reversed(one.get("contains", ())))
        if isinstance(one.get("system"), str) and isinstance(one.get("code"), str):
            made[(one["system"], one["code"])] = Member(
                one["system"], one["code"], one.get("version"), listed=one
            )
    if expansion.get("offset") or expansion.get("total", len(made)) != len(made):
        raise cannot(f"The expansion of {name} is a part of the whole.", "value-set-undefined")
    return made


def _unknown_system(url: str, system: CodeSystem | None) -> NotValid:
    why = "is not stored here" if system is None else "is stored here in part only"
    return cannot(f"The code system {url} {why}.", "code-system-unknown")


def _both(one: bool | None, other: bool | None) -> bool | None:
    """Both hold; False wins over not known."""
    if one is False or other is False:
        return False
    return None if one is None or other is None else True


def _any(told: Iterable[bool | None]) -> bool | None:
    """One holds; True wins over not known."""
    unknown = False
    for one in told:
        if one:
            return True
        unknown = unknown or one is None
    return None if unknown else False
