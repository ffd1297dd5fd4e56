"""What the rules ask of value sets, answered out of value sets and code systems that can be found.

http://hl7.org/fhir/R4/terminology-service.html
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final, Protocol

from fhir_service.fhir.code_checks import displays
from fhir_service.fhir.issues import NotValid
from fhir_service.fhir.terminology import Json, Sources
from fhir_service.fhir.value_sets import Composer, parts
from fhir_service.sdc.validation.context import About, Elsewhere

Ask = Callable[[str, str, str], bool | None]
"""Whether a value set (canonical) has, of this system, this code; None: there is no answer."""

# Neither is likely to be words that a person wrote: those are no code of a published system.
_SYSTEM: Final = re.compile(r"(https?://|urn:(oid|uuid):)[^\s?#|@]{1,255}")
_CODE: Final = re.compile(r"[!-~]{1,64}")


class Terminology(Protocol):
    """A terminology server elsewhere, that the clinic chose."""

    def for_one_check(self) -> Ask:
        """What asks it, for the length of one check; its time is bounded."""


class FoundCodes:
    """Answers what ``validate`` asks as Codes, for the length of one check."""

    def __init__(self, sources: Sources, terminology: Terminology | None = None) -> None:
        self._composer = Composer(sources)
        self._ask = None if terminology is None else terminology.for_one_check()

    def has(self, value_set: str, coding: Json, within: Json) -> bool | None:
        """Whether the Coding may be chosen from this value set; None when it can not be told.

        ``value_set`` is a canonical, or ``#id`` of one that the resource ``within`` contains.
        """
        found = self._composer.sources.value_set(value_set, within)
        return None if found is None else self._composer.choosable(found, coding)

    def elsewhere(self, value_set: str, coding: Json) -> Elsewhere:
        """What the terminology server says; nothing but canonical, system and code goes there."""
        system, code = coding.get("system"), coding.get("code")
        if self._ask is None or not isinstance(system, str) or not isinstance(code, str):
            return "not-asked"
        if not _SYSTEM.match(value_set) or not _SYSTEM.fullmatch(system):
            return "not-asked"
        if not _CODE.fullmatch(code):
            return "not-asked"
        told = self._ask(value_set, system, code)
        return "silent" if told is None else "member" if told else "not-member"

    def lists(self, value_set: str, code: str, within: Json) -> bool | None:
        """Whether one of its codes, of whatever system, is this one; None: can not be told."""
        found = self._composer.sources.value_set(value_set, within)
        if found is None:
            return None
        try:
            members = self._composer.members(found)
        except NotValid:
            return None
        return any(known == code for _, known in members)

    def about(self, value_set: str, coding: Json, within: Json) -> About | None:
        """What is known of the Coding in this value set; None for a value set not known here."""
        found = self._composer.sources.value_set(value_set, within)
        if found is None:
            return None
        system, code = coding.get("system"), coding.get("code")
        if not isinstance(system, str) or not isinstance(code, str):
            return About(found)
        concept = self._composer.concept(found, system, code)
        return About(
            found,
            version=_version(found, system),
            inactive=concept is not None and concept.inactive,
            abstract=concept is not None and concept.abstract,
            displays=displays(found, coding, self._composer),
        )


def _version(value_set: Json, system: str) -> str | None:
    """The version of the system that the value set asks for."""
    compose: Any = value_set.get("compose")
    for part in parts(compose, "include") if isinstance(compose, Mapping) else ():
        if part.get("system") == system and isinstance(part.get("version"), str):
            return str(part["version"])
    return None
