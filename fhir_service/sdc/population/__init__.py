"""$populate: the answers of a form that are known before anybody is asked. Pure.

https://hl7.org/fhir/uv/sdc/STU4/populate.html
"""

from __future__ import annotations

from fhir_service.fhir.answer_sources import ANSWER_SOURCE, sources_of
from fhir_service.sdc.population.fetching import Context, Fetched, NotFetched
from fhir_service.sdc.population.filling import Filled, fill
from fhir_service.sdc.population.origins import INFORMATION_ORIGIN

__all__ = [
    "ANSWER_SOURCE",
    "INFORMATION_ORIGIN",
    "Context",
    "Fetched",
    "Filled",
    "NotFetched",
    "fill",
    "sources_of",
]
