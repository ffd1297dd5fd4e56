"""Where an answer came from: the resources that its value was taken out of, told on the answer.

``answer-source`` is our own extension on QuestionnaireResponse.item.answer. ``kind`` is ``record``
for a value out of resources, each a ``source``, ``form`` for one that the form itself gives.
Beside it stands Da Vinci's information-origin, which other form fillers read:
http://hl7.org/fhir/us/davinci-dtr/StructureDefinition/information-origin
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from fhir_service.fhir.answer_sources import ANSWER_SOURCE
from fhir_service.fhir.fhirpath import Node
from fhir_service.fhir.places import objects

INFORMATION_ORIGIN: Final = (
    "http://hl7.org/fhir/us/davinci-dtr/StructureDefinition/information-origin"
)

MOST_SOURCES: Final = 20
"""How many resources are named on one answer."""

_CARRIERS: Final = ("Bundle", "Parameters")
_ABSOLUTE: Final = ("http://", "https://", "urn:uuid:")

Json = Mapping[str, Any]


class Bases:
    """Which FHIR base a resource was fetched from, by the resource that was fetched."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[Any, str | None]] = {}

    def keep(self, resource: Json, base: str | None) -> None:
        """Note where this resource, and all that lies in it, came from."""
        self._known[id(resource)] = resource, base  # the resource is kept, so that its id stays

    def of(self, resource: Any) -> str | None:
        """The base; None for what was given, or lies here."""
        return self._known.get(id(resource), (None, None))[1]


def references(items: Iterable[Any], bases: Bases) -> list[str]:
    """The resources that these items of the engine lie in, each once, in order."""
    found: dict[str, None] = {}
    for item in items:
        if isinstance(item, Node):
            found.update(dict.fromkeys(_of_node(item, bases)))
    return list(found)


def _of_node(node: Node, bases: Bases) -> Iterator[str]:
    own: Node | None = node
    while own is not None and not _is_resource(own.value):
        own = own.parent
    if own is None:
        return
    if own.value["resourceType"] in _CARRIERS:
        for entry in objects(own.value.get("entry")):
            if _is_resource(entry.get("resource")):
                yield from _named(entry["resource"], entry, bases.of(own.value))
        return
    entry = own.parent.value if own.parent is not None else {}
    base, around = bases.of(own.value), own.parent
    while base is None and around is not None:
        base, around = bases.of(around.value), around.parent
    yield from _named(own.value, entry, base)


def _is_resource(value: Any) -> bool:
    return isinstance(value, Mapping) and isinstance(value.get("resourceType"), str)


def _named(resource: Json, entry: Any, base: str | None) -> Iterator[str]:
    address = entry.get("fullUrl") if isinstance(entry, Mapping) else None
    if isinstance(address, str) and address.startswith(_ABSOLUTE[:2]):
        yield address
    elif isinstance(resource.get("id"), str):
        relative = f"{resource['resourceType']}/{resource['id']}"
        yield relative if base is None else f"{base}/{relative}"


def told(sources: list[str] | None) -> list[dict[str, Any]]:
    """The extensions of an answer: of these resources, or of the form itself for None."""
    kind = "form" if sources is None else "record"
    inner: list[dict[str, Any]] = [{"url": "kind", "valueCode": kind}]
    inner += (
        {"url": "source", "valueReference": {"reference": one}}
        for one in (sources or ())[:MOST_SOURCES]
    )
    origin = {"url": "source", "valueCode": "auto"}
    return [
        {"extension": inner, "url": ANSWER_SOURCE},
        {"extension": [origin], "url": INFORMATION_ORIGIN},
    ]
