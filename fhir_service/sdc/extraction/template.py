"""A template as a tree of steps, compiled once: what stays, what is evaluated, what is repeated.

Written by SDC's extensions templateExtractContext and templateExtractValue on a contained
resource. https://hl7.org/fhir/uv/sdc/STU4/extraction.html#template-based-extraction
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from fhir_service.fhir.fhirpath.types import UNKNOWN, Kind, kinds
from fhir_service.fhir.places import objects
from fhir_service.sdc import extensions as ext
from fhir_service.sdc.expressions import Formula, Scope

CONTEXT: Final = ext.SDC + "templateExtractContext"
VALUE: Final = ext.SDC + "templateExtractValue"
_OURS: Final = frozenset({CONTEXT, VALUE})

Json = Mapping[str, Any]


@dataclass(slots=True)
class Node_:  # noqa: N801  a node of a template, beside the engine's Node
    """One element of a template.

    ``context`` is evaluated first: the element is made for each thing it gives, under ``name``
    where it has one. ``value`` gives the element itself. Else it is ``literal``, or made of its
    ``fields``; ``beside`` are the extensions of a primitive that stay. ``many`` are the elements
    of a list.
    """

    kind: Kind = UNKNOWN
    context: Formula | None = None
    name: str | None = None
    value: Formula | None = None
    literal: Any = None
    beside: Any = None
    fields: list[tuple[str, Node_]] = field(default_factory=list)
    many: list[Node_] | None = None
    fixed: bool = False


def compile_template(resource: Json) -> Node_:
    """The tree of a contained resource; its id, which only names the template, is left out."""
    named = {name: one for name, one in resource.items() if name != "id"}
    if "_id" in named:
        named["id"] = resource.get("id")
    return _element(named, kinds().get(str(resource["resourceType"]), UNKNOWN))


def _element(value: Any, kind: Kind) -> Node_:
    if isinstance(value, list):
        return settled(Node_(kind, many=[_element(one, kind) for one in value]))
    if not isinstance(value, Mapping):
        return Node_(kind, literal=value, fixed=True)
    if "resourceType" in value:
        kind = kinds().get(str(value["resourceType"]), kind)
    made = Node_(kind)
    _read(made, value.get("extension"))
    for name, one in value.items():
        if name == "extension":
            kept = _others(one)
            if kept:
                made.fields.append((name, _element(kept, kinds()["Extension"])))
        elif name[:1] == "_":
            if name[1:] not in value:
                made.fields.append((name[1:], _primitive(None, one, _kind(kind, name[1:]))))
        elif "_" + name in value:
            made.fields.append((name, _primitive(one, value["_" + name], _kind(kind, name))))
        else:
            made.fields.append((name, _element(one, _kind(kind, name))))
    return settled(made)


def _kind(kind: Kind, name: str) -> Kind:
    return kind.properties.get(name, UNKNOWN)


def _primitive(value: Any, beside: Any, kind: Kind) -> Node_:
    """A primitive with extensions, or a list of them."""
    if isinstance(beside, list) or isinstance(value, list):
        values = value if isinstance(value, list) else []
        besides = beside if isinstance(beside, list) else []
        count = max(len(values), len(besides))
        pairs = (
            (values[n] if n < len(values) else None, besides[n] if n < len(besides) else None)
            for n in range(count)
        )
        return settled(Node_(kind, many=[_primitive(one, other, kind) for one, other in pairs]))
    made = Node_(kind, literal=value)
    if isinstance(beside, Mapping):
        _read(made, beside.get("extension"))
        kept = _others(beside.get("extension"))
        made.beside = {"extension": kept} if kept else None
    return settled(made)


def _read(made: Node_, extensions: Any) -> None:
    for one in objects(extensions):
        raw = ext.value_of(one)
        if one.get("url") == CONTEXT and raw is not None:
            made.context = Formula("templateExtractContext", _fhirpath(raw), Scope({}), {})
            name = raw.get("name") if isinstance(raw, Mapping) else None
            made.name = name if isinstance(name, str) else None
        elif one.get("url") == VALUE and raw is not None:
            made.value = Formula("templateExtractValue", _fhirpath(raw), Scope({}), {})


def _fhirpath(raw: Any) -> Any:
    """An Expression whose language may be left out: it is FHIRPath."""
    return {"language": "text/fhirpath", **raw} if isinstance(raw, Mapping) else raw


def _others(extensions: Any) -> list[Any]:
    return [one for one in objects(extensions) if one.get("url") not in _OURS]


def settled(made: Node_) -> Node_:
    """The node, marked as fixed where nothing in it is evaluated."""
    inside = [one for _, one in made.fields] if made.many is None else made.many
    made.fixed = (
        made.context is None
        and made.value is None
        and made.beside is None
        and all(one.fixed for one in inside)
    )
    if made.fixed and (made.fields or made.many is not None):
        made.literal = (
            {name: one.literal for name, one in made.fields}
            if made.many is None
            else [one.literal for one in made.many]
        )
    return made


def formulas_of(made: Node_) -> Iterator[Formula]:
    """Every expression of a template."""
    yield from (one for one in (made.context, made.value) if one is not None)
    for inner in [one for _, one in made.fields] + (made.many or []):
        yield from formulas_of(inner)
