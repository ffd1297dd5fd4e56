"""What every page state must keep, and the written answers to what axe leaves to a person."""

from __future__ import annotations

from typing import Final

import pytest

from tests.support.chromium import Watched
from tests.support.page_checks import (
    AXE,
    audited,
    faint_text,
    is_scrolled_sideways,
    small_targets,
)

ANSWERS: Final[dict[str, str]] = {}
"""By axe's rule: why what it could not decide by itself is right on our pages."""


def must_be_sound(watched: Watched) -> None:
    """Fail with everything that is wrong with this page as it stands now."""
    page = watched.page
    _must_keep(watched, [f"small: {one}" for one in small_targets(page)] + _faint(watched))


def must_be_read_well(watched: Watched) -> None:
    """The same for a page of text, whose links stand in lines and whose contrast axe judges.

    A target in a sentence or a line of text has no least size.
    https://www.w3.org/WAI/WCAG22/Understanding/target-size-minimum.html
    """
    _must_keep(watched, [])


def _faint(watched: Watched) -> list[str]:
    return [f"faint: {one}" for one in faint_text(watched.page)]


def _must_keep(watched: Watched, more: list[str]) -> None:
    page = watched.page
    wrong = [*watched.noticed, *more]
    if is_scrolled_sideways(page):
        wrong.append("wider than the window")
    if AXE.exists():
        broken, asks = audited(page)
        wrong += [f"axe: {one}" for one in broken]
        wrong += [f"axe asks: {one} {at}" for one, at in asks.items() if one not in ANSWERS]
    assert not wrong, f"{page.url}: {wrong}"


def must_have_axe(fault: str) -> None:
    """Skip, and say so, what only axe finds where it could not be fetched."""
    if fault.startswith("axe") and not AXE.exists():
        pytest.skip("axe-core could not be fetched")
