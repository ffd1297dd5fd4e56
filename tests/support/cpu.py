"""What a piece of work costs in CPU, on a machine that may be busy with other things."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

TRIES = 4

FIRST = 3
"""So many times dearer the first try may be: it imports, fills caches, and may be disturbed.
What is slow on a first try alone is slow for the one who sends it, and is not excused."""


def within(seconds: float, work: Callable[[], T]) -> T:
    """What ``work`` gives, which must do with so much CPU once in a few tries.

    A neighbour on the same core makes the same work dearer, and never cheaper: the least of a few
    tries is nearest to what it costs. The first one may not be dearer than ``FIRST`` times that.
    """
    spent = []
    for _ in range(TRIES):
        began = time.process_time()
        given = work()
        spent.append(time.process_time() - began)
        if spent[0] > FIRST * seconds:
            raise AssertionError(f"{spent[0]:.2f} seconds of CPU at the first try, not {seconds}")
        if spent[-1] < seconds:
            return given
    raise AssertionError(f"{min(spent):.2f} seconds of CPU at the least, not {seconds}")
