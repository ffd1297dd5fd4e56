"""SMART scopes, v2 and v1, read into what they allow.

https://hl7.org/fhir/smart-app-launch/scopes-and-launch-context.html
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final, Literal
from urllib.parse import parse_qsl, urlencode

from fhir_service.fhir.issues import NotUnderstood
from fhir_service.fhir.narrowing import Query
from fhir_service.fhir.search_parameters import parameter_of
from fhir_service.fhir.searching import alternatives, token_parts

Level = Literal["patient", "user", "system"]
Letter = Literal["c", "r", "u", "d", "s"]

LONGEST: Final = 4_000
MOST: Final = 100
"""How long a list of scopes may be, in signs and in words."""

_SCOPE = re.compile(r"(patient|user|system)/([A-Z][A-Za-z]*|\*)\.([a-z*]+)(?:\?(.+))?")
_V2 = re.compile(r"c?r?u?d?s?")
_V1 = {"read": "rs", "write": "cud", "*": "cruds"}
_NOT_RESOURCES = re.compile(
    r"openid|fhirUser|profile|offline_access|online_access|launch(/[a-z]+)?"
)
_PRINTABLE = re.compile(r"[\x21\x23-\x5B\x5D-\x7E]+")
"""What a scope is made of. https://www.rfc-editor.org/rfc/rfc6749#section-3.3"""

SIGNING_IN: Final = frozenset({"openid", "fhirUser", "profile"})
STAYING: Final = frozenset({"offline_access", "online_access"})
LAUNCHING: Final = frozenset({"launch", "launch/patient", "launch/encounter"})


@dataclass(frozen=True, slots=True)
class Scope:
    """One resource scope: at this level, on this type ("*": all), these letters of ``cruds``.

    ``query`` narrows it to the resources that this search finds; empty: to none in particular.
    """

    level: Level
    resource_type: str
    letters: frozenset[str]
    query: Query = ()

    def covers(self, resource_type: str, letter: Letter) -> bool:
        """Whether it allows this interaction on this type."""
        return letter in self.letters and self.resource_type in ("*", resource_type)

    def spelled(self) -> str:
        """The scope as v2 spells it."""
        letters = "".join(letter for letter in "cruds" if letter in self.letters)
        narrowed = f"?{urlencode(self.query, safe='|:/')}" if self.query else ""
        return f"{self.level}/{self.resource_type}.{letters}{narrowed}"


def read_scopes(text: str) -> tuple[Scope, ...]:
    """The resource scopes of a space-separated list; those that name no resource are passed over.

    v1's ``read``, ``write`` and ``*`` are read as ``rs``, ``cud`` and ``cruds``. Raises
    NotUnderstood for what is no scope, and for a query that could not be kept: a limit that is
    not kept must not be granted.
    """
    found = tuple(
        read_scope(word) for word in scope_words(text) if not _NOT_RESOURCES.fullmatch(word)
    )
    if not found:
        raise NotUnderstood(
            "No scope names a resource; write for example system/Questionnaire.cruds."
        )
    _must_be_kept_together(found)
    return found


def scope_words(text: str) -> tuple[str, ...]:
    """The words of a list of scopes, each once. Raises NotUnderstood for one that is too long."""
    words = tuple(dict.fromkeys(text.split(" "))) if text else ()
    words = tuple(word for word in words if word)
    if len(text) > LONGEST or len(words) > MOST:
        raise NotUnderstood(f"At most {MOST} scopes of {LONGEST} signs together are read.")
    if not all(_PRINTABLE.fullmatch(word) for word in words):
        raise NotUnderstood("Scopes are printable ASCII, with one space between them.")
    return words


def names_resource(word: str) -> bool:
    """Whether this word is meant as a resource scope, and not as openid or launch and the like."""
    return not _NOT_RESOURCES.fullmatch(word)


def read_scope(word: str) -> Scope:
    """One resource scope. Raises NotUnderstood."""
    match = _SCOPE.fullmatch(word)
    letters = _letters(match[3]) if match else ""
    if not match or not letters:
        shown = word if len(word) <= 80 and _PRINTABLE.fullmatch(word) else "This"  # noqa: PLR2004
        raise NotUnderstood(
            f"“{shown}” is no scope. Write for example "
            "system/QuestionnaireResponse.cruds or patient/*.rs."
        )
    level: Level = match[1]  # type: ignore[assignment]  # the pattern allows just these three
    query: Query = ()
    if match[4] is not None:
        query = _query(match[2], match[3], match[4])
    return Scope(level, match[2], frozenset(letters), query)


def _query(resource_type: str, letters: str, text: str) -> Query:
    """The search that a granular scope is narrowed by; only what is enforced on read and search.

    http://hl7.org/fhir/smart-app-launch/scopes-and-launch-context.html#finer-grained-resource-constraints-using-search-parameters
    """
    if not set(letters) <= {"r", "s"}:
        raise NotUnderstood("A scope with a query allows r and s only: Type.rs?parameter=value.")
    try:
        pairs = parse_qsl(text, keep_blank_values=True, strict_parsing=True, max_num_fields=10)
    except ValueError:
        raise NotUnderstood("What follows the “?” of a scope is parameter=value.") from None
    for name, value in pairs:
        parameter = parameter_of(resource_type, name)
        if parameter is None or parameter.kind not in ("token", "reference", "uri"):
            raise NotUnderstood(
                f"A scope on {resource_type} can not be narrowed by that parameter; those of the"
                " kinds token, reference and uri in /fhir/metadata can be, without a modifier."
            )
        values = alternatives(value)
        empty = not values or (
            parameter.kind == "token"
            and any(token_parts(one) in ((None, ""), ("", None)) for one in values)
        )
        if empty:
            raise NotUnderstood("A scope is narrowed by code, system|code, |code or system|.")
    return tuple(pairs)


def _must_be_kept_together(scopes: Iterable[Scope]) -> None:
    """Refuse queries on one type that no single search can keep.

    Several of one parameter are or; several parameters of one scope are and.
    """
    seen: dict[tuple[str, str], list[Query]] = {}
    for scope in scopes:
        if scope.query:
            seen.setdefault((scope.level, scope.resource_type), []).append(scope.query)
    for (_, resource_type), queries in seen.items():
        if len(set(queries)) > 1 and not (
            all(len(query) == 1 for query in queries) and len({q[0][0] for q in queries}) == 1
        ):
            raise NotUnderstood(
                f"The scopes on {resource_type} are narrowed in ways that can not be kept"
                " together; narrow each of them by the same one parameter."
            )


def narrowed_to(scope: Scope, allowed: Scope) -> Scope | None:
    """What both allow, None for nothing. A query of either is kept; two different ones: None."""
    if scope.level != allowed.level:
        return None
    letters = scope.letters & allowed.letters
    types = {scope.resource_type, allowed.resource_type}
    concrete = types - {"*"}
    if not letters or len(concrete) > 1:
        return None
    query = scope.query or allowed.query
    if scope.query and allowed.query and scope.query != allowed.query:
        return None
    if query:
        letters &= {"r", "s"}
    if not letters:
        return None
    resource_type = next(iter(concrete), "*")
    return replace(scope, resource_type=resource_type, letters=letters, query=query)


def is_within(scope: Scope, allowed: Iterable[Scope]) -> bool:
    """Whether a registration allows all of this scope."""
    return any(narrowed_to(scope, one) == scope for one in allowed)


def _letters(text: str) -> str:
    if text in _V1:
        return _V1[text]
    return text if _V2.fullmatch(text) else ""
