"""What is extracted that SDC's extensions do not say: our own rules, as templates with FHIRPath.

Read from mappings/extraction/*.toml by the catalogue. A text that begins with ``= `` is an
expression; ``each`` in a table makes it once for each thing that an expression gives.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from fhir_service.fhir.fhirpath.types import UNKNOWN, Kind, kinds
from fhir_service.sdc.expressions import Formula, Scope
from fhir_service.sdc.extraction.template import Node_, settled
from fhir_service.sdc.population.plan import Asked

EXPRESSION: Final = "= "
EACH: Final = "each"

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Rule:
    """One kind of resource: ``each`` gives what it is made for, known as ``%it``.

    ``only_mapped`` makes it only for a code that the map knows; ``without`` are codes of the map
    that are not added. ``key`` names it in ids.
    """

    key: str
    each: Formula
    template: Node_
    variables: Mapping[str, Asked] = field(default_factory=dict)
    only_mapped: bool = False
    without: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Mapping_:  # noqa: N801  a mapping of ours, beside the collection type
    """The rules for one form, by its url; ``tags`` are put on all that they and codes make.

    ``concept_map`` is the canonical of the map that local codes are translated with.
    """

    questionnaire: str
    concept_map: str | None = None
    tags: tuple[Json, ...] = ()
    rules: tuple[Rule, ...] = ()


def rule(
    key: str,
    each: str,
    resource: Json,
    variables: Mapping[str, str] | None = None,
    *,
    only_mapped: bool = False,
    without: frozenset[str] = frozenset(),
) -> Rule:
    """A rule out of what stands in the file. Expressions are read when they are first used."""
    kind = kinds()[str(resource["resourceType"])]
    named = {
        name: Asked("variable", {"language": "text/fhirpath", "expression": text}, {})
        for name, text in (variables or {}).items()
    }
    return Rule(
        key,
        _formula(each),
        _node(resource, kind),
        named,
        only_mapped=only_mapped,
        without=without,
    )


def _formula(text: str) -> Formula:
    return Formula("mapping", text, Scope({}), {})


def _node(value: Any, kind: Kind) -> Node_:
    if isinstance(value, list):
        return settled(Node_(kind, many=[_node(one, kind) for one in value]))
    if isinstance(value, str) and value.startswith(EXPRESSION):
        return Node_(kind, value=_formula(value[len(EXPRESSION) :]))
    if not isinstance(value, Mapping):
        return Node_(kind, literal=value, fixed=True)
    made = Node_(kind)
    for name, one in value.items():
        if name == EACH:
            made.context = _formula(str(one))
            continue
        made.fields.append((name, _node(one, kind.properties.get(name, UNKNOWN))))
    return settled(made)
