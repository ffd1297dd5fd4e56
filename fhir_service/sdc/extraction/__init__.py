"""$extract: the answers of a response as resources of their own, in one transaction. Pure.

https://hl7.org/fhir/uv/sdc/STU4/extraction.html
"""

from __future__ import annotations

from fhir_service.sdc.extraction.extracting import Extracted, extract
from fhir_service.sdc.extraction.mapping import Mapping_ as Mapping
from fhir_service.sdc.extraction.translating import Concepts, read_concept_map

__all__ = ["Concepts", "Extracted", "Mapping", "extract", "read_concept_map"]
