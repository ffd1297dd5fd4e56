"""Which files make the summary's mapping: those that ship, and the site's own before them.

A file of the site stands in for the one of its name that ships; a name of its own is a form more,
but for ``owners.toml``, which names who answers for each level of red flags.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from fhir_service.catalogue.shipped import folder

PAGE: Final = "page.toml"
RULES: Final = "rules.toml"
OWNERS: Final = "owners.toml"


def summary_folders(own: Path | None) -> tuple[Path, ...]:
    """The folder of the site, where it has one, and then the one that ships."""
    return (*([own] if own else []), folder("mappings") / "summary")


def summary_files(*folders: Path) -> Mapping[str, Path]:
    """Each TOML file by its name, in order; of those named alike the first folder's."""
    found: dict[str, Path] = {}
    for one in reversed(folders):
        found.update((path.name, path) for path in one.glob("*.toml"))
    return dict(sorted(found.items()))
