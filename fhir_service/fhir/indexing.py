"""The search values of a resource, read out of its body.

http://hl7.org/fhir/R4/search.html
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from fhir_service.fhir.dates import span
from fhir_service.fhir.search_parameters import (
    CANONICAL_TYPES,
    SearchParameter,
    parameters_of,
    without_column,
)

NEVER: Final = -(2**62)
"""The date of what has none: before every other, so it comes last where the newest is first."""


@dataclass(frozen=True, slots=True)
class Value:
    """One value of one parameter.

    ``text`` is the code, reference, uri, or the string without case and accents; ``exact`` is the
    string as written. ``low`` and ``high`` are a date's range in microseconds.
    """

    parameter: str
    text: str = ""
    system: str = ""
    exact: str | None = None
    low: int = NEVER
    high: int = NEVER


@dataclass(frozen=True, slots=True)
class Entry:
    """What a resource is found by.

    ``canonical`` and ``version`` are its own url and version; of a response those of its form.
    ``low`` and ``high`` are its date (of a response: authored), NEVER where it has none.
    """

    canonical: str | None = None
    version: str | None = None
    status: str | None = None
    low: int = NEVER
    high: int = NEVER
    values: tuple[Value, ...] = ()


class _Reference(msgspec.Struct, frozen=True):
    reference: str | None = None


class _Identifier(msgspec.Struct, frozen=True):
    system: str | None = None
    value: str | None = None


class _Response(msgspec.Struct, frozen=True):
    """The few members of a QuestionnaireResponse that it is found by; the rest is skipped over."""

    questionnaire: str | None = None
    status: str | None = None
    authored: str | None = None
    author: _Reference | None = None
    source: _Reference | None = None
    identifier: _Identifier | None = None
    encounter: _Reference | None = None
    basedOn: tuple[_Reference, ...] = ()  # noqa: N815  FHIR's name
    partOf: tuple[_Reference, ...] = ()  # noqa: N815  FHIR's name


_response = msgspec.json.Decoder(_Response)


def entry(resource_type: str, body: bytes) -> Entry:
    """The search values of this body. Raises ValueError when it is not JSON of this type."""
    if resource_type == "QuestionnaireResponse":
        return _entry_of_response(_response.decode(body))
    resource = msgspec.json.decode(body)
    if not isinstance(resource, dict):
        raise ValueError("a resource is a JSON object")  # noqa: TRY004  one error for bad bodies
    values = tuple(
        value
        for parameter in without_column(resource_type)
        for value in dict.fromkeys(values_of(resource, parameter))
    )
    canonical = resource_type in CANONICAL_TYPES or resource_type == "Task"
    status = resource.get("status")
    low, high = _dated(_date_of(resource_type, resource))
    url, version = resource.get("url"), resource.get("version")
    if resource_type == "Task":
        url, version = _form_of_task(resource)
    return Entry(
        canonical=url if canonical else None,
        version=version if canonical else None,
        status=status if isinstance(status, str) else None,
        low=low,
        high=high,
        values=values,
    )


def _date_of(resource_type: str, resource: Mapping[str, Any]) -> object:
    """The date that has a column, if a type has one."""
    for parameter in parameters_of(resource_type):
        if parameter.column == "date":
            return resource.get(parameter.paths[0])
    return None


def plain(text: str) -> str:
    """A string without case and accents, as searches compare it.

    http://hl7.org/fhir/R4/search.html#string
    """
    apart = unicodedata.normalize("NFKD", text.casefold())
    return "".join(sign for sign in apart if not unicodedata.combining(sign)).casefold()


def searchable(text: str) -> str:
    """The text without what a database can not hold in a text: NUL and lone surrogates."""
    return text.replace("\0", "").encode("utf-8", "ignore").decode()


def local(reference: str) -> str:
    """A reference without the version it may name."""
    return reference.split("/_history/", maxsplit=1)[0]


def _form_of_task(task: Mapping[str, Any]) -> tuple[str | None, str]:
    """Url and version of the form that a Task asks for: its first input that is a canonical."""
    forms = [one["valueCanonical"] for one in task.get("input", ()) if "valueCanonical" in one]
    url, _, version = (forms[0] if forms else "").partition("#")[0].partition("|")
    return searchable(url) or None, searchable(version)


def _entry_of_response(response: _Response) -> Entry:
    url, _, version = (response.questionnaire or "").partition("#")[0].partition("|")
    low, high = _dated(response.authored)
    values = []
    if response.identifier is not None and response.identifier.value:
        values.append(
            Value(
                "identifier",
                searchable(response.identifier.value),
                searchable(response.identifier.system or ""),
            )
        )
    for name, reference in _references(response):
        if reference is not None and reference.reference:
            values.append(Value(name, searchable(local(reference.reference))))
    return Entry(
        url or None, version or None, response.status, low, high, tuple(dict.fromkeys(values))
    )


def _references(response: _Response) -> Iterator[tuple[str, _Reference | None]]:
    yield "author", response.author
    yield "source", response.source
    yield "encounter", response.encounter
    for based_on in response.basedOn:
        yield "based-on", based_on
    for part_of in response.partOf:
        yield "part-of", part_of


def _dated(text: object) -> tuple[int, int]:
    if not isinstance(text, str):
        return NEVER, NEVER
    try:
        found = span(text)
    except ValueError:  # a rule of its own speaks of dates; what has no date is found without
        return NEVER, NEVER
    return found.low, found.high


def values_of(resource: Mapping[str, Any], parameter: SearchParameter) -> Iterator[Value]:
    """The values of one parameter in a resource, also of one that has a column."""
    for path in parameter.paths:
        for leaf, around in _walk(resource, path.split("."), (resource,)):
            yield from _MAKERS[parameter.kind](parameter, leaf, around)


Around = tuple[Mapping[str, Any], ...]


def _walk(node: Any, path: list[str], around: Around) -> Iterator[tuple[Any, Around]]:
    """Each value at the end of the path, with the objects around it, the nearest last."""
    if not path:
        yield node, around
        return
    if not isinstance(node, Mapping):
        return
    name, rest = path[0].rstrip("*"), path[1:]
    below = node.get(name)
    for member in below if isinstance(below, list) else (below,):
        if member is None:
            continue
        inner = (*around, member) if isinstance(member, Mapping) else around
        yield from _walk(member, rest, inner)
        if path[0].endswith("*"):
            yield from _walk(member, path, inner)


def _tokens(parameter: SearchParameter, leaf: Any, around: Around) -> Iterator[Value]:
    """Tokens of a code, boolean, Coding, CodeableConcept or Identifier."""
    if isinstance(leaf, bool):
        yield Value(parameter.name, "true" if leaf else "false")
    elif isinstance(leaf, str):
        yield Value(parameter.name, searchable(leaf), _system(parameter, around))
    elif isinstance(leaf, Mapping):
        codings = leaf.get("coding", [leaf])
        for coding in codings if isinstance(codings, list) else ():
            code = coding.get("code") or coding.get("value")
            system = coding.get("system") or ""
            if isinstance(code, str) and isinstance(system, str):
                yield Value(parameter.name, searchable(code), searchable(system))


def _system(parameter: SearchParameter, around: Around) -> str:
    if not parameter.system or "://" in parameter.system:
        return parameter.system
    for holder in reversed(around):
        system = holder.get(parameter.system)
        if isinstance(system, str):
            return searchable(system)
    return ""


def _strings(parameter: SearchParameter, leaf: Any, around: Around) -> Iterator[Value]:
    """A string, or the parts of a HumanName."""
    if isinstance(leaf, str):
        exact = searchable(leaf)
        yield Value(parameter.name, plain(exact), exact=exact)
    elif isinstance(leaf, Mapping):
        for part in ("text", "family", "given", "prefix", "suffix"):
            words = leaf.get(part, ())
            for word in words if isinstance(words, list) else [words] if words else ():
                yield from _strings(parameter, word, around)


def _uris(parameter: SearchParameter, leaf: Any, around: Around) -> Iterator[Value]:
    del around
    if isinstance(leaf, str):
        yield Value(parameter.name, searchable(leaf))


def _dates(parameter: SearchParameter, leaf: Any, around: Around) -> Iterator[Value]:
    """A date, or a Period, whose open end reaches as far as time goes."""
    del around
    if isinstance(leaf, Mapping):
        start, end = _dated(leaf.get("start")), _dated(leaf.get("end"))
        found = (start[0], -NEVER if end[1] == NEVER else end[1])
    else:
        found = _dated(leaf)
    if found != (NEVER, NEVER):
        yield Value(parameter.name, low=found[0], high=found[1])


def _references_of(parameter: SearchParameter, leaf: Any, around: Around) -> Iterator[Value]:
    del around
    reference = leaf.get("reference") if isinstance(leaf, Mapping) else leaf
    if isinstance(reference, str):
        yield Value(parameter.name, searchable(local(reference)))


def _pairs(parameter: SearchParameter, leaf: Any, around: Around) -> Iterator[Value]:
    """Each type of a useContext with each of its codes, both with their systems."""
    del around
    value = leaf.get("valueCodeableConcept") if isinstance(leaf, Mapping) else None
    if not isinstance(value, Mapping):
        return
    for of_type in _tokens(parameter, leaf.get("code"), ()):
        for of_value in _tokens(parameter, value, ()):
            yield Value(
                parameter.name,
                f"{of_type.text}${of_value.text}",
                f"{of_type.system} {of_value.system}",
            )


def _nothing(parameter: SearchParameter, leaf: Any, around: Around) -> Iterator[Value]:
    del parameter, leaf, around
    return iter(())


_MAKERS = {
    "token": _tokens,
    "string": _strings,
    "uri": _uris,
    "date": _dates,
    "reference": _references_of,
    "number": _nothing,
    "composite": _pairs,
}
