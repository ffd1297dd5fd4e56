"""Whether a resource is one that a search would find, decided on its body alone.

A granular scope narrows a token to what a search finds; a read must keep to the same.
http://hl7.org/fhir/smart-app-launch/scopes-and-launch-context.html
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import msgspec

from fhir_service.fhir.indexing import Value, local, values_of
from fhir_service.fhir.search_parameters import SearchParameter, parameter_of
from fhir_service.fhir.searching import (
    Criterion,
    Search,
    alternatives,
    token_parts,
    unescaped,
)

Query = tuple[tuple[str, str], ...]


def narrowed(search: Search, only: Sequence[Query]) -> Search:
    """The search, finding only what one of these queries finds too; none of them: as it is.

    Several queries are alternatives of one and the same parameter; scopes that are narrowed
    otherwise are never granted.
    """
    if not only:
        return search
    if len(only) == 1:
        more = tuple(
            _criterion(search.resource_type, name, alternatives(value)) for name, value in only[0]
        )
    else:
        name = only[0][0][0]
        values = tuple(one for query in only for one in alternatives(query[0][1]))
        more = (_criterion(search.resource_type, name, tuple(dict.fromkeys(values))),)
    return replace(search, criteria=search.criteria + more)


def is_found(resource_type: str, body: bytes, only: Iterable[Query]) -> bool:
    """Whether one of these queries finds the resource with this body; no query finds all."""
    queries = tuple(only)
    if not queries:
        return True
    resource: Any = msgspec.json.decode(body)
    if not isinstance(resource, dict):
        return False
    return any(
        all(_meets(resource_type, resource, name, value) for name, value in query)
        for query in queries
    )


def _criterion(resource_type: str, name: str, values: tuple[str, ...]) -> Criterion:
    parameter = parameter_of(resource_type, name)
    if parameter is None:  # such a scope is not granted
        raise LookupError(name)
    return Criterion(name, parameter.kind, values)


def _meets(resource_type: str, resource: dict[str, Any], name: str, asked: str) -> bool:
    parameter = parameter_of(resource_type, name)
    if parameter is None:
        return False
    found = tuple(values_of(resource, parameter))
    return any(_is(parameter, value, one) for one in alternatives(asked) for value in found)


def _is(parameter: SearchParameter, value: Value, asked: str) -> bool:
    if parameter.kind == "token":
        system, code = token_parts(asked)
        return code in (None, value.text) and system in (None, value.system)
    text = unescaped(asked)
    if parameter.column == "canonical" and parameter.kind == "reference":
        url, _, version = text.partition("|")
        has_url, _, has_version = value.text.partition("#")[0].partition("|")
        return url == has_url and version in ("", has_version)
    if parameter.kind == "reference" and "/" not in text and ":" not in text:
        return value.text in {f"{target}/{text}" for target in parameter.targets}
    return value.text == (local(text) if parameter.kind == "reference" else text)
