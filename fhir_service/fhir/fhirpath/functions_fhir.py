"""What FHIR R4 and SDC add to FHIRPath.

http://hl7.org/fhir/R4/fhirpath.html#functions,
https://build.fhir.org/ig/HL7/sdc/expressions.html#fhirpath-supplements
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from fhir_service.fhir.fhirpath.environment import Run
from fhir_service.fhir.fhirpath.errors import ExpressionError
from fhir_service.fhir.fhirpath.nodes import Collection, Node, members, node, plain, to_json
from fhir_service.fhir.fhirpath.quantity import Quantity
from fhir_service.fhir.fhirpath.registry import function, single, text
from fhir_service.fhir.quantities import comparable as units_comparable
from fhir_service.fhir.units import unit

WEIGHTS: Final = frozenset(
    {
        "http://hl7.org/fhir/StructureDefinition/itemWeight",
        "http://hl7.org/fhir/StructureDefinition/ordinalValue",
        "http://hl7.org/fhir/StructureDefinition/questionnaire-ordinalValue",
        "http://hl7.org/fhir/StructureDefinition/valueset-ordinalValue",
        "http://hl7.org/fhir/StructureDefinition/codesystem-ordinalValue",
    }
)
"""Extensions that carry a weight, by the names they have had."""


@function("extension", 1)
def extension(run: Run, items: Collection, url: Collection) -> Collection:
    """The extensions with this url, of primitives too."""
    wanted = text(url)
    found: Collection = []
    for item in items:
        if type(item) is Node:
            members(item, "extension", found)
    run.spend(len(found))
    return [
        one for one in found if isinstance(one.value, Mapping) and one.value.get("url") == wanted
    ]


@function("resolve")
def resolve(run: Run, items: Collection) -> Collection:
    """What references point to, where it is contained in %resource; nothing else is fetched."""
    made: Collection = []
    for item in items:
        target = _reference(item)
        if target is not None and target.startswith("#"):
            made += _contained(run, target[1:])
    return made


def _reference(item: Any) -> str | None:
    value = item.value if type(item) is Node else item
    if isinstance(value, Mapping):
        value = value.get("reference")
    return value if isinstance(value, str) else None


def _contained(run: Run, id_: str) -> Collection:
    resource = to_json((run.named("resource", 0) or run.root or [None])[0])
    if not isinstance(resource, Mapping):
        return []
    if not id_:
        return [node(resource)]
    given = resource.get("contained")
    listed = given if isinstance(given, list) else []
    run.spend(len(listed))
    return [node(one) for one in listed if isinstance(one, Mapping) and one.get("id") == id_]


@function("memberOf", 1)
def member_of(run: Run, items: Collection, value_set: Collection) -> Collection:
    """Whether a code is in a value set; nothing where that is not known."""
    wanted, value = text(value_set), single(items)
    if wanted is None or value is None:
        return []
    door = run.environment.member_of
    if door is None:
        raise ExpressionError("memberOf() can not be answered here.")
    found = door(to_json(items[0]), wanted)
    return [] if found is None else [found]


@function("comparable", 1)
def comparable(_run: Run, items: Collection, other: Collection) -> Collection:
    """Whether two quantities can be compared."""
    one, two = single(items), single(other)
    if not isinstance(one, Quantity) or not isinstance(two, Quantity):
        return []
    known = unit(one.unit) is not None and unit(two.unit) is not None
    return [known and units_comparable(one.unit, two.unit)]


@function("htmlChecks")
def html_checks(_run: Run, _items: Collection) -> Collection:
    """Refused: narrative is checked where it is rendered."""
    raise ExpressionError("htmlChecks() can not be answered here.")


@function("conformsTo", 1)
def conforms_to(_run: Run, _items: Collection, _profile: Collection) -> Collection:
    """Refused: profiles are not checked here."""
    raise ExpressionError("conformsTo() can not be answered here: profiles are not checked.")


@function("weight")
def weight(run: Run, items: Collection) -> Collection:
    """The weights of answers or codes: their own, else the one that the form gives them.

    An answer without a weight gives nothing.
    """
    run.spend(len(items))
    found = (_weight(run, item) for item in items)
    return [value for value in found if value is not None]


function("ordinal")(weight)


def _weight(run: Run, item: Any) -> Decimal | None:
    if type(item) is not Node:
        door = run.environment.weigh
        return None if door is None else door(to_json(item), None)
    values: Collection = [item]
    if item.kind.name == "QuestionnaireResponse.item.answer":
        values = []
        members(item, "value", values)
    for one in values:
        own = _own_weight(one)
        if own is not None:
            return own
    door = run.environment.weigh
    if door is None or not values:
        return None
    return door(to_json(values[0]), _link_id(values[0]))


def _own_weight(item: Node) -> Decimal | None:
    found: Collection = []
    members(item, "extension", found)
    for one in found:
        if isinstance(one.value, Mapping) and one.value.get("url") in WEIGHTS:
            values: Collection = []
            members(one, "value", values)
            number = plain(values[0]) if values else None
            if isinstance(number, int | Decimal) and not isinstance(number, bool):
                return Decimal(number)
    return None


def _link_id(item: Node) -> str | None:
    above: Node | None = item
    while above is not None:
        if above.kind.name in ("QuestionnaireResponse.item", "Questionnaire.item"):
            found = above.value.get("linkId")
            return found if isinstance(found, str) else None
        above = above.parent
    return None


@function("answers")
def answers(run: Run, items: Collection) -> Collection:
    """Every answer in the response or items given, and below, in the order of the document."""
    made: Collection = []
    waiting = list(reversed(items))
    while waiting:
        item = waiting.pop()
        if type(item) is not Node:
            continue
        inner: Collection = []
        if item.kind.name == "QuestionnaireResponse.item.answer":
            made.append(item)
        else:
            members(item, "answer", inner)
        members(item, "item", inner)
        run.spend(1 + len(inner))
        waiting += reversed(inner)
    return made
