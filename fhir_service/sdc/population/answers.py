"""A value out of a resource, as an answer of the type that its question takes.

https://hl7.org/fhir/uv/sdc/STU4/populate.html#expression-based-population: a type that disagrees
is an error, which is told, and the other questions are filled all the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any, Final

from fhir_service.fhir.fhirpath.nodes import to_json
from fhir_service.fhir.places import objects
from fhir_service.fhir.primitives import CHECKS
from fhir_service.fhir.quantities import UCUM, convert
from fhir_service.sdc import extensions as ext
from fhir_service.sdc.items import Item

Value = tuple[str, Any]
"""(JSON name of the value[x], value)."""

Json = Mapping[str, Any]

_DAY: Final = 10
_SIGNIFICANT: Final = 6
_CODING: Final = ("system", "version", "code", "display")
_QUANTITY: Final = ("value", "comparator", "unit", "system", "code")


def fitting(item: Item, found: Any) -> Value | None:
    """One item of the engine as an answer to this question; None where the types disagree."""
    value = to_json(found)
    read = _READERS.get(item.type)
    return None if read is None else read(item, value)


def _of_primitive(name: str, type_: str) -> Callable[[Item, Any], Value | None]:
    def read(_item: Item, value: Any) -> Value | None:
        return (name, value) if CHECKS[type_](value) else None

    return read


def _boolean(_item: Item, value: Any) -> Value | None:
    return ("valueBoolean", value) if isinstance(value, bool) else None


def _number(item: Item, value: Any) -> Any:
    """The number, that of a Quantity in the unit of the question; None for what is none."""
    if isinstance(value, Mapping):
        unit = ext.value(item.extensions, ext.UNIT)
        found = in_unit(value, [unit]) if isinstance(unit, Mapping) else None
        value = None if found is None or "comparator" in found else found.get("value")
    return None if isinstance(value, bool) or not isinstance(value, int | Decimal) else value


def _integer(item: Item, value: Any) -> Value | None:
    number = _number(item, value)
    if number is None or number != int(number):
        return None
    return "valueInteger", int(number)


def _decimal(item: Item, value: Any) -> Value | None:
    number = _number(item, value)
    return None if number is None else ("valueDecimal", number)


def _date(_item: Item, value: Any) -> Value | None:
    if not isinstance(value, str) or not CHECKS["date"](value[:_DAY]):
        return None
    whole = len(value) <= _DAY or CHECKS["dateTime"](value)
    return ("valueDate", value[:_DAY]) if whole else None


def _text(_item: Item, value: Any) -> Value | None:
    return ("valueString", value) if isinstance(value, str) and value.strip() else None


def _line(item: Item, value: Any) -> Value | None:
    return _text(item, " ".join(value.split()) if isinstance(value, str) else value)


def _url(_item: Item, value: Any) -> Value | None:
    return ("valueUri", value) if isinstance(value, str) and CHECKS["uri"](value) else None


def _attachment(_item: Item, value: Any) -> Value | None:
    if not isinstance(value, Mapping):
        return None
    if value.get("resourceType") == "DocumentReference":
        content = objects(value.get("content"))
        value = content[0].get("attachment", {}) if content else {}
    elif value.get("resourceType") == "Binary":
        value = {name: value[name] for name in ("contentType", "data") if name in value}
    if not isinstance(value, Mapping):
        return None
    known = any(name in value for name in ("contentType", "data", "url", "title"))
    return ("valueAttachment", value) if known and "resourceType" not in value else None


def _reference(_item: Item, value: Any) -> Value | None:
    if not isinstance(value, Mapping):
        return None
    type_, id_ = value.get("resourceType"), value.get("id")
    if isinstance(type_, str):
        return (
            ("valueReference", {"reference": f"{type_}/{id_}"}) if isinstance(id_, str) else None
        )
    known = any(name in value for name in ("reference", "identifier", "display"))
    return ("valueReference", value) if known else None


def _quantity(item: Item, value: Any) -> Value | None:
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        unit = ext.value(item.extensions, ext.UNIT)
        value = {"value": value, **_coded(unit)} if isinstance(unit, Mapping) else None
    if not isinstance(value, Mapping) or "value" not in value or "resourceType" in value:
        return None
    return "valueQuantity", in_unit(value, units_of(item)) or _plain(value)


def units_of(item: Item) -> list[Json]:
    """The units that a question offers, as Codings, that of its own first."""
    found = (*ext.values(item.extensions, ext.UNIT), *ext.values(item.extensions, ext.UNIT_OPTION))
    return [one for one in found if isinstance(one, Mapping)]


def in_unit(quantity: Json, units: list[Json]) -> dict[str, Any] | None:
    """The Quantity in one of these units, converted by UCUM where it must be.

    None where there is no such unit. A converted value is given to six digits.
    """
    codes, code = [one.get("code") for one in units], quantity.get("code")
    if not units or (isinstance(code, str) and code in codes):
        return _plain(quantity) if units else None
    value = quantity.get("value")
    if not isinstance(value, int | Decimal) or not isinstance(code, str):
        return None
    for one in units:
        if one.get("system", UCUM) == UCUM and isinstance(one.get("code"), str):
            converted = convert(Decimal(value), code, one["code"])
            if converted is not None:
                kept = {n: quantity[n] for n in ("comparator",) if n in quantity}
                return {"value": _rounded(converted), **kept, **_coded(one)}
    return None


def _rounded(value: Decimal) -> Decimal:
    if not value:
        return Decimal(0)
    places = Decimal(1).scaleb(value.adjusted() - _SIGNIFICANT + 1)
    short = value.quantize(places, ROUND_HALF_EVEN).normalize()
    return short.quantize(Decimal(1)) if short == short.to_integral_value() else short


def _coded(unit: Json) -> dict[str, Any]:
    shown = unit.get("display", unit.get("code"))
    made = {"unit": shown, "system": unit.get("system"), "code": unit.get("code")}
    return {name: value for name, value in made.items() if value is not None}


def _plain(quantity: Json) -> dict[str, Any]:
    return {name: quantity[name] for name in _QUANTITY if name in quantity}


def _choice(item: Item, value: Any) -> Value | None:
    codings = list(_codings(value))
    if item.options:
        found = _offered(item, value, codings)
        if found is not None:
            return found
    elif item.answer_value_set is not None or not isinstance(value, str):
        coding = next((one for one in codings if isinstance(one.get("code"), str)), None)
        if coding is not None:
            return "valueCoding", coding
    if item.type == "open-choice":
        return _line(item, value if isinstance(value, str) else _words(value, codings))
    return None


def _codings(value: Any) -> Iterator[Json]:
    """The Codings of a Coding, CodeableConcept or code."""
    if isinstance(value, str):
        yield {"code": value}
    elif isinstance(value, Mapping) and "resourceType" not in value:
        if isinstance(value.get("coding"), list):
            yield from (one for one in value["coding"] if isinstance(one, Mapping))
        elif "code" in value or "display" in value:
            yield value


def _words(value: Any, codings: list[Json]) -> str | None:
    given = value.get("text") if isinstance(value, Mapping) else None
    shown = (one.get("display") for one in codings)
    return given if isinstance(given, str) else next((one for one in shown if one), None)


def _offered(item: Item, value: Any, codings: list[Json]) -> Value | None:
    """The option that is meant: by system and code, by code alone, or by its value."""
    for option in item.options:
        name = "value" + option.kind[0].upper() + option.kind[1:]
        if option.kind == "Coding":
            if any(_same_code(option.value, one) for one in codings):
                return name, {key: option.value[key] for key in _CODING if key in option.value}
        elif option.value == value:
            return name, option.value
    return None


def _same_code(option: Json, given: Json) -> bool:
    if "code" not in given:
        return False
    ours, theirs = option.get("system"), given.get("system")
    return option.get("code") == given["code"] and (None in (ours, theirs) or ours == theirs)


_READERS: Final[Mapping[str, Callable[[Item, Any], Value | None]]] = {
    "boolean": _boolean,
    "integer": _integer,
    "decimal": _decimal,
    "date": _date,
    "dateTime": _of_primitive("valueDateTime", "dateTime"),
    "time": _of_primitive("valueTime", "time"),
    "string": _line,
    "text": _text,
    "url": _url,
    "attachment": _attachment,
    "reference": _reference,
    "quantity": _quantity,
    "choice": _choice,
    "open-choice": _choice,
}
