"""Where the files lie that ship with the service: in the package, else in the repository.

https://packaging.python.org/en/latest/discussions/package-formats/
"""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent.parent


def folder(name: str) -> Path:
    """The folder ``name`` ("questionnaires" or "mappings") of what ships.

    A wheel carries it as fhir_service/data/<name>; a working tree has it beside the package.
    Raises FileNotFoundError where neither is there: then the installation is broken.
    """
    for place in (_PACKAGE / "data" / name, _PACKAGE.parent / name):
        if place.is_dir():
            return place
    raise FileNotFoundError(f"The folder {name} is missing from this installation.")
