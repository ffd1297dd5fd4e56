"""Parameters, the envelope of operations: read with their types checked, and built.

http://hl7.org/fhir/R4/parameters.html
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from fhir_service.fhir.issues import Issue, NotUnderstood

STRINGS = frozenset({"uri", "url", "canonical", "string", "code", "id", "markdown"})
"""The types that are plain text; clients mix them up, and each is taken for each."""

TIMES = frozenset({"date", "dateTime", "instant"})

_WHOLE_NUMBER = re.compile(r"[-+]?[0-9]{1,10}")


@dataclass(frozen=True, slots=True)
class Accepts:
    """What is taken under one name: a FHIR type, or "resource"; once, or ``many`` times."""

    kind: str
    many: bool = False


def read_parameters(resource: Any, accepts: Mapping[str, Accepts]) -> dict[str, Any]:
    """The values of a Parameters resource by name; a list where the name may come ``many`` times.

    Names that did not come are missing from the result. Raises NotUnderstood with every finding:
    not a Parameters, unknown name, wrong type, given twice.
    """
    if not isinstance(resource, Mapping) or resource.get("resourceType") != "Parameters":
        raise NotUnderstood("A Parameters resource is expected.", expression="Parameters")
    given = resource.get("parameter", [])
    if not isinstance(given, list):
        raise NotUnderstood("parameter is a list.", expression="Parameters.parameter")
    reading = _Reading(accepts)
    for index, entry in enumerate(given):
        reading.entry(entry, f"Parameters.parameter[{index}]")
    return reading.result()


def from_query(pairs: Iterable[tuple[str, str]], accepts: Mapping[str, Accepts]) -> dict[str, Any]:
    """A Parameters resource out of the name and value pairs of a query string.

    Names that begin with ``_`` (``_format`` and its kin) are not the operation's and are left out,
    and so is what has no value (``filter=``).
    Raises NotUnderstood for unknown names, values that are not of their type, and names that can
    be given in a body only. http://hl7.org/fhir/R4/operations.html#request
    """
    made: list[dict[str, Any]] = []
    found: list[Issue] = []
    for name, text in pairs:
        if name.startswith("_") or not text.strip():
            continue
        try:
            made.append(_from_text(name, text, accepts))
        except NotUnderstood as refusal:
            found.extend(refusal.issues)
    if found:
        raise NotUnderstood(found[0].says, *found)
    return parameters(*made)


def parameters(*entries: Mapping[str, Any] | None) -> dict[str, Any]:
    """A Parameters resource of these entries; a None among them is left out."""
    kept = [dict(entry) for entry in entries if entry is not None]
    return {"resourceType": "Parameters", **({"parameter": kept} if kept else {})}


def parameter(name: str, kind: str, value: Any) -> dict[str, Any]:
    """One entry: ``kind`` is a FHIR type or "resource"."""
    return {"name": name, _element(kind): value}


def parts(name: str, *entries: Mapping[str, Any] | None) -> dict[str, Any]:
    """One entry made of parts; a None among them is left out."""
    return {"name": name, "part": [dict(entry) for entry in entries if entry is not None]}


class _Reading:
    """The entries read so far, and what was found wrong with them."""

    def __init__(self, accepts: Mapping[str, Accepts]) -> None:
        self.accepts = accepts
        self.values: dict[str, Any] = {}
        self.found: list[Issue] = []

    def entry(self, entry: Any, at: str) -> None:
        if not isinstance(entry, Mapping) or not isinstance(entry.get("name"), str):
            self._find("Every parameter has a name.", at, "structure")
            return
        name = entry["name"]
        takes = self.accepts.get(name)
        if takes is None:
            known = ", ".join(sorted(self.accepts))
            self._find(
                f"The parameter {name!r} is not supported here. Supported: {known}.",
                at,
                "not-supported",
            )
            return
        try:
            value = _value(entry, takes)
        except NotUnderstood as refusal:
            self._find(f"{name}: {refusal.says}", at, "value")
            return
        if takes.many:
            self.values.setdefault(name, []).append(value)
        elif name in self.values:
            self._find(f"{name} is given more than once.", at, "structure")
        else:
            self.values[name] = value

    def result(self) -> dict[str, Any]:
        if self.found:
            raise NotUnderstood(self.found[0].says, *self.found)
        return self.values

    def _find(self, says: str, at: str, code: str) -> None:
        self.found.append(Issue(key="parameter", code=code, says=says, expression=at))


def _value(entry: Mapping[str, Any], takes: Accepts) -> Any:
    held = [key for key in entry if key.startswith("value") or key in {"resource", "part"}]
    if len(held) != 1:
        raise NotUnderstood(f"exactly one value of type {takes.kind} is expected.")
    kinds = next((family for family in (STRINGS, TIMES) if takes.kind in family), {takes.kind})
    if held[0] not in {_element(kind) for kind in kinds}:
        raise NotUnderstood(f"{_element(takes.kind)} is expected, {held[0]} was given.")
    value = entry[held[0]]
    if not _is_a(takes.kind, value):
        raise NotUnderstood(f"the value is not of type {takes.kind}.")
    return value


def _is_a(kind: str, value: Any) -> bool:
    if kind == "boolean":
        return isinstance(value, bool)
    if kind == "integer":
        return isinstance(value, int) and not isinstance(value, bool)
    if kind in STRINGS or kind in TIMES:
        return isinstance(value, str) and value.strip() != ""
    return isinstance(value, Mapping)


def _from_text(name: str, text: str, accepts: Mapping[str, Accepts]) -> dict[str, Any]:
    takes = accepts.get(name)
    if takes is None:
        known = ", ".join(sorted(accepts))
        raise _unfit(name, f"is not supported here. Supported: {known}.", "not-supported")
    if takes.kind in STRINGS or takes.kind in TIMES:
        return parameter(name, takes.kind, text)
    if takes.kind == "boolean":
        if text not in {"true", "false"}:
            raise _unfit(name, "is true or false.")
        return parameter(name, "boolean", text == "true")
    if takes.kind == "integer":
        if not _WHOLE_NUMBER.fullmatch(text):
            raise _unfit(name, "is a whole number.")
        return parameter(name, "integer", int(text))
    raise _unfit(name, "can be given in a Parameters body only (POST).")


def _unfit(name: str, says: str, code: str = "value") -> NotUnderstood:
    told = f"The parameter {name!r} {says}"
    return NotUnderstood(told, Issue(key="parameter", code=code, says=told, expression=name))


def _element(kind: str) -> str:
    return kind if kind == "resource" else "value" + kind[0].upper() + kind[1:]
