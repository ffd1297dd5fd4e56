"""FHIRPath N1 with what FHIR R4 and SDC add: compiled once, limited, without input or output.

http://hl7.org/fhirpath/N1/, http://hl7.org/fhir/R4/fhirpath.html,
https://build.fhir.org/ig/HL7/sdc/expressions.html#fhirpath-supplements
"""

from __future__ import annotations

from fhir_service.fhir.fhirpath.environment import Environment
from fhir_service.fhir.fhirpath.errors import ExpressionError, TooCostly
from fhir_service.fhir.fhirpath.expression import Expression, compile_expression
from fhir_service.fhir.fhirpath.index import ResponseIndex
from fhir_service.fhir.fhirpath.nodes import Node, node

__all__ = [
    "Environment",
    "Expression",
    "ExpressionError",
    "Node",
    "ResponseIndex",
    "TooCostly",
    "compile_expression",
    "node",
]
