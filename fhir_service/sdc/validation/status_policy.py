"""How grave a finding is, by the status of the response: a draft may be unfinished.

https://hl7.org/fhir/uv/sdc/STU4/behavior.html
"""

from __future__ import annotations

from collections.abc import Mapping

from fhir_service.fhir.issues import Severity
from fhir_service.sdc.keys import Family

_FINAL: Mapping[Family, Severity | None] = {
    "structure": "error",
    "required": "error",
    "counts": "error",
    "limits": "error",
    "disabled": "error",
    "warning": "warning",
    "information": "information",
}
_DRAFT: Mapping[Family, Severity | None] = {
    **_FINAL,
    "required": "information",
    "counts": "warning",
    "limits": "warning",
    "disabled": "information",
}
_ABANDONED: Mapping[Family, Severity | None] = {**_DRAFT, "required": None}

POLICY: Mapping[str, Mapping[Family, Severity | None]] = {
    "completed": _FINAL,
    "amended": _FINAL,
    "in-progress": _DRAFT,
    "stopped": _ABANDONED,
    "entered-in-error": _ABANDONED,
}
"""Severity by status and family; None where the finding is not told."""
