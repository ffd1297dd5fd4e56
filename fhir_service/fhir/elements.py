"""Which elements of R4 are lists, and what an element is called in JSON.

The table was read out of fhir.resources' R4B models, element by element of R4's types; where R4B
left R4 (Evidence, MedicinalProduct and its kin) an element that is not in it counts as single.
http://hl7.org/fhir/R4/json.html
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from fhir_service.fhir.fhirpath.types import Choice, Kind, kinds

_EVERYWHERE = frozenset({"extension", "modifierExtension", "contained"})


@cache
def _lists() -> Mapping[str, frozenset[str]]:
    text = files("fhir_service.fhir").joinpath("r4_lists.txt").read_text("utf-8")
    made = {}
    for line in text.splitlines():
        name, _, elements = line.partition(": ")
        made[name] = frozenset(elements.split())
    return made


def is_list(kind: Kind, name: str) -> bool:
    """Whether this element of a type is a list in JSON."""
    if name in _EVERYWHERE:
        return True
    of: Kind | None = kind
    while of is not None:
        if name in _lists().get(of.name, frozenset()):
            return True
        of = of.base
    return False


@dataclass(frozen=True, slots=True)
class Element:
    """One element: its JSON name, its type, whether it is a list.

    ``choice`` are the JSON names it may have by type, where it is a ``value[x]`` whose type is
    still open; ``name`` is then the stem.
    """

    name: str
    kind: Kind | None
    many: bool = False
    choice: Choice | None = None


def element(kind: Kind, step: str) -> Element | None:
    """The element that a step of a path names; None where the type has none.

    ``step`` is as ElementDefinition.id has it: ``name``, ``value[x]``, ``value[x]:valueQuantity``,
    ``valueQuantity``; a slice (``given:first``) names its element.
    """
    name, _, slice_ = step.partition(":")
    stem = name.removesuffix("[x]")
    found = kind.children.get(stem)
    if isinstance(found, Choice):
        if slice_ in found:
            return Element(slice_, found[slice_])
        return Element(stem, None, choice=found)
    if found is not None:
        return Element(stem, found, is_list(kind, stem))
    of = kind.properties.get(stem)
    return None if of is None else Element(stem, of)


def resource_kind(name: str) -> Kind | None:
    """The type of this name where it is one of resources."""
    found = kinds().get(name)
    return found if found is not None and found.is_a("Resource") else None
