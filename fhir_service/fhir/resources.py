"""The one door to fhir.resources, whose R4B models are R4 for the resources we take.

It is imported late, for it costs a third of a second; and it is lenient where FHIR is not (codes,
"3" for a number, null), so that is checked here besides. http://hl7.org/fhir/R4/json.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from functools import lru_cache
from importlib import import_module
from typing import Any

from fhir_service.fhir.issues import Issue
from fhir_service.fhir.places import place, step
from fhir_service.fhir.primitives import is_id
from fhir_service.fhir.required_codes import REQUIRED_CODES
from fhir_service.fhir.shape_check import check_contained, check_shape

_MODELS = {
    "Questionnaire": "questionnaire",
    "ValueSet": "valueset",
    "CodeSystem": "codesystem",
    "ConceptMap": "conceptmap",
    "Patient": "patient",
    "Task": "task",
}
_KINDS: Mapping[str, tuple[type, ...]] = {
    "Boolean": (bool,),
    "Integer": (int,),
    "UnsignedInt": (int,),
    "PositiveInt": (int,),
    "Decimal": (int, Decimal),
}
_CHOICE = re.compile(r"(?:value|answer|defaultValue|deceased|multipleBirth)([A-Z][A-Za-z]+)")
_BOOLEANS = frozenset(
    {
        "required",
        "repeats",
        "readOnly",
        "experimental",
        "immutable",
        "active",
        "initialSelected",
        "caseSensitive",
        "compositional",
        "versionNeeded",
        "preferred",
        "userSelected",
    }
)
_INTEGERS = frozenset({"maxLength", "count"})
_EXTENSIONS = frozenset({"extension", "modifierExtension"})
_LEFT_OUT = _EXTENSIONS | {"contained"}


def check_resource(resource: Mapping[str, Any]) -> tuple[Issue, ...]:
    """What is wrong with the structure of a resource of one of the types that are taken.

    ``resource`` comes from read_json. Each finding has its FHIRPath place; none means that it is
    sound R4 as far as elements, types, cardinalities and required codes go.
    """
    type_ = resource.get("resourceType")
    if not isinstance(type_, str) or type_ not in _MODELS:
        names = ", ".join(sorted(_MODELS))
        says = f"The resource must say its resourceType, one of {names}."
        return (_issue("resource-type", says, "resourceType"),)
    found = [*_guards(resource, type_), *_by_model(resource, type_)]
    once: dict[tuple[str, str | None], Issue] = {}
    for issue in found:
        once.setdefault((issue.key, issue.expression), issue)
    return tuple(once.values())


@lru_cache(len(_MODELS))
def _model(type_: str) -> Any:
    module = import_module("fhir.resources.R4B." + _MODELS[type_])
    return getattr(module, type_)


def _by_model(resource: Mapping[str, Any], type_: str) -> Iterator[Issue]:
    from pydantic import ValidationError  # noqa: PLC0415  # as late as the models

    plain = {name: value for name, value in resource.items() if name != "contained"}
    try:
        _model(type_).model_validate(_without_extensions(plain))
    except ValidationError as error:
        for each in error.errors(include_url=False, include_input=False, include_context=False):
            unknown = each["type"] == "extra_forbidden"  # its place is that of what holds it
            where = place(type_, _steps(each["loc"][:-1] if unknown else each["loc"]))
            yield _issue(*_told(each["type"], each["msg"]), where)
    except RecursionError:
        yield _issue("too-deep", "The resource is nested too deep.", type_)


def _without_extensions(value: Any) -> Any:
    """The same without extensions: the models know them in part, our shapes check them."""
    if isinstance(value, list):
        return [_without_extensions(one) for one in value]
    if not isinstance(value, dict):
        return value
    return {
        name: _marked(one) if name.startswith("_") else _without_extensions(one)
        for name, one in value.items()
        if name not in _EXTENSIONS
    }


def _marked(sibling: Any) -> Any:
    """A sibling (``_text``) that still says that it is there."""
    if isinstance(sibling, list):
        return [_marked(one) for one in sibling]
    if not isinstance(sibling, dict) or not sibling.keys() <= {"id", "extension"}:
        return sibling
    return {"id": "there"}


def _extensions(element: Mapping[str, Any], where: str) -> Iterator[Issue]:
    for name in _EXTENSIONS & element.keys():
        given = element[name]
        if not isinstance(given, list):
            yield _issue("list-expected", "A list is expected here.", f"{where}.{name}")
            continue
        for number, one in enumerate(given):
            yield from check_shape(one, "Extension", f"{where}.{name}[{number}]")


def _steps(location: tuple[str | int, ...]) -> Iterator[str | int]:
    """A location of pydantic in names of JSON: its own words for class checks are left out."""
    for each in location:
        if isinstance(each, int):
            yield each
        elif "__ext" in each:
            yield each.removesuffix("__ext")
        elif each.isidentifier() and each != "resource_type":
            yield each.removesuffix("_fhir")


def _told(kind: str, message: str) -> tuple[str, str]:
    """Our key and sentence for a complaint of pydantic; never the value itself."""
    if kind == "extra_forbidden":
        return (
            "element-unknown",
            "FHIR R4 has no such element here. Leave it out, or mend its name.",
        )
    if "missing" in kind or "required" in message.lower():
        return "element-missing", "An element that must be there is missing."
    if "list" in kind:
        return "list-expected", "A list is expected here."
    return "value-malformed", "The value is not of the type that FHIR R4 has here."


def _guards(resource: Mapping[str, Any], type_: str) -> Iterator[Issue]:
    """What the models let pass, and R4 does not."""
    if "id" in resource and not is_id(resource["id"]):
        says = "An id has 1 to 64 letters, digits, hyphens and dots."
        yield _issue("value-malformed", says, f"{type_}.id")
    yield from _objects(resource.get("contained", []), f"{type_}.contained")
    yield from check_contained(resource.get("contained"), f"{type_}.contained")
    for name in ("status",):
        if type_ != "Patient" and name not in resource:
            says = "An element that must be there is missing."
            yield _issue("element-missing", says, f"{type_}.{name}")
    waiting: list[tuple[str, tuple[str, ...], Mapping[str, Any]]] = [(type_, (type_,), resource)]
    while waiting:
        where, path, element = waiting.pop()
        yield from _extensions(element, where)
        inner = []
        for name, value in element.items():
            for number, one in enumerate(value if isinstance(value, list) else [value]):
                at = f"{where}.{step(name)}" + (f"[{number}]" if isinstance(value, list) else "")
                yield from _primitive(name, one, (*_named(path), name), at)
                if isinstance(one, Mapping) and name not in _LEFT_OUT:
                    inner.append((at, (*path, name), one))
        waiting.extend(reversed(inner))


def _objects(listed: Any, where: str) -> Iterator[Issue]:
    """What is no object in a list of resources, which the models are not shown."""
    if not isinstance(listed, list):
        yield _issue("list-expected", "A list is expected here.", where)
        return
    for number, one in enumerate(listed):
        if not isinstance(one, Mapping):
            yield _issue("object-expected", "A resource is expected here.", f"{where}[{number}]")


def _named(path: tuple[str, ...]) -> tuple[str, ...]:
    """The path of element names with nested items and concepts told once."""
    made: list[str] = []
    for name in path:
        if not (made and made[-1] == name and name in ("item", "concept", "contains")):
            made.append(name)
    return tuple(made)


def _primitive(name: str, value: Any, path: tuple[str, ...], at: str) -> Iterator[Issue]:
    if name == "fhir_comments" or "__" in name:
        says = "FHIR R4 has no such element here. Leave it out."
        yield _issue("element-unknown", says, at)
    choice = _CHOICE.fullmatch(name)
    kinds = _KINDS.get(choice.group(1)) if choice else None
    if name in _BOOLEANS:
        kinds = (bool,)
    elif name in _INTEGERS:
        kinds = (int,)
    if kinds and value is not None:
        wrong = not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds)
        if wrong:
            says = "A JSON true, false or number is expected, without quotation marks."
            yield _issue("value-malformed", says, at)
    codes = REQUIRED_CODES.get(".".join(path))
    if codes is not None and not (isinstance(value, str) and value in codes):
        says = f"The code must be one of {', '.join(sorted(codes))}."
        yield Issue("code-unknown", "code-invalid", says, expression=at)


def _issue(key: str, says: str, where: str) -> Issue:
    return Issue(key=key, code="structure", says=says, expression=where)


@lru_cache(maxsize=64)
def elements_of(resource_type: str) -> tuple[frozenset[str], frozenset[str]]:
    """The elements of this type that R4 counts to its summary, and those that must be there."""
    module = import_module(f"fhir.resources.R4B.{resource_type.lower()}")
    summary, mandatory = set(), set()
    for name, field in getattr(module, resource_type).model_fields.items():
        said = field.json_schema_extra or {}
        if said.get("summary_element_property"):
            summary.add(field.alias or name)
        if field.is_required() or said.get("element_required"):
            mandatory.add(field.alias or name)
    return frozenset(summary), frozenset(mandatory)
