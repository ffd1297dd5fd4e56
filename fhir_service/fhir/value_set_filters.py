"""The filters of a ValueSet's compose: which concepts of a code system they select.

http://hl7.org/fhir/R4/valueset.html#compositions,
http://hl7.org/fhir/R4/valueset-filter-operator.html
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from fhir_service.fhir.code_systems import CodeSystem, Concept, values
from fhir_service.fhir.issues import Issue, NotValid

Selects = Callable[[Concept], bool]

_CONCEPT = frozenset({"concept", "code"})
_MOST_REPEATS = 2
_LONGEST_PATTERN = 200


def selector(given: Mapping[str, Any], system: CodeSystem) -> Selects:
    """The filter as a question to one concept of this code system.

    Raises NotValid (``not-supported``) for an operator, a property or a pattern that can not be
    answered, and for subsumption in a hierarchy that is declared to be something else.
    """
    op, of, value = given.get("op"), given.get("property"), given.get("value")
    make = _OPERATORS.get(str(op))
    if make is None or not isinstance(of, str) or not isinstance(value, str):
        raise cannot(f"The filter operator {op!r} is not supported.")
    return make(system, of, value)


def cannot(says: str, key: str = "filter-not-supported", code: str = "not-supported") -> NotValid:
    """The refusal of a value set that can not be computed here."""
    return NotValid(says, Issue(key=key, code=code, says=says))


def _equals(system: CodeSystem, of: str, value: str) -> Selects:
    ask = _asking(system, of)
    return lambda concept: value in ask(concept)


def _in(system: CodeSystem, of: str, value: str) -> Selects:
    ask = _asking(system, of)
    wanted = {one.strip() for one in value.split(",")}
    return lambda concept: not wanted.isdisjoint(ask(concept))


def _not_in(system: CodeSystem, of: str, value: str) -> Selects:
    inside = _in(system, of, value)
    return lambda concept: not inside(concept)


def _exists(system: CodeSystem, of: str, value: str) -> Selects:
    if value not in {"true", "false"}:
        raise cannot(f"The filter 'exists' takes true or false, not {value!r}.")
    ask = _asking(system, of)
    return lambda concept: bool(ask(concept)) is (value == "true")


def _regex(system: CodeSystem, of: str, value: str) -> Selects:
    ask = _asking(system, of)
    pattern = _safe_pattern(value)
    return lambda concept: any(pattern.fullmatch(text) for text in ask(concept))


def _is_a(system: CodeSystem, of: str, value: str) -> Selects:
    known = _subsuming(system, of, value)
    wanted = system.under(known) | {known}
    return lambda concept: concept.code in wanted


def _descendent_of(system: CodeSystem, of: str, value: str) -> Selects:
    wanted = system.under(_subsuming(system, of, value))
    return lambda concept: concept.code in wanted


def _is_not_a(system: CodeSystem, of: str, value: str) -> Selects:
    inside = _is_a(system, of, value)
    return lambda concept: not inside(concept)


def _generalizes(system: CodeSystem, of: str, value: str) -> Selects:
    known = _subsuming(system, of, value)
    wanted = system.over(known) | {known}
    return lambda concept: concept.code in wanted


_OPERATORS: Mapping[str, Callable[[CodeSystem, str, str], Selects]] = {
    "=": _equals,
    "in": _in,
    "not-in": _not_in,
    "exists": _exists,
    "regex": _regex,
    "is-a": _is_a,
    "descendent-of": _descendent_of,
    "is-not-a": _is_not_a,
    "generalizes": _generalizes,
}


def _subsuming(system: CodeSystem, of: str, value: str) -> str:
    """The code that a subsumption filter names, as the code system writes it."""
    if of not in _CONCEPT:
        raise cannot(f"Subsumption is asked of the property {of!r}; it is defined for concepts.")
    if system.hierarchy not in {None, "is-a"}:
        raise cannot(
            f"The hierarchy of {system.url} is {system.hierarchy!r}: it does not say what is a "
            "kind of what."
        )
    known = system.concept(value)
    if known is None:
        raise cannot(f"{system.url} has no code {value!r}, which a filter names.")
    return known.code


def _asking(system: CodeSystem, of: str) -> Callable[[Concept], list[str]]:
    """The values of a property as text; every concept can be asked for it, or this refuses."""
    if of in system.property_codes:
        return lambda concept: [_text(value) for value in values(concept, of)]
    simple: dict[str, Callable[[Concept], list[str]]] = {
        "concept": lambda concept: [concept.code],
        "code": lambda concept: [concept.code],
        "display": lambda concept: [concept.display] if concept.display else [],
        "definition": _definition,
        "parent": lambda concept: list(concept.parents),
        "child": lambda concept: list(system.children.get(concept.code, ())),
        "inactive": lambda concept: [_text(concept.inactive)],
        "notSelectable": lambda concept: [_text(concept.abstract)],
    }
    if of not in simple:
        raise cannot(f"{system.url} has no property {of!r}, which a filter names.")
    return simple[of]


def _definition(concept: Concept) -> list[str]:
    text = concept.raw.get("definition")
    return [text] if isinstance(text, str) else []


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Mapping):
        return str(value.get("code", ""))
    return str(value)


def _safe_pattern(value: str) -> re.Pattern[str]:
    """The pattern, when it can not take long: no groups that repeat, few repetitions.

    An author's pattern runs over every concept; one with nested repetition could run for years.
    """
    repeats = len(re.findall(r"(?<!\\)[*+{]", value))
    if len(value) > _LONGEST_PATTERN or "(" in value.replace("\\(", "") or repeats > _MOST_REPEATS:
        raise cannot(f"The pattern {value!r} is not supported: groups, or too many repetitions.")
    try:
        return re.compile(value)
    except re.error:
        raise cannot(f"The pattern {value!r} can not be read.") from None
