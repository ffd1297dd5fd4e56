"""The server's id and meta go into the bytes of a resource; the rest stays as it was sent."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhir_service.fhir.splice import instant, with_identity, without_identity

THEN = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)


def served(body: bytes) -> Any:
    return json.loads(with_identity(body, "r1", 2, THEN), parse_float=Decimal)


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        (b'{"resourceType":"X"}', b'{"resourceType":"X","id":"r1","meta":{%s}}'),
        (b'{"resourceType":"X","a":1.10}', b'{"resourceType":"X","id":"r1","meta":{%s},"a":1.10}'),
        (b'{"a":1,"resourceType":"X"}', b'{"a":1,"resourceType":"X","id":"r1","meta":{%s}}'),
        (b'{"id":"r1","resourceType":"X"}', b'{"resourceType":"X","id":"r1","meta":{%s}}'),
        (
            b'{\n  "resourceType": "X",\n  "id": "r1",\n  "a": 1\n}\n',
            b'{\n  "resourceType": "X","id":"r1","meta":{%s},\n  "a": 1\n}\n',
        ),
        (
            b'{"resourceType":"X","meta":{"versionId":"1","tag":[{"code":"t"}]},"a":1}',
            b'{"resourceType":"X","id":"r1","meta":{%s,"tag":[{"code":"t"}]},"a":1}',
        ),
        (
            b'{"resourceType":"X","a":{"id":"inner","meta":"no"}}',
            b'{"resourceType":"X","id":"r1","meta":{%s},"a":{"id":"inner","meta":"no"}}',
        ),
        (
            '{"resourceType":"X","id":"r1","a":"ñ \\"id\\" {"}'.encode(),
            '{"resourceType":"X","id":"r1","meta":{%s},"a":"ñ \\"id\\" {"}'.encode(),
        ),
    ],
)
def test_identity_goes_in_and_nothing_else_changes(sent: bytes, expected: bytes) -> None:
    ours = b'"versionId":"2","lastUpdated":"2026-11-22T09:30:00.000Z"'
    assert with_identity(sent, "r1", 2, THEN) == expected.replace(b"%s", ours)


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.decimals(allow_nan=False, places=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def dumped(value: Any, indent: int | None) -> bytes:
    return json.dumps(value, indent=indent, ensure_ascii=False, default=str).encode(
        "utf-8", "surrogatepass"
    )


@given(
    st.dictionaries(st.sampled_from(["id", "a", "b", "item", "text"]), values),
    st.none() | st.dictionaries(st.sampled_from(["versionId", "tag", "source"]), values),
    st.sampled_from([None, 2]),
)
def test_what_is_served_is_what_was_sent_with_our_identity(
    sent: dict[str, Any], meta: dict[str, Any] | None, indent: int | None
) -> None:
    resource = {"resourceType": "X", **sent, **({} if meta is None else {"meta": meta})}
    body = dumped(resource, indent)
    given_back = served(body)
    assert given_back.pop("id") == "r1"
    their_meta = given_back.pop("meta")
    assert their_meta.pop("versionId") == "2"
    assert their_meta.pop("lastUpdated") == instant(THEN)
    again = json.loads(body, parse_float=Decimal)
    again.pop("id", None)
    said = again.pop("meta", {})
    said.pop("versionId", None)
    assert (given_back, their_meta) == (again, said)


def test_two_bodies_that_differ_only_in_the_servers_members_are_the_same() -> None:
    one = b'{"resourceType":"X","id":"a","meta":{"versionId":"1"},"b":1}'
    two = b'{"resourceType":"X","b":1}'
    assert without_identity(one) == without_identity(two)
    assert without_identity(b'{"resourceType":"X","meta":{"tag":[]},"b":1}') != two
