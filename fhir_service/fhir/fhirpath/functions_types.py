"""The type of items, by name.

http://hl7.org/fhirpath/N1/#types, http://hl7.org/fhirpath/N1/#reflection
"""

from __future__ import annotations

from typing import Any, Final

from fhir_service.fhir.fhirpath.environment import Run
from fhir_service.fhir.fhirpath.errors import ExpressionError
from fhir_service.fhir.fhirpath.nodes import Collection, Node, type_of
from fhir_service.fhir.fhirpath.registry import function
from fhir_service.fhir.fhirpath.types import UNKNOWN, kinds

_SYSTEM: Final = frozenset(
    {"Boolean", "Integer", "Decimal", "String", "Date", "DateTime", "Time", "Quantity"}
)


def must_be_type(name: str, position: int) -> tuple[str, str]:
    """(namespace or empty, name) of a type's name. Raises ExpressionError for an unknown one."""
    namespace, _, plain = name.rpartition(".")
    known = plain in _SYSTEM if namespace == "System" else plain in kinds()
    if namespace == "" and plain in _SYSTEM:
        known = True
    if not known or namespace not in ("", "System", "FHIR"):
        # Patient.contact and other elements are types too, but have no name to be asked for by
        if namespace == "System" and plain in kinds():
            return namespace, plain
        raise ExpressionError(f"There is no type {name[:40]}.", position)
    return namespace, plain


def is_of(item: Any, namespace: str, name: str) -> bool:
    """Whether an item is of this type or one derived from it."""
    if type(item) is Node:
        return namespace != "System" and item.kind.is_a(name)
    return namespace != "FHIR" and type_of(item)[1] == name


def is_just(item: Any, namespace: str, name: str) -> bool:
    """Whether an item is taken as this type by ``as`` and ofType().

    A primitive has to be of just this type (a code is no string), another may be derived from it:
    so the test cases of HL7 have it.
    """
    if type(item) is Node and item.kind.primitive:
        return namespace != "System" and item.kind.name == name
    return is_of(item, namespace, name)


@function("type")
def type_(_run: Run, items: Collection) -> Collection:
    """Namespace and name of the type of each item."""
    told = (type_of(item) for item in items)
    return [Node({"namespace": space, "name": name}, UNKNOWN) for space, name in told]
