"""Checks plain JSON against the shapes of R4 elements, and collects every finding with its place.

http://hl7.org/fhir/R4/json.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from fhir_service.fhir.issues import Issue
from fhir_service.fhir.places import step
from fhir_service.fhir.primitives import CHECKS, is_id
from fhir_service.fhir.reading import SOUND
from fhir_service.fhir.shapes import CODES, SHAPES, VALUES, Property

_LONGEST_NAME = 40


def check_shape(value: Any, type_: str, place: str) -> Iterator[Issue]:
    """What is wrong with a JSON value that should be an element or primitive of this R4 type.

    ``any`` takes every object. ``place`` is its FHIRPath.
    """
    if type_ in CHECKS:
        if not CHECKS[type_](value):
            yield _issue("value-malformed", f"This is no {type_} of FHIR.", place)
    elif not isinstance(value, dict):
        yield _issue(
            "object-expected", f"A JSON object is expected here ({_named(type_)}).", place
        )
    elif type_ != "any":
        yield from _element(value, type_, place)


def check_contained(contained: Any, place: str) -> Iterator[Issue]:
    """What is wrong with ``contained``: each resource says its type, and has an id of its own.

    http://hl7.org/fhir/R4/references.html#contained
    """
    seen: set[str] = set()
    for number, resource in enumerate(contained if isinstance(contained, list) else ()):
        where = f"{place}[{number}]"
        if not isinstance(resource, dict):
            continue
        if not isinstance(resource.get("resourceType"), str):
            says = "A contained resource says its resourceType."
            yield _issue("contained-without-type", says, where)
        id_ = resource.get("id")
        if not isinstance(id_, str) or not is_id(id_):
            yield _issue("contained-without-id", "A contained resource has an id.", where)
        elif id_ in seen:
            says = "Another contained resource has the same id."
            yield _issue("contained-same-id", says, f"{where}.id")
        else:
            seen.add(id_)
        if "contained" in resource:
            says = "A contained resource contains no others."
            yield _issue("contained-nested", says, f"{where}.contained")


def _element(element: Mapping[str, Any], type_: str, place: str) -> Iterator[Issue]:
    shape, values = SHAPES[type_], VALUES.get(type_, {})
    if not element:
        yield _issue("json-empty", "An object is never empty. Leave the element out.", place)
    for name, value in element.items():
        known = shape.get(name) or values.get(name)
        if known is not None:
            yield from _property(value, known, type_, name, f"{place}.{step(name)}")
        elif name.startswith("_"):
            yield from _sibling(element, name, shape.get(name[1:]) or values.get(name[1:]), place)
        elif name != "fhir_comments" or type_ != "any":
            yield _unknown(name, place)
    for name, known in shape.items():
        if known.required and name not in element:
            yield _issue("element-missing", f"“{name}” must be there.", f"{place}.{name}")
    yield from _one_value(element, type_, values, place)


def _unknown(name: str, place: str) -> Issue:
    shown = name if len(name) <= _LONGEST_NAME else name[:_LONGEST_NAME] + "…"
    says = f"FHIR R4 has no “{shown}” here. Leave it out, or mend its name."
    return _issue("element-unknown", says, place)


def _one_value(
    element: Mapping[str, Any], type_: str, values: Mapping[str, Property], place: str
) -> Iterator[Issue]:
    if not values:
        return
    given = {plain for name in element if (plain := name.removeprefix("_")) in values}
    if len(given) > 1:
        yield _issue("value-twice", "Only one value[x] may stand here.", place)
    has_extension = "extension" in element
    if type_ == "Extension" and bool(given) == has_extension:
        says = "An extension has either a value or extensions of its own."
        yield _issue("extension-value", says, place)
    named = any(name.startswith("value") for name in element)  # told of as unknown
    if type_ == "ResponseAnswer" and not (given or has_extension or named):
        says = "An answer has a value. Leave the answer out where there is none."
        yield _issue("answer-without-value", says, place)


def _property(value: Any, known: Property, type_: str, name: str, place: str) -> Iterator[Issue]:
    if known.many != isinstance(value, list):
        says = "A list is expected here." if known.many else "Only one value may stand here."
        yield _issue("list-expected" if known.many else "list-unexpected", says, place)
        return
    if value == []:
        yield _issue("json-empty", "A list is never empty. Leave the element out.", place)
    codes = CODES.get((type_, name))
    items = known.type == "ResponseItem"
    for number, one in enumerate(value if known.many else [value]):
        if items and one == SOUND:
            continue
        where = f"{place}[{number}]" if known.many else place
        if one is None and known.many and known.type in CHECKS:
            continue  # keeps the place of an extension in the sibling's list
        if codes is not None and not (isinstance(one, str) and one in codes):
            says = f"The code must be one of {', '.join(sorted(codes))}."
            yield _issue("code-unknown", says, where, "code-invalid")
        else:
            yield from check_shape(one, known.type, where)


def _sibling(
    element: Mapping[str, Any], name: str, known: Property | None, place: str
) -> Iterator[Issue]:
    """``_name`` carries the id and extensions of a primitive, http://hl7.org/fhir/R4/json.html#primitive"""
    if known is None or known.type not in CHECKS or name == "_resourceType":
        yield _unknown(name, place)
        return
    value = element[name]
    if known.many != isinstance(value, list):
        says = "A list is expected here." if known.many else "Only one value may stand here."
        yield _issue("list-expected" if known.many else "list-unexpected", says, place)
        return
    for one in value if known.many else [value]:
        if one is None:
            continue
        if not isinstance(one, dict):
            says = f"“{name}” is an object with an id or extensions."
            yield _issue("object-expected", says, f"{place}.{step(name)}")
            continue
        for inner in one:
            if inner not in {"id", "extension"}:
                yield _unknown(inner, f"{place}.{step(name)}")
        known_parts = (("id", Property("string")), ("extension", Property("Extension", many=True)))
        for part, shape in known_parts:
            if part in one:
                where = f"{place}.{step(name)}.{part}"
                yield from _property(one[part], shape, "Element", part, where)


def _named(type_: str) -> str:
    return type_.removeprefix("Response").lower() if type_.startswith("Response") else type_


def _issue(key: str, says: str, place: str, code: str = "structure") -> Issue:
    return Issue(key=key, code=code, says=says, expression=place)
