"""Resources with something in them put wrong, as a careless or hostile sender might."""

from __future__ import annotations

import copy
from random import Random
from typing import Any

ODD: tuple[Any, ...] = (
    None, True, 0, -1, 2.5, "", " ", "x" * 500, "2024-13-45", "2026-11-25", [], {}, [[]], [None],
    {"coding": "x"}, {"coding": [{"code": 1}]}, {"resourceType": 7}, {"reference": 3},
    {"code": "still-no"}, {"value": "x", "code": ["kg"]}, [{"resource": "x"}], {"start": 5},
)  # fmt: skip


def spoiled(random: Random, value: Any) -> Any:
    """The same with something in it put wrong."""
    made = copy.deepcopy(value)
    for _ in range(random.randint(1, 4)):
        one, path = made, []
        while isinstance(one, dict | list) and one and random.random() < 0.85:
            key = random.choice(list(one) if isinstance(one, dict) else range(len(one)))
            path.append((one, key))
            one = one[key]
        if path:
            holder, key = path[-1]
            holder[key] = copy.deepcopy(random.choice(ODD))
    return made
