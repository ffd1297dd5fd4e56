"""The resources that the answers of a response say they came from.

``answer-source`` is our own extension on QuestionnaireResponse.item.answer: ``kind`` is ``record``
for a value out of resources, each named as a ``source``, and ``form`` for one that the form gives.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from fhir_service.fhir.places import objects

ANSWER_SOURCE: Final = "https://fhir-service.example.org/fhir/StructureDefinition/answer-source"

Json = Mapping[str, Any]


def sources_of(response: Json) -> list[str]:
    """The resources that answers of a response say they came from, each once, in order."""
    found: dict[str, None] = {}
    waiting = [response]
    while waiting:
        element = waiting.pop()
        for extension in objects(element.get("extension")):
            if extension.get("url") == ANSWER_SOURCE:
                found.update(dict.fromkeys(_sources(extension)))
        inner = [*objects(element.get("answer")), *objects(element.get("item"))]
        waiting += reversed(inner)
    return list(found)


def _sources(extension: Json) -> Iterator[str]:
    for one in objects(extension.get("extension")):
        reference = one.get("valueReference") if one.get("url") == "source" else None
        if isinstance(reference, Mapping) and isinstance(reference.get("reference"), str):
            yield reference["reference"]
