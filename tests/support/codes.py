"""A terminology in memory: stored value sets and code systems found by their canonicals."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from fhir_service.fhir.parameters import Accepts, parameter, parameters, read_parameters
from fhir_service.fhir.terminology import Sources

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def sources(stored: Iterable[Mapping[str, Any]]) -> Sources:
    """Finds what is given, by url, and by ``url|version`` where it has a version."""
    known: dict[tuple[str, str], Mapping[str, Any]] = {}
    for one in stored:
        known[one["resourceType"], one["url"]] = one
        if "version" in one:
            known[one["resourceType"], f"{one['url']}|{one['version']}"] = one
    return Sources(lambda kind, canonical: known.get((kind, canonical)))


def read(given: Mapping[str, Any], accepts: Mapping[str, Accepts]) -> dict[str, Any]:
    """Plain values by name, sent through a Parameters resource and back."""
    entries = [
        parameter(name, accepts[name].kind, value)
        for name, values in given.items()
        for value in (values if isinstance(values, list) else [values])
    ]
    return read_parameters(parameters(*entries), accepts)
