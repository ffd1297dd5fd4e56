"""Whether an answer is among the values that an expression gives, or is what it calculates.

https://hl7.org/fhir/uv/sdc/STU4/behavior.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from fhir_service.sdc.comparing import NUMBERS, UnitsDiffer, equal
from fhir_service.sdc.items import ValueKind
from fhir_service.sdc.measuring import part
from fhir_service.sdc.response_model import decimal_of

Given = tuple[ValueKind, Any]


def is_among(kind: ValueKind, value: Any, found: Sequence[Any]) -> bool | None:
    """Whether an answer is one of these JSON values; None where they are no values of answers."""
    if kind == "Coding" and _is_code_among(value, found):
        return True
    unknown = False
    for one in found:
        for candidate in _candidates(one):
            if _same(kind, value, candidate):
                return True
        unknown |= isinstance(one, Mapping) and not any(_candidates(one))
    return None if unknown else False


def _is_code_among(coding: Any, found: Sequence[Any]) -> bool:
    """Whether a Coding with a code is plainly there: most are."""
    code, system = part(coding, "code"), part(coding, "system")
    return code is not None and any(
        type(one) is dict and one.get("code") == code and one.get("system") == system
        for one in found
    )


def _candidates(value: Any) -> Iterator[Any]:
    """The values of answers in a JSON value: a Coding, the Codings of a concept, an option's."""
    if not isinstance(value, Mapping):
        yield value
        return
    if isinstance(value.get("coding"), list):
        yield from value["coding"]
    if "resourceType" in value and "id" in value:
        yield {"reference": f"{value['resourceType']}/{value['id']}"}
    elif any(name in value for name in ("code", "display", "reference", "value", "url")):
        yield value
    yield from (one for key, one in value.items() if key.startswith("value") and key != "value")


def _same(kind: ValueKind, given: Any, asked: Any) -> bool:
    if isinstance(asked, Mapping):
        return kind in ("Coding", "Quantity", "Reference") and _same_element(kind, given, asked)
    if kind in NUMBERS:
        return _is_number(asked) and decimal_of(given) == decimal_of(asked)
    if kind in ("Coding", "Quantity", "Reference", "Attachment"):
        return False
    if kind == "boolean" or isinstance(asked, bool):
        return given is asked
    return bool(given == asked)


def _same_element(kind: ValueKind, given: Any, asked: Mapping[str, Any]) -> bool:
    try:
        return equal(kind, given, kind, asked) is True
    except UnitsDiffer:
        return False


def _is_number(value: Any) -> bool:
    return isinstance(value, int | Decimal) and not isinstance(value, bool)


def is_recomputed(given: Sequence[Given], found: Sequence[Any]) -> bool:
    """Whether these answers are what was calculated; decimals as exactly as they were sent."""
    if len(given) != len(found):
        return False
    return all(any(_as_sent(kind, value, one) for one in found) for kind, value in given)


def _as_sent(kind: ValueKind, given: Any, calculated: Any) -> bool:
    number = part(given, "value") if kind == "Quantity" else given
    if kind == "Quantity" and isinstance(calculated, Mapping):
        if part(given, "code") != calculated.get("code") and _same(kind, given, calculated):
            return True
        if part(given, "code") != calculated.get("code"):
            return False
        calculated = calculated.get("value")
    if kind in ("decimal", "integer", "Quantity") and _is_number(calculated):
        return number is not None and _rounded(decimal_of(number), decimal_of(calculated))
    return _same(kind, given, calculated)


def _rounded(sent: Decimal, calculated: Decimal) -> bool:
    """Whether they are equal, or the sent one is the other rounded to the decimals it has."""
    if sent == calculated:
        return True
    exponent = sent.as_tuple().exponent
    if not isinstance(exponent, int) or exponent >= 0 or not calculated.is_finite():
        return False
    return abs(sent - calculated) * 2 <= Decimal((0, (1,), exponent))
