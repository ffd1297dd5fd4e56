from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhir_service.sdc.measuring import relation, signs

UCUM = "http://unitsofmeasure.org"


def quantity(value: Any, code: str = "kg", **more: Any) -> dict[str, Any]:
    return {"value": value, "system": UCUM, "code": code, **more}


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        (quantity(1), quantity(2), "same"),
        (quantity(1, "g"), quantity(2), "convertible"),
        (quantity(1, "m"), quantity(2), "different"),
        (quantity(1, "no-unit"), quantity(2), "unknown"),
        (quantity(1, "no-unit"), quantity(2, "no-unit"), "same"),
        ({"value": 1}, quantity(2), "unknown"),
        ({"value": 1, "unit": "bags"}, {"value": 2, "unit": "bags"}, "same"),
        ({"value": 1, "unit": "bags"}, {"value": 2}, "unknown"),
        (quantity(1, system="http://example.org/units"), quantity(2), "unknown"),
    ],
)
def test_units_are_the_same_or_convertible_or_different_or_not_known(
    one: dict[str, Any], other: dict[str, Any], expected: str
) -> None:
    assert relation(one, other) == expected


_DECIMALS = st.decimals(-1000, 1000, places=3)


@given(
    bound=_DECIMALS,
    limit=_DECIMALS,
    comparator=st.sampled_from(["<", "<=", ">=", ">"]),
    away=st.decimals(0, 3000, places=3),
)
def test_every_value_that_a_comparator_leaves_open_lies_where_signs_says(
    bound: Decimal, limit: Decimal, comparator: str, away: Decimal
) -> None:
    if away == 0 and "=" not in comparator:
        return
    value = bound - away if "<" in comparator else bound + away
    told = signs(quantity(bound, comparator=comparator), quantity(limit))
    assert int(value > limit) - int(value < limit) in told


@given(value=_DECIMALS, limit=_DECIMALS)
def test_grams_and_kilograms_compare_as_their_numbers(value: Decimal, limit: Decimal) -> None:
    told = signs(quantity(value * 1000, "g"), quantity(limit))
    assert told == {int(value > limit) - int(value < limit)}
