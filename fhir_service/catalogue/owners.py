"""Who answers for a red flag: which levels of the rules have an owner at this site, which none.

Read without the mapping's schemas, so that a start can afford it.
"""

from __future__ import annotations

import tomllib
from pathlib import Path


def levels_without_owner(rules: Path) -> tuple[str, ...]:
    """The ids of the levels in this rules.toml for which nobody is named, most urgent first."""
    levels = tomllib.loads(rules.read_text("utf-8"))["level"]
    return tuple(level["id"] for level in levels if not level.get("owner"))
