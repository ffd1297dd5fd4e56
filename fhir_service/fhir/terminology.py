"""Where value sets and code systems come from: the store, or what a resource contains itself.

http://hl7.org/fhir/R4/terminology-service.html
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from fhir_service.fhir.code_systems import CodeSystem, read_code_system

Json = Mapping[str, Any]

Find = Callable[[str, str], Json | None]
"""Gives the stored resource of a type with a canonical (``url`` or ``url|version``), or None."""

FindSystem = Callable[[str], CodeSystem | None]
"""Gives the stored code system with a canonical, read; or None."""


class Sources:
    """Looks up value sets and code systems, each once; lives as long as one request."""

    def __init__(self, find: Find, find_system: FindSystem | None = None) -> None:
        self._find = find
        self._find_system = find_system or self._read_system
        self._value_sets: dict[str, Json | None] = {}
        self._contained: dict[tuple[int, str], tuple[Any, Json | None]] = {}
        self._systems: dict[str, CodeSystem | None] = {}

    def value_set(self, canonical: str, within: Json | None = None) -> Json | None:
        """The value set with this canonical; ``#id`` is looked for in what ``within`` contains."""
        if canonical.startswith("#"):
            return self._in(within, canonical[1:])
        if canonical not in self._value_sets:
            self._value_sets[canonical] = self._find("ValueSet", canonical)
        return self._value_sets[canonical]

    def code_system(
        self, url: str, version: str | None = None, within: Json | None = None
    ) -> CodeSystem | None:
        """The code system that ``within`` contains, or that is stored; None when neither."""
        for one in _contained(within):
            if one.get("resourceType") == "CodeSystem" and one.get("url") == url:
                return read_code_system(one)
        canonical = f"{url}|{version}" if version else url
        if canonical not in self._systems:
            self._systems[canonical] = self._find_system(canonical)
        return self._systems[canonical]

    def _read_system(self, canonical: str) -> CodeSystem | None:
        found = self._find("CodeSystem", canonical)
        return None if found is None else read_code_system(found)

    def _in(self, within: Json | None, id_: str) -> Json | None:
        contained = (within or {}).get("contained", ())
        key = (id(contained), id_)
        if key not in self._contained:
            made: Json | None = None
            for one in _contained(within):
                if one.get("resourceType") == "ValueSet" and one.get("id") == id_:
                    # what it refers to by # lies beside it, in the container
                    made = {**one, "contained": contained}
            self._contained[key] = (contained, made)
        return self._contained[key][1]


def _contained(within: Json | None) -> list[Json]:
    given = (within or {}).get("contained")
    return [one for one in given if isinstance(one, Mapping)] if isinstance(given, list) else []
