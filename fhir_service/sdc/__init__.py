"""Structured Data Capture: a Questionnaire meets its QuestionnaireResponse. Pure.

``compile_form``, ``decode``, ``validate`` and ``check_questionnaire`` are the checker for others
to use (README.md beside this file); each is imported when it is first asked for.
http://hl7.org/fhir/uv/sdc/STU4/
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fhir_service.sdc.compiled import Form, compile_form
    from fhir_service.sdc.form_rules import check_questionnaire
    from fhir_service.sdc.responses import Response, decode
    from fhir_service.sdc.validation import Codes, validate

__all__ = [
    "Codes",
    "Form",
    "Response",
    "check_questionnaire",
    "compile_form",
    "decode",
    "validate",
]

_WHERE = {
    "Codes": "fhir_service.sdc.validation",
    "Form": "fhir_service.sdc.compiled",
    "Response": "fhir_service.sdc.responses",
    "check_questionnaire": "fhir_service.sdc.form_rules",
    "compile_form": "fhir_service.sdc.compiled",
    "decode": "fhir_service.sdc.responses",
    "validate": "fhir_service.sdc.validation",
}


def __getattr__(name: str) -> Any:
    """One of the names above. Raises AttributeError for others."""
    if name not in _WHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_WHERE[name]), name)
