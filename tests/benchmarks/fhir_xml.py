"""FHIR XML as the dictionaries that our engine reads: for the inputs of HL7's test file.

http://hl7.org/fhir/R4/xml.html, http://hl7.org/fhir/R4/json.html#xml
"""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any
from xml.etree import ElementTree  # the files are HL7's own, read from a folder the caller names

from fhir_service.fhir.fhirpath.types import UNKNOWN, Choice, Kind, kinds

FHIR = "{http://hl7.org/fhir}"
XHTML = "{http://www.w3.org/1999/xhtml}"


def read_xml(path: Path) -> dict[str, Any]:
    """The resource in this file; an element that stands once is no list."""
    root = ElementTree.parse(path).getroot()  # noqa: S314
    return _resource(root)


def _resource(element: ElementTree.Element) -> dict[str, Any]:
    name = element.tag.removeprefix(FHIR)
    made, _ = _object(element, kinds()[name])
    return {"resourceType": name, **made}


def _object(element: ElementTree.Element, kind: Kind) -> tuple[dict[str, Any], Any]:
    """(what JSON has for the object, the value of a primitive)"""
    made: dict[str, Any] = {
        name: value for name, value in element.attrib.items() if name in ("id", "url")
    }
    for child in element:
        if child.tag.startswith(XHTML):
            made["div"] = ElementTree.tostring(child, encoding="unicode")
            continue
        name = child.tag.removeprefix(FHIR)
        of = _kind_of(kind, name)
        if of.name == "Resource":
            _put(made, name, _resource(child[0]))
            continue
        inner, value = _object(child, of)
        if of.primitive:
            _put_primitive(made, name, value, inner)
        else:
            _put(made, name, inner)
    return made, _value(element.get("value"), kind)


def _kind_of(kind: Kind, name: str) -> Kind:
    found = kind.children.get(name)
    if isinstance(found, Kind):
        return found
    for each in kind.children.values():
        if isinstance(each, Choice) and name in each:
            return each[name]
    return UNKNOWN


def _value(text: str | None, kind: Kind) -> Any:
    if text is None:
        return None
    if kind.family == "boolean":
        return text == "true"
    if kind.family == "integer":
        return int(text)
    return Decimal(text) if kind.family == "decimal" else text


def _put(made: dict[str, Any], name: str, value: Any) -> None:
    if name not in made:
        made[name] = value
    elif isinstance(made[name], list):
        made[name].append(value)
    else:
        made[name] = [made[name], value]


def _put_primitive(made: dict[str, Any], name: str, value: Any, inner: dict[str, Any]) -> None:
    before = made.get(name)
    count = len(before) if isinstance(before, list) else int(name in made)
    _put(made, name, value)
    if inner:
        besides = made.setdefault("_" + name, [None] * count)
        besides.append(inner)
    elif "_" + name in made:
        made["_" + name].append(None)
