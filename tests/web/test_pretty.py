"""Indenting changes white space between tokens, and nothing else."""

from __future__ import annotations

import json
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from fhir_service.web.pretty import indented

ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(ANY_JSON)
def test_what_is_indented_says_the_same(value: object) -> None:
    body = json.dumps(value, ensure_ascii=False).encode()
    assert json.loads(indented(body)) == value


def test_numbers_strings_and_order_stay_as_they_were_sent() -> None:
    body = b'{"b":[1.10,{}],"a":"{\\"x\\": [1, 2]}","c":[]}'
    shown = indented(body)
    assert shown == (
        b'{\n  "b": [\n    1.10,\n    {}\n  ],\n  "a": "{\\"x\\": [1, 2]}",\n  "c": []\n}\n'
    )
    assert json.loads(shown, parse_float=Decimal)["b"][0] == Decimal("1.10")
