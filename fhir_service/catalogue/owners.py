"""Who answers for a red flag: which levels of the rules have an owner at this site, which none.

Read without the mapping's schemas, so that a start can afford it.
"""

from __future__ import annotations

import tomllib
from pathlib import Path

from fhir_service.catalogue.summary_files import OWNERS, RULES, summary_files


def levels_without_owner(*folders: Path) -> tuple[str, ...]:
    """The ids of the levels for which nobody is named, most urgent first."""
    files = summary_files(*folders)
    levels = tomllib.loads(files[RULES].read_text("utf-8"))["level"]
    named = {}
    if OWNERS in files:
        named = tomllib.loads(files[OWNERS].read_text("utf-8")).get("owner", {})
    alone = (level["id"] for level in levels if not level.get("owner"))
    return tuple(id_ for id_ in alone if not named.get(id_))
