"""The types of FHIR R4: which elements each has, of which type, and what it is derived from.

http://hl7.org/fhir/R4/fhirpath.html#types; the table r4_types.txt is read from the definitions of
R4 4.0.1 (http://hl7.org/fhir/R4/downloads.html): ``Type<Base: element type, choice[x] type|type``.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Final

_PRIMITIVES: Final = {
    "boolean": "Element", "string": "Element", "code": "string", "id": "string",
    "markdown": "string", "uri": "Element", "url": "uri", "canonical": "uri", "oid": "uri",
    "uuid": "uri", "base64Binary": "Element", "xhtml": "Element", "integer": "Element",
    "unsignedInt": "integer", "positiveInt": "integer", "decimal": "Element",
    "date": "Element", "dateTime": "Element", "instant": "Element", "time": "Element",
}  # fmt: skip

_FAMILIES: Final = {
    "boolean": "boolean", "integer": "integer", "decimal": "decimal", "date": "date",
    "dateTime": "dateTime", "instant": "dateTime", "time": "time", "Quantity": "quantity",
    "string": "string", "uri": "string", "base64Binary": "string", "xhtml": "string",
}  # fmt: skip

_OPEN: Final = (
    "Address", "Age", "Annotation", "Attachment", "base64Binary", "boolean", "canonical",
    "code", "CodeableConcept", "Coding", "ContactDetail", "ContactPoint", "Contributor",
    "Count", "DataRequirement", "date", "dateTime", "decimal", "Distance", "Dosage",
    "Duration", "Expression", "HumanName", "id", "Identifier", "instant", "integer",
    "markdown", "Meta", "Money", "oid", "ParameterDefinition", "Period", "positiveInt",
    "Quantity", "Range", "Ratio", "Reference", "RelatedArtifact", "SampledData", "Signature",
    "string", "time", "Timing", "TriggerDefinition", "unsignedInt", "uri", "url",
    "UsageContext", "uuid",
)  # fmt: skip
"""The types of value[x] where any is allowed, http://hl7.org/fhir/R4/datatypes.html#open"""


class Choice(dict[str, "Kind"]):
    """An element value[x]: its JSON names with the type that each stands for."""


class Kind:
    """A type of FHIR, or an element with elements of its own such as ``Questionnaire.item``.

    ``family`` says how a value is read: as string, boolean, integer, decimal, date, dateTime,
    time or quantity; it is empty for other types.
    """

    __slots__ = ("_children", "_properties", "_text", "base", "family", "name", "primitive")

    def __init__(self, name: str, base: Kind | None, text: str) -> None:
        self.name = name
        self.base = base
        self.primitive = name in _PRIMITIVES
        self.family: str = _FAMILIES.get(name) or (base.family if base is not None else "")
        self._text = text
        self._children: dict[str, Kind | Choice] | None = None
        self._properties: dict[str, Kind] | None = None

    @property
    def children(self) -> Mapping[str, Kind | Choice]:
        """Its elements by name, those of the type it is derived from among them."""
        if self._children is None:
            inherited = self.base.children if self.base is not None else {}
            self._children = {**inherited, **_elements(self._text)}
        return self._children

    @property
    def properties(self) -> Mapping[str, Kind]:
        """The type of each JSON property: of ``valueCoding``, not of ``value``."""
        if self._properties is None:
            made: dict[str, Kind] = {}
            for name, of in self.children.items():
                made.update(of if isinstance(of, Choice) else {name: of})
            self._properties = made
        return self._properties

    def is_a(self, name: str) -> bool:
        """Whether it is the type of this name or derived from it."""
        kind: Kind | None = self
        while kind is not None:
            if kind.name == name:
                return True
            kind = kind.base
        return False


def _elements(text: str) -> dict[str, Kind | Choice]:
    made: dict[str, Kind | Choice] = {}
    for each in text.split(", ") if text else ():
        name, _, of = each.partition(" ")
        if name.endswith("[x]"):
            stem = name[:-3]
            types = _OPEN if of == "*" else of.split("|")
            made[stem] = Choice({stem + key[0].upper() + key[1:]: kinds()[key] for key in types})
        else:
            made[name] = kinds()[of]
    return made


@cache
def kinds() -> Mapping[str, Kind]:
    """Every type of R4 by name."""
    lines = files("fhir_service.fhir.fhirpath").joinpath("r4_types.txt").read_text("utf-8")
    told: dict[str, tuple[str, str]] = {name: (base, "") for name, base in _PRIMITIVES.items()}
    for line in lines.splitlines():
        head, _, text = line.partition(": ")
        name, _, base = head.rstrip(":").partition("<")
        told[name] = base, text
    made: dict[str, Kind] = {}

    def make(name: str) -> Kind:
        if name not in made:
            base, text = told[name]
            made[name] = Kind(name, make(base) if base else None, text)
        return made[name]

    for name in told:
        make(name)
    return made


@cache
def choice_names() -> Mapping[str, str]:
    """JSON names that stand for a choice, with its name: ``valueCoding`` gives ``value``."""
    found: dict[str, str] = {}
    for kind in kinds().values():
        for name, of in kind.children.items():
            if isinstance(of, Choice):
                found.update(dict.fromkeys(of, name))
    return found


@cache
def plain_names() -> frozenset[str]:
    """Names of elements, of any type; ``valueQuantity`` is one too, in Device.property."""
    return frozenset(name for kind in kinds().values() for name in kind.children)


@cache
def value_suffixes() -> Mapping[str, Kind]:
    """The types that a choice may have, by the word that ends its JSON name (``Coding``)."""
    return {name[0].upper() + name[1:]: kinds()[name] for name in _OPEN}


UNKNOWN: Final = Kind("", None, "")
"""The type of what stands in an object whose type is not known."""
