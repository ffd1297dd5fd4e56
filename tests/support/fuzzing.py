"""Bytes that a careless or hostile sender might send: sound JSON broken somewhere, and noise."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from copy import deepcopy
from random import Random
from typing import Any

from tests.support.random_answers import a_response, as_bytes
from tests.support.random_forms import a_form

ODD_STRINGS = (
    "",
    " ",
    "\u0000",
    "\u202e",
    "\ufeff",
    "\ud800",
    "e\u0301\u0301\u0301",
    "\U0001f9a0",
    "#",
    "|",
    "urn:uuid:",
    "http://[",
    "9999-99-99",
    "2026-02-30T25:61:61Z",
    "../../etc/passwd",
    "Patient/",
    "%s%n{0}",
    "'; drop table responses; --",
    "a" * 3_000,
)
ODD_NUMBERS = (0, -0.0, -1, 1e308, 2**31, 2**63, 2**64, -(2**200), 10**300, 1.5, 5e-324)
ODD_VALUES: tuple[Any, ...] = (
    None,
    True,
    False,
    [],
    {},
    [[]],
    [None],
    [{}],
    {"": ""},
    {"a": None},
)
_ODD_TEXTS = (
    b"1e999999999",
    b"-0",
    b"0123",
    b"NaN",
    b"Infinity",
    b"1e-999999",
    b"1e-" + b"9" * 20,
    b"0." + b"0" * 500,
)

Fuzz = Callable[[Random, bytes], bytes]


def flipped(random: Random, body: bytes) -> bytes:
    """A few bits turned."""
    changed = bytearray(body)
    for _ in range(random.randint(1, 4)):
        changed[random.randrange(len(changed))] ^= 1 << random.randrange(8)
    return bytes(changed)


def cut(random: Random, body: bytes) -> bytes:
    """Its beginning alone, or with a piece taken out."""
    start = random.randrange(len(body))
    return body[:start] + (body[start + random.randint(1, 50) :] if random.random() < 0.5 else b"")


def noise(random: Random, body: bytes) -> bytes:
    """Random bytes, or random bytes put into it."""
    made = random.randbytes(random.randint(0, 60))
    start = random.randrange(len(body))
    return made if random.random() < 0.3 else body[:start] + made + body[start:]


def odd_number(random: Random, body: bytes) -> bytes:
    """A number of the text replaced by one that is odd."""
    digits = [place for place, one in enumerate(body) if chr(one).isdigit()]
    if not digits:
        return body
    place = random.choice(digits)
    return body[:place] + random.choice(_ODD_TEXTS) + body[place + 1 :]


def nested(random: Random, body: bytes) -> bytes:
    """Lists or objects in each other, to any depth."""
    depth = random.choice([10, 100, 1_000, 100_000])
    start, end = random.choice([(b"[", b"]"), (b'{"item":[', b"]}"), (b'{"a":', b"}")])
    deep = start * depth + (end * depth if random.random() < 0.7 else b"")
    place = body.find(b'"item":')
    return (
        deep
        if place < 0 or random.random() < 0.3
        else body[: place + 7] + deep + body[place + 7 :]
    )


def _places(value: Any) -> list[tuple[Any, Any]]:
    """(container, key or number) of everything in a JSON value."""
    found: list[tuple[Any, Any]] = []
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict | list):
            keys: Sequence[Any] = list(one) if isinstance(one, dict) else range(len(one))
            found += [(one, key) for key in keys]
            waiting += [one[key] for key in keys]
    return found


def _odd(random: Random) -> Any:
    odd = random.choice([ODD_STRINGS, ODD_NUMBERS, ODD_VALUES][random.randrange(3)])
    return deepcopy(odd)  # it is reshaped in its turn, and must not come to lie in itself


def reshaped(random: Random, body: bytes) -> bytes:
    """Members taken out, renamed, doubled, moved, or of another type."""
    resource = json.loads(body)
    for _ in range(random.choice([1, 1, 1, 2, 4])):
        places = _places(resource)
        if not places:
            break
        container, key = random.choice(places)
        _reshape(random, container, key, places)
    made = json.dumps(resource).encode()
    return (
        made.replace(b'"linkId":', b'"linkId": "x", "linkId":', 1)
        if random.random() < 0.03
        else made
    )


def _reshape(random: Random, container: Any, key: Any, places: list[tuple[Any, Any]]) -> None:
    way = random.randrange(6)
    if way == 0:
        del container[key]
    elif way == 1:
        container[key] = _odd(random)
    elif way == 2:
        container[key] = [container[key]] * random.randint(1, 3)
    elif way == 3 and isinstance(container, dict):
        container[random.choice(["item", "answer", "extension", "_text", "valueCoding", "x"])] = (
            container.pop(key)
        )
    elif way == 4 and isinstance(container, list):
        container.append(json.loads(json.dumps(container[key])))
    else:
        other, place = random.choice(places)
        if place in other if isinstance(other, dict) else place < len(other):
            container[key] = json.loads(json.dumps(other[place]))


FUZZES: tuple[tuple[Fuzz, int], ...] = (
    (reshaped, 60),
    (flipped, 15),
    (cut, 8),
    (odd_number, 8),
    (noise, 6),
    (nested, 3),
)
"""The ways to break a body, each with its weight."""


def broken(random: Random, body: bytes) -> bytes:
    """The body broken in one of the ways."""
    ways, weights = zip(*FUZZES, strict=True)
    fuzz: Fuzz = random.choices(ways, weights)[0]
    return fuzz(random, body)


def random_bodies(seed: int) -> tuple[bytes, bytes]:
    """A random form, and a response that fits it, as they are sent."""
    random = Random(seed)
    form = a_form(random, 15)
    return as_bytes(form), as_bytes(a_response(random, form))
