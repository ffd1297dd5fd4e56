"""Which members of a resource a summary, or a list of elements, keeps.

http://hl7.org/fhir/R4/search.html#summary
"""

from __future__ import annotations

from fhir_service.fhir.searching import Shape
from fhir_service.fhir.splice import subset


def shaped(resource_type: str, served: bytes, shape: Shape) -> bytes:
    """A resource as it is served, as much of it as was asked for.

    ``_elements`` wins over ``_summary``. What R4 says must be there stays in any case.
    """
    if not shape.elements and shape.summary is None:
        return served
    from fhir_service.fhir.resources import elements_of  # noqa: PLC0415  keeps the start quick

    summary, mandatory = elements_of(resource_type)
    if shape.elements:
        kept = mandatory | set(shape.elements)
    elif shape.summary == "true":
        kept = mandatory | summary
    elif shape.summary == "text":
        kept = mandatory | {"text"}
    else:
        return subset(served, lambda name: name != "text")
    return subset(served, lambda name: name in kept)
