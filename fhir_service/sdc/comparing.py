"""Compares answers with the values of conditions, options and limits, type by type.

Dates and times compare at the precision both have; where that does not decide it, the outcome is
None, "not known". http://hl7.org/fhirpath/N1/#datetime-comparison
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from fhir_service.fhir.primitives import DAY_LENGTH
from fhir_service.sdc.items import ValueKind
from fhir_service.sdc.measuring import part, relation, signs
from fhir_service.sdc.response_model import decimal_of

NUMBERS = frozenset({"integer", "decimal"})
_PARTS = re.compile(r"[-T:]")


class UnitsDiffer(Exception):
    """Two quantities have units that can not be compared."""


def equal(kind: ValueKind, given: Any, asked_kind: ValueKind, asked: Any) -> bool | None:
    """Whether an answer equals a value of a form; None when it is not known.

    A value of another type is not equal. A Coding of the form without system asks for the code
    alone. Raises UnitsDiffer for quantities that can not be compared.
    """
    if kind in NUMBERS and asked_kind in NUMBERS:
        return decimal_of(given) == decimal_of(asked)
    if kind != asked_kind:
        return False
    if kind == "Coding":
        return _same_coding(given, asked)
    if kind == "Reference":
        return bool(part(given, "reference") == part(asked, "reference"))
    if kind in _ORDERS:
        sign = order(kind, given, asked_kind, asked)
        return None if sign is None else sign == 0
    return bool(given == asked)


def _same_coding(given: Any, asked: Any) -> bool:
    system, code = part(asked, "system"), part(asked, "code")
    if code is None:
        return bool(part(given, "display") == part(asked, "display"))
    return part(given, "code") == code and system in (None, part(given, "system"))


def order(kind: ValueKind, given: Any, asked_kind: ValueKind, asked: Any) -> int | None:
    """-1, 0 or 1 as the answer is under, at or over the value of the form; None when not known.

    None also for types without an order. Raises UnitsDiffer where units can not be compared.
    """
    if kind in NUMBERS and asked_kind in NUMBERS:
        return _sign(decimal_of(given), decimal_of(asked))
    if kind != asked_kind or kind not in _ORDERS:
        return None
    return _ORDERS[kind](given, asked)


def _sign(one: Any, other: Any) -> int:
    return int(one > other) - int(one < other)


def partial(one: str, other: str) -> int | None:
    """The order of two dates or times given to any precision, by the parts that both have.

    None too for what is no date: a condition may ask for it before its own fault is told.
    """
    first, second = _parts(one), _parts(other)
    shared = min(len(first), len(second))
    sign = _sign(first[:shared], second[:shared])
    return sign if sign or len(first) == len(second) else None


def _parts(text: str) -> tuple[Decimal, ...]:
    try:
        return tuple(Decimal(each) for each in _PARTS.split(text))
    except InvalidOperation:
        return ()


def _date_times(one: str, other: str) -> int | None:
    if len(one) > DAY_LENGTH and len(other) > DAY_LENGTH:
        try:
            return _sign(_moment(one), _moment(other))
        except (ValueError, TypeError):  # no moments, or only one of them with a zone
            return None
    sign = partial(one[:DAY_LENGTH], other[:DAY_LENGTH])
    return sign or (0 if one == other else None)


def _moment(text: str) -> tuple[datetime, Decimal]:
    """A moment and the fraction of its second; a leap second is the first of the next minute."""
    fraction = re.search(r"\.[0-9]+", text)
    plain = text.replace(fraction.group(), "") if fraction else text
    leap = plain[17:19] == "60"
    if leap:
        plain = f"{plain[:17]}59{plain[19:]}"
    moment = datetime.fromisoformat(plain) + timedelta(seconds=int(leap))
    return moment, Decimal("0" + fraction.group()) if fraction else Decimal(0)


def _quantities(one: Any, other: Any) -> int | None:
    if relation(one, other) not in ("same", "convertible"):
        raise UnitsDiffer
    possible = signs(one, other)
    return min(possible) if len(possible) == 1 else None


_ORDERS = {
    "string": _sign,
    "date": partial,
    "time": partial,
    "dateTime": _date_times,
    "Quantity": _quantities,
}
