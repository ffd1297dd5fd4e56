"""What a page as it stands in a browser must keep: targets, contrast, width, and axe's rules.

https://www.w3.org/WAI/WCAG22/quickref/, https://github.com/dequelabs/axe-core
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from tests.support.serving import ROOT

if TYPE_CHECKING:
    from playwright.sync_api import Page

AXE: Final = ROOT / ".cache" / "axe" / "axe.min.js"
_CHECKS: Final = Path(__file__).with_suffix(".js")


@cache
def _source(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def _run(page: Page, name: str) -> Any:
    checks = _source(_CHECKS).partition("\n")[2].strip()
    return page.evaluate(f"async () => {checks}.{name}()")


def small_targets(page: Page) -> list[str]:
    """What can be touched and is smaller than 44 by 44 CSS pixels, its label counted in.

    https://www.w3.org/WAI/WCAG22/Understanding/target-size-enhanced.html
    """
    return list(_run(page, "small"))


def faint_text(page: Page) -> list[str]:
    """Text whose contrast with what is behind it is under 7 to 1: our own measure, beside axe's.

    https://www.w3.org/WAI/WCAG22/Understanding/contrast-enhanced.html
    """
    return list(_run(page, "faint"))


def is_scrolled_sideways(page: Page) -> bool:
    """Whether something is wider than the window."""
    return bool(_run(page, "sideways"))


def audited(page: Page) -> tuple[list[str], dict[str, list[str]]]:
    """(what breaks a rule of axe, by rule where a person has to judge); both empty is well."""
    page.evaluate(_source(AXE))
    found = _run(page, "axe")
    broken = [f"{one['id']}: {at}" for one in found["broken"] for at in one["nodes"]]
    return broken, {one["id"]: one["nodes"] for one in found["asks"]}
