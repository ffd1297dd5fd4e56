"""Equality, equivalence and order of items, and a key for finding equal ones fast.

http://hl7.org/fhirpath/N1/#equality, http://hl7.org/fhirpath/N1/#comparison
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Final

from fhir_service.fhir.fhirpath import dates_times, quantity
from fhir_service.fhir.fhirpath.dates_times import Temporal, read_moment, read_time
from fhir_service.fhir.fhirpath.environment import Run
from fhir_service.fhir.fhirpath.errors import ExpressionError
from fhir_service.fhir.fhirpath.nodes import Collection, Node, plain
from fhir_service.fhir.fhirpath.quantity import Quantity, in_unit_of, of_fhir
from fhir_service.fhir.fhirpath.types import UNKNOWN

_NUMBERS: Final = (int, Decimal)


def equal(run: Run, left: Collection, right: Collection) -> bool | None:
    """Whether two collections are equal, item by item in order; None where it is open."""
    if not left or not right:
        return None
    if len(left) != len(right):
        return False
    run.spend(len(left))
    known = True
    for one, other in zip(left, right, strict=True):
        found = item_equal(run, one, other)
        if found is False:
            return False
        known = known and found is not None
    return True if known else None


def item_equal(run: Run, one: Any, other: Any) -> bool | None:  # noqa: PLR0911 (by type)
    """Whether two items are equal; None where precision or unit leave it open."""
    mine, yours = _paired(one, other)
    if type(mine) is str and type(yours) is str:
        return mine == yours
    if isinstance(mine, Temporal) and isinstance(yours, Temporal):
        return dates_times.equal(mine, yours)
    if isinstance(mine, Quantity) and isinstance(yours, Quantity):
        return quantity.equal(mine, yours)
    if isinstance(mine, bool) or isinstance(yours, bool):
        return mine is yours
    if isinstance(mine, _NUMBERS) and isinstance(yours, _NUMBERS):
        return bool(mine == yours)
    if isinstance(mine, Node) and isinstance(yours, Node):
        return bool(_json_key(run, mine.value) == _json_key(run, yours.value))
    return bool(mine == yours) if type(mine) is type(yours) and mine is not None else False


def _paired(one: Any, other: Any) -> tuple[Any, Any]:
    """Both as plain values of one type, where that can be.

    A text out of data whose type is not known is read as a date where the other is one; a number
    counts as a Quantity of unit 1. http://hl7.org/fhirpath/N1/#conversion
    """
    mine, yours = plain(one), plain(other)
    if type(mine) is str and type(yours) is str:
        return mine, yours
    if isinstance(mine, Temporal):
        return mine, _as_temporal(other, yours, mine)
    if isinstance(yours, Temporal):
        return _as_temporal(one, mine, yours), yours
    if isinstance(mine, Quantity) and not isinstance(yours, Quantity):
        return mine, _as_quantity(yours)
    if isinstance(yours, Quantity) and not isinstance(mine, Quantity):
        return _as_quantity(mine), yours
    return mine, yours


def _as_temporal(item: Any, value: Any, like: Temporal) -> Any:
    if type(value) is not str or type(item) is not Node or item.kind is not UNKNOWN:
        return value
    return (read_time(value) if like.type == "Time" else read_moment(value)) or value


def _as_quantity(value: Any) -> Any:
    if isinstance(value, _NUMBERS) and not isinstance(value, bool):
        return Quantity(Decimal(value), "1")
    if isinstance(value, Node):
        return of_fhir(value.value) or value
    return value


def key(run: Run, item: Any) -> Any:
    """What is the same for equal items, and can be kept in a set."""
    value = plain(item)
    if isinstance(value, Temporal):
        return dates_times.key(value)
    if isinstance(value, Quantity):
        return quantity.key(value)
    if isinstance(value, Node):
        return _json_key(run, value.value)
    return _json_key(run, value)


def _json_key(run: Run, value: Any) -> Any:
    if isinstance(value, str):
        return value
    run.spend(2)
    if isinstance(value, Mapping):
        run.spend(4 + len(value))
        # the order of properties says nothing
        return frozenset((name, _json_key(run, one)) for name, one in value.items())
    if isinstance(value, list | tuple):
        return tuple(_json_key(run, one) for one in value)
    if isinstance(value, bool) or value is None:
        return ("boolean", value)
    return Decimal(str(value)) if isinstance(value, float) else value


def equivalent(run: Run, left: Collection, right: Collection) -> bool:
    """Whether two collections hold equivalent items, in any order.

    http://hl7.org/fhirpath/N1/#equivalent
    """
    if len(left) != len(right):
        return False
    if len(left) == 1:
        return item_equivalent(run, left[0], right[0])
    rest = list(reversed(right))  # most stand in one order, and the last goes fastest
    for one in left:
        for place in range(len(rest) - 1, -1, -1):
            run.spend(5)
            if item_equivalent(run, one, rest[place]):
                del rest[place]
                break
        else:
            return False
    return True


def item_equivalent(run: Run, one: Any, other: Any) -> bool:  # noqa: PLR0911 (by type)
    """Whether two items are equivalent: texts without case, numbers at the lesser precision."""
    mine, yours = _paired(one, other)
    if type(mine) is str and type(yours) is str:
        return _folded(mine) == _folded(yours)
    if isinstance(mine, Temporal) and isinstance(yours, Temporal):
        return dates_times.equal(mine, yours) is True
    if isinstance(mine, Quantity) and isinstance(yours, Quantity):
        value = in_unit_of(yours, mine, loosely=True)
        return value is not None and _about(mine.value, value, yours.value)
    if isinstance(mine, bool) or isinstance(yours, bool):
        return mine is yours
    if isinstance(mine, _NUMBERS) and isinstance(yours, _NUMBERS):
        return _about(Decimal(mine), Decimal(yours), Decimal(yours))
    if isinstance(mine, Node) and isinstance(yours, Node):
        return _json_equivalent(run, mine.value, yours.value)
    return False


def _folded(text: str) -> str:
    return " ".join(text.casefold().split())


def _digits(value: Decimal) -> int:
    """Digits after the point, without zeros at the end."""
    exponent = value.normalize().as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


def _about(mine: Decimal, yours: Decimal, as_written: Decimal) -> bool:
    places = Decimal(1).scaleb(-min(_digits(mine), _digits(as_written)))
    if max(abs(mine), abs(yours)) >= Decimal(10) ** 15:
        return mine == yours
    return mine.quantize(places, ROUND_HALF_UP) == yours.quantize(places, ROUND_HALF_UP)


def _json_equivalent(run: Run, mine: Any, yours: Any) -> bool:
    run.spend(3)
    if isinstance(mine, dict) and isinstance(yours, dict):
        return mine.keys() == yours.keys() and all(
            _json_equivalent(run, mine[name], yours[name]) for name in mine
        )
    if isinstance(mine, list) and isinstance(yours, list):
        return len(mine) == len(yours) and all(
            _json_equivalent(run, *pair) for pair in zip(mine, yours, strict=True)
        )
    if isinstance(mine, dict | list) or isinstance(yours, dict | list):
        return False
    return item_equivalent(run, mine, yours)


def order(one: Any, other: Any) -> int | None:
    """-1, 0 or 1; None where precision or unit leave it open.

    Raises ExpressionError for what has no order: other types, or two of different types.
    """
    mine, yours = _paired(one, other)
    if isinstance(mine, Temporal) and isinstance(yours, Temporal):
        if (mine.type == "Time") == (yours.type == "Time"):
            return dates_times.compare(mine, yours)
    elif isinstance(mine, Quantity) and isinstance(yours, Quantity):
        value = in_unit_of(yours, mine)
        return None if value is None else _sign(mine.value, value)
    elif isinstance(mine, bool) or isinstance(yours, bool):
        pass
    elif (isinstance(mine, _NUMBERS) and isinstance(yours, _NUMBERS)) or (
        type(mine) is str and type(yours) is str
    ):
        return _sign(mine, yours)
    raise ExpressionError("These two can not be put in order.")


def _sign(mine: Any, yours: Any) -> int:
    return int(mine > yours) - int(mine < yours)


def distinct(run: Run, items: Iterable[Any]) -> Collection:
    """The items, each once, in the order they come first."""
    seen: set[Any] = set()
    kept: Collection = []
    for item in items:
        run.spend(1)
        mark = key(run, item)
        if mark not in seen:
            seen.add(mark)
            kept.append(item)
    return kept


def keys(run: Run, items: Sequence[Any]) -> set[Any]:
    """The keys of all items."""
    run.spend(len(items))
    return {key(run, item) for item in items}


def is_in(run: Run, item: Any, items: Sequence[Any]) -> bool:
    """Whether an equal item is among them."""
    return bool(items) and key(run, item) in keys(run, items)
