"""SMART scopes, v2 and v1, read into what they allow.

https://hl7.org/fhir/smart-app-launch/scopes-and-launch-context.html
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from fhir_service.fhir.issues import NotUnderstood

Level = Literal["patient", "user", "system"]
Letter = Literal["c", "r", "u", "d", "s"]

_SCOPE = re.compile(r"(patient|user|system)/([A-Z][A-Za-z]*|\*)\.([a-z*]+)(\?.+)?")
_V2 = re.compile(r"c?r?u?d?s?")
_V1 = {"read": "rs", "write": "cud", "*": "cruds"}
_NOT_RESOURCES = re.compile(
    r"openid|fhirUser|profile|offline_access|online_access|launch(/[a-z]+)?"
)


@dataclass(frozen=True, slots=True)
class Scope:
    """One resource scope: at this level, on this type ("*": all), these letters of ``cruds``."""

    level: Level
    resource_type: str
    letters: frozenset[str]

    def covers(self, resource_type: str, letter: Letter) -> bool:
        """Whether it allows this interaction on this type."""
        return letter in self.letters and self.resource_type in ("*", resource_type)


def read_scopes(text: str) -> tuple[Scope, ...]:
    """The resource scopes of a space-separated list; those that name no resource are passed over.

    v1's ``read``, ``write`` and ``*`` are read as ``rs``, ``cud`` and ``cruds``. Raises
    NotUnderstood for what is no scope, and for granular scopes (``?category=…``): they are not
    enforced here yet, and a limit that is not kept must not be granted.
    """
    found = []
    for word in text.split():
        if _NOT_RESOURCES.fullmatch(word):
            continue
        match = _SCOPE.fullmatch(word)
        letters = _letters(match[3]) if match else ""
        if not match or not letters:
            raise NotUnderstood(
                f"“{word}” is no scope. Write for example "
                "system/QuestionnaireResponse.cruds or patient/*.rs."
            )
        if match[4]:
            raise NotUnderstood(
                f"“{word}”: scopes with a query are not supported; leave out what follows the “?”."
            )
        level: Level = match[1]  # type: ignore[assignment]  # the pattern allows just these three
        found.append(Scope(level, match[2], frozenset(letters)))
    if not found:
        raise NotUnderstood(
            "No scope names a resource; write for example system/Questionnaire.cruds."
        )
    return tuple(found)


def _letters(text: str) -> str:
    if text in _V1:
        return _V1[text]
    return text if _V2.fullmatch(text) else ""
